"""Dead letters: readable where they can be, never too big, counted."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from runtime.io import RAW_LIMIT_BYTES, DeadLetter, DeadLetterWriter, MemorySink

LIMIT = RAW_LIMIT_BYTES


def letter(raw: bytes, code: str = "bad_json", raw_bytes: int | None = None) -> DeadLetter:
    """A letter with this event."""
    return DeadLetter("it is bad", code, "shop", "in.ndjson", 3, raw, raw_bytes)


@pytest.mark.parametrize(
    ("raw", "raw_bytes", "expected"),
    [
        pytest.param(b'{"a":', None, {"raw": '{"a":'}, id="text"),
        pytest.param("é\0".encode(), None, {"raw": "é\0"}, id="any text"),
        pytest.param(b"", None, {"raw": ""}, id="empty"),
        pytest.param(b"\xff", None, {"raw_base64": "/w=="}, id="bytes"),
        pytest.param("aé".encode()[:2], None, {"raw_base64": "YcM="}, id="unfinished character"),
        pytest.param(b"x" * LIMIT, None, {"raw": "x" * LIMIT}, id="just fits"),
        pytest.param(b"x" * (LIMIT + 9), None, {"raw": "x" * LIMIT, "raw_bytes": LIMIT + 9}, id="cut"),
        pytest.param(
            b"x" + "é".encode() * LIMIT,
            None,
            {"raw": "x" + "é" * (LIMIT // 2 - 1), "raw_bytes": 2 * LIMIT + 1},
            id="cut inside a character",
        ),
        pytest.param(
            b"\xff" * (LIMIT + 9),
            None,
            {"raw_base64": base64.b64encode(b"\xff" * LIMIT).decode(), "raw_bytes": LIMIT + 9},
            id="cut bytes",
        ),
        pytest.param("aé".encode()[:2], 5_000_000, {"raw": "a", "raw_bytes": 5_000_000}, id="head of a long line"),
    ],
)
def test_raw(raw: bytes, raw_bytes: int | None, expected: dict[str, Any]) -> None:
    """Text as text, other bytes as base64, and the whole length of what was cut."""
    sink = MemorySink()
    DeadLetterWriter(sink).write(letter(raw, raw_bytes=raw_bytes))
    common = {"reason": "it is bad", "code": "bad_json", "tenant": "shop", "source": "in.ndjson", "line": 3}
    assert [msgspec.json.decode(line) for line in sink.lines] == [{**common, **expected}]


def test_counts() -> None:
    """By code; closing closes the sink."""
    sink = MemorySink()
    writer = DeadLetterWriter(sink)
    for code in ("a", "b", "a"):
        writer.write(letter(b"", code))
    writer.close()
    assert writer.counts == {"a": 2, "b": 1}
    assert (len(sink.lines), sink.closed) == (3, True)
