"""Durations and sizes, from text and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.config import format_duration, format_size, parse_duration, parse_size, spoken_duration


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("0", 0),
        ("0s", 0),
        ("500ms", 500),
        ("30s", 30_000),
        ("30m", 1_800_000),
        ("24h", 86_400_000),
        ("1d", 86_400_000),
        ("010s", 10_000),
        ("9223372036854775807ms", 2**63 - 1),
        ("9223372036854775808ms", None),
        ("106751991168d", None),
        ("99999999999999999999s", None),
        ("", None),
        ("30", None),
        ("s", None),
        ("-1s", None),
        ("1.5h", None),
        ("1h30m", None),
        ("30 s", None),
        ("30S", None),
        ("30s\n", None),
        ("٣s", None),
        ("16MiB", None),
    ],
)
def test_durations(text: str, ms: int | None) -> None:
    assert parse_duration(text) == ms


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0", 0),
        ("512", 512),
        ("64KiB", 65_536),
        ("16MiB", 16_777_216),
        ("1GiB", 1_073_741_824),
        ("9223372036854775808", None),
        ("64KB", None),
        ("64kib", None),
        ("64K", None),
        ("-1", None),
        ("", None),
        ("KiB", None),
        ("30s", None),
    ],
)
def test_sizes(text: str, size_bytes: int | None) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "0s"), (1, "1ms"), (1_500, "1500ms"), (90_000, "90s"), (5_400_000, "90m"), (86_400_000, "1d")]
)
def test_durations_take_their_largest_whole_unit(ms: int, text: str) -> None:
    assert format_duration(ms) == text


@given(st.integers(0, 2**63 - 1))
def test_texts_read_back(number: int) -> None:
    assert parse_duration(format_duration(number)) == number
    assert parse_size(format_size(number)) == number


def test_negative_numbers_have_no_text() -> None:
    with pytest.raises(ValueError, match="-1"):
        format_duration(-1)
    with pytest.raises(ValueError, match="-1"):
        format_size(-1)


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0.0 s"),
        (12_340, "12.3 s"),
        (1_800_000, "30 min"),
        (503_000, "8 min 23 s"),
        (7_200_000, "2 h"),
        (86_460_000, "24 h 1 min"),
    ],
)
def test_durations_for_people(ms: int, text: str) -> None:
    assert spoken_duration(ms) == text
