"""The registry of keys is complete, documented, and agrees with the model."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtime.config import (
    KEYS,
    CacheConfig,
    Key,
    Kind,
    Limits,
    MarkerKeys,
    StoreConfig,
    TenantConfig,
    TimeConfig,
    UnknownEvents,
)
from runtime.config.keys import default_number, default_text, parse_number


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_each_key_is_documented_in_one_sentence(key: Key) -> None:
    assert key.doc[0].isupper() and key.doc.endswith(".") and ". " not in key.doc
    assert not (key.required and key.default is not None)
    if key.kind is Kind.CHOICE:
        assert key.default in key.choices
    if key.kind is Kind.DURATION:
        assert "duration" in key.doc
    if key.kind is Kind.SIZE:
        assert "bytes" in key.doc


def test_paths_are_unique_and_stand_in_a_section() -> None:
    paths = [key.path for key in KEYS]
    assert len(set(paths)) == len(paths)
    sections = {key.path + "[]" * (key.kind is Kind.SECTIONS) for key in KEYS} | {""}
    assert {key.section for key in KEYS} <= sections


def test_what_has_no_number_or_default_says_so() -> None:
    with pytest.raises(ValueError, match="no number"):
        parse_number(Kind.NAME, "1")
    with pytest.raises(KeyError):
        default_text("tenant")
    with pytest.raises(KeyError):
        default_number("profiles[].sub_sessions[].gap")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("7", 7),
        ("4_194_304", 4_194_304),
        *((text, None) for text in ("010", "-1", "1.5", "", "1" * 19, "²", "_")),
    ],
)
def test_whole_numbers(text: str, number: int | None) -> None:
    assert parse_number(Kind.NUMBER, text) == number


def test_absent_sections_are_what_the_model_defaults_to(load: Callable[[str], TenantConfig]) -> None:
    config = load("tenant: shop\ncontroller: controller.epl\nprofiles: [{name: Visit, type: 1}]\n")
    assert config.limits == Limits() == Limits(1_800_000, 0, 0, 1 << 20)
    assert config.cache == CacheConfig() == CacheConfig(64, 4 << 20, 1 << 30, 4_194_304, 7_200, 100_000)
    assert config.time == TimeConfig()
    assert config.store == StoreConfig()
    assert config.unknown_events is UnknownEvents.PASS
    assert (config.type_field, config.imports, dict(config.events)) == ("_type", (), {})
    (profile,) = config.profiles
    names = ("_snid", "_snst", "_snet", "_sndn", "_snec", "_snrs", "_snmk", "_snut")
    assert profile.keys == MarkerKeys() == MarkerKeys(*names)
    assert (profile.gap_ms, profile.max_active_ms) == (1_800_000, 86_400_000)
    assert (profile.begin_marker, profile.end_marker, profile.rules.text, profile.sub_sessions) == (None, None, "", ())
