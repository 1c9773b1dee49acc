"""Dead letters: readable where they can be, never too big, counted; and read again as they were written."""

from __future__ import annotations

import base64
import gzip
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.io import (
    CODES,
    RAW_LIMIT_BYTES,
    REASONS,
    DeadLetter,
    DeadLetterWriter,
    MemorySink,
    NoLetter,
    SourceError,
    read_letters,
)

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


# ---- reading


def written(*letters: DeadLetter) -> list[bytes]:
    """The lines of letters."""
    sink = MemorySink()
    writer = DeadLetterWriter(sink)
    for each in letters:
        writer.write(each)
    return sink.lines


def read(path: Path, lines: list[bytes], end: bytes = b"\n") -> list[DeadLetter | NoLetter]:
    """What a file of these lines is read as."""
    path.write_bytes(b"\n".join(lines) + end)
    return list(read_letters(str(path)))


TEXTS = st.text(max_size=20)
LETTERS = st.builds(
    DeadLetter,
    TEXTS,
    st.sampled_from([each.code for each in CODES]) | TEXTS.filter(str.isprintable),
    TEXTS,
    TEXTS,
    st.integers(0, 2**53),
    st.binary(max_size=50) | TEXTS.map(str.encode),
)


@given(st.lists(LETTERS, max_size=5))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, letters: list[DeadLetter]) -> None:
    path = tmp_path_factory.getbasetemp() / "letters.ndjson"
    assert read(path, written(*letters)) == letters


@given(LETTERS, st.sampled_from([b"x", "é".encode(), b"\xff", b"\0"]), st.integers(0, 3))
def test_a_cut_letter_is_copied_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, letter: DeadLetter, byte: bytes, more: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.ndjson"
    long = replace(letter, raw=letter.raw + byte * (LIMIT // len(byte) + more))
    lines = written(long)
    (found,) = read(path, lines)
    assert isinstance(found, DeadLetter)
    assert long.raw.startswith(found.raw)
    assert found.raw_bytes == (None if len(long.raw) <= LIMIT else len(long.raw))
    assert written(found) == lines


GOOD = written(letter(b"{}"))[0]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param(GOOD[:30], "truncated (was its writer stopped?)", id="torn"),
        pytest.param(b'{"user":"a"}', "missing required field `reason`", id="an event"),
        pytest.param(b"user,at", "malformed", id="csv"),
        pytest.param(b"[1]", "got `array`", id="a list"),
        pytest.param(GOOD.replace(b'"raw":"{}"', b'"raw":7'), "at `$.raw`", id="wrong type"),
        pytest.param(GOOD.replace(b'"raw":"{}"', b'"x":7'), "either `raw` or `raw_base64`", id="no event"),
        pytest.param(GOOD.replace(b'"raw"', b'"raw_base64"'), "`raw_base64` is no base64", id="no base64"),
        pytest.param(GOOD.replace(b'"{}"', b'"{}","raw_bytes":2'), "`raw_bytes` is", id="not cut"),
        pytest.param(GOOD.replace(b"{}", b"\xff"), "invalid start byte", id="not UTF-8"),
        pytest.param(GOOD.replace(b"{}", b"x" * (17 << 20)), "bytes long", id="too long"),
    ],
)
def test_a_line_that_is_no_letter(tmp_path: Path, line: bytes, problem: str) -> None:
    """It is told with file and line, and the letters around it are read."""
    path = tmp_path / "dead.ndjson"
    first, bad, last = read(path, [GOOD, b"", line, GOOD], b"")
    assert first == last == letter(b"{}")
    assert isinstance(bad, NoLetter)
    assert str(bad).startswith(f"{path}:3: ")
    assert problem in bad.problem


@given(st.lists(st.binary(max_size=60) | st.sampled_from([GOOD, GOOD[:-1], b""]), max_size=6))
def test_any_file(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.ndjson"
    try:
        found = read(path, lines)
    except SourceError:  # never: damage comes as a NoLetter
        pytest.fail("a damaged file is no reason to give up")
    assert sum(isinstance(each, DeadLetter) for each in found) <= len(b"\n".join(lines).split(b"\n"))


def test_gzip_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson.gz"
    packed = gzip.compress(b"".join(written(letter(os.urandom(50_000)))[0] + b"\n" for _ in range(20)))
    path.write_bytes(packed[: len(packed) // 2])
    *letters, last = read_letters(str(path))
    assert all(isinstance(each, DeadLetter) for each in letters)
    assert isinstance(last, NoLetter)
    assert last.line == len(letters) + 1


def test_a_file_name_that_is_no_text() -> None:
    line = written(replace(letter(b""), source=os.fsdecode(b"caf\xe9.ndjson")))[0]
    assert msgspec.json.decode(line)["source"] == "caf\\udce9.ndjson"


def test_codes() -> None:
    """Each is explained, and none stands there twice."""
    assert len({each.code for each in CODES}) == len(CODES)
    assert all(each.meaning.endswith(".") and each.remedy.endswith(".") for each in CODES)
    assert {"bad_json", "bad_type", "too_long", "unknown_tenant", "disabled"} | set(REASONS) <= {
        each.code for each in CODES
    }
