"""Events that could not be used, written down with the reason, so that none is lost and each can be sent again."""

from __future__ import annotations

import base64
import codecs
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from runtime.io.errors import SourceError
from runtime.io.sinks import LineSink
from runtime.io.sources import open_source

RAW_LIMIT_BYTES = 64 * 1024
"""How much of the event's own bytes a dead letter carries."""

_MAX_LETTER_BYTES = 16 << 20
"""A letter's own bytes: its raw event six times over, when each byte is an escape, and reason and names beside it."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One event that was refused.

    `code` is the stable name of the kind of reason (`letter_codes.CODES`), `reason` its text for people; `source` and
    `line` (from 1) say where it came from. `raw` is the event as it came; `raw_bytes` is its whole length when `raw` is
    only its head.
    """

    reason: str
    code: str
    tenant: str
    source: str
    line: int
    raw: bytes
    raw_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class NoLetter:
    """A line of a file of dead letters that is none: the file, its line (from 1), and why not."""

    file: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.problem}"


class DeadLetterWriter:
    """Writes dead letters to a sink as NDJSON, and counts them by code in `counts`.

    Text stays readable as `raw`; bytes that are not UTF-8 go as `raw_base64`. What was cut tells its whole length as
    `raw_bytes`. Raises SinkError as the sink does.
    """

    def __init__(self, sink: LineSink) -> None:
        self.counts: Counter[str] = Counter()
        self._sink = sink
        self._encode = msgspec.json.Encoder().encode

    def write(self, letter: DeadLetter) -> None:
        """Writes one letter."""
        self.counts[letter.code] += 1
        record: dict[str, Any] = {
            "reason": _writable(letter.reason),
            "code": letter.code,
            "tenant": _writable(letter.tenant),
            "source": _writable(letter.source),
            "line": letter.line,
        }
        total = len(letter.raw) if letter.raw_bytes is None else letter.raw_bytes
        head = letter.raw[:RAW_LIMIT_BYTES]
        try:
            # A cut may fall inside a character: an unfinished one at the end is then left out, not an error.
            record["raw"] = codecs.utf_8_decode(head, "strict", total <= len(head))[0]
        except UnicodeDecodeError:
            record["raw_base64"] = base64.b64encode(head).decode("ascii")
        if total > len(head):
            record["raw_bytes"] = total
        self._sink.write([self._encode(record)])

    def close(self) -> None:
        """Closes the sink."""
        self._sink.close()


def _writable(text: str) -> str:
    """Text as UTF-8 can hold it: the name of a file may have bytes that it cannot."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


# ---- reading


class _Record(msgspec.Struct):
    """A letter as it stands in its file."""

    reason: str
    code: str
    tenant: str
    source: str
    line: int
    raw: str | None = None
    raw_base64: str | None = None
    raw_bytes: int | None = None


_decode = msgspec.json.Decoder(_Record).decode


def read_letters(name: str) -> Iterator[DeadLetter | NoLetter]:
    """The letters of a file, plain or gzip, or of stdin for `-`, in their order; blank lines are passed over.

    A line that is no dead letter, such as one that was torn when its writer died, comes as a NoLetter in its place,
    and so does the place from which on a damaged file cannot be read. Raises SourceError when it cannot be opened.
    """
    too_long: list[NoLetter] = []
    label = "stdin" if name == "-" else name

    def on_long_line(line: int, size: int, _: bytes) -> None:
        too_long.append(NoLetter(label, line, f"no dead letter is {size:,} bytes long"))

    with open_source(name, format="ndjson", max_line_bytes=_MAX_LETTER_BYTES, on_long_line=on_long_line) as source:
        next_line = 1
        try:
            for block in source:
                for number, line in enumerate(block.lines, block.first_line):
                    if line.strip():
                        yield _letter(line, label, number)
                    elif too_long and too_long[0].line == number:
                        yield too_long.pop(0)
                    next_line = number + 1
        except SourceError as error:
            yield NoLetter(label, next_line, f"from here on {error.message}")


def _letter(line: bytes, file: str, number: int) -> DeadLetter | NoLetter:
    try:
        record = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        hint = " (was its writer stopped?)" if "truncated" in str(error) else ""
        return NoLetter(file, number, f"it is no dead letter: {error}{hint}")
    if (record.raw is None) == (record.raw_base64 is None):
        return NoLetter(file, number, "it is no dead letter: it has either `raw` or `raw_base64`")
    try:
        raw = (record.raw or "").encode()
        if record.raw_base64 is not None:
            raw = base64.b64decode(record.raw_base64, validate=True)
    except ValueError as error:
        return NoLetter(file, number, f"it is no dead letter: `raw_base64` is no base64: {error}")
    if record.raw_bytes is not None and record.raw_bytes <= len(raw):
        return NoLetter(file, number, "it is no dead letter: `raw_bytes` is the length of what was cut")
    return DeadLetter(record.reason, record.code, record.tenant, record.source, record.line, raw, record.raw_bytes)
