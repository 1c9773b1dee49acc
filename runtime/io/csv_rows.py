"""CSV rows as NDJSON lines, so that everything behind the reader knows one form of event.

A row becomes one line, whatever it holds. One that is no sound row (too many cells, a broken quote, bytes that are not
UTF-8) becomes a line that is no JSON object: the decoder makes a dead letter of it, with its number and its text.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from io import StringIO
from typing import Any

import msgspec

from epl.types import Kind, Type
from runtime.io.blocks import Block
from runtime.io.errors import SourceError

_INTEGER = re.compile(r"([+-]?[0-9]+)(?:\.0*)?", re.ASCII)  # "12.0" is what tables with gaps write for 12
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_BOOLEANS = {"true": True, "false": False}


def _integer(text: str) -> Any:
    match = _INTEGER.fullmatch(text.strip())
    try:
        return text if match is None else int(match[1])
    except ValueError:  # thousands of digits: Python refuses, and so will the decoder
        return text


def _number(text: str) -> Any:
    number = text.strip()
    if _JSON_NUMBER.fullmatch(number):
        return msgspec.Raw(number.encode())  # the digits as they are, for decimals
    if _NUMBER.fullmatch(number):
        return msgspec.Raw(str(Decimal(number)).encode())
    return text


def _boolean(text: str) -> Any:
    return _BOOLEANS.get(text.strip().lower(), text)


_CONVERTERS: dict[Kind, Callable[[str], Any]] = {
    **dict.fromkeys((Kind.BYTE, Kind.SHORT, Kind.INT, Kind.LONG, Kind.BIGINT), _integer),
    **dict.fromkeys((Kind.FLOAT, Kind.DOUBLE, Kind.DECIMAL), _number),
    Kind.BOOLEAN: _boolean,
}


class CsvRows:
    """Turns blocks of CSV lines into blocks of NDJSON lines, one a row.

    The first row that is not blank names the fields. A cell becomes what `field_types` says of its column; text that
    is no such value, and a column without a type, stay strings; an empty or missing cell is null; a column without a
    name is left out. Line numbers count rows, the header being line 1. Methods raise SourceError when the header
    cannot be used.
    """

    def __init__(
        self,
        name: str,
        field_types: Mapping[str, Type],
        *,
        delimiter: str | None = None,
        max_row_bytes: int = 1 << 20,
    ) -> None:
        self._name = name
        self._types = field_types
        self._delimiter = delimiter
        self._max_row_bytes = max_row_bytes
        self._columns: list[str] = []
        self._converters: list[tuple[int, Callable[[str], Any]]] = []
        self._carry = ""
        self._line = 1
        self._encode = msgspec.json.Encoder().encode
        # The limit is the process's, not the reader's, and lower than our own: raise it, never lower it.
        csv.field_size_limit(max(csv.field_size_limit(), max_row_bytes))

    def feed(self, block: Block) -> Block | None:
        """The rows that end in this block, or None; a row that goes on is kept for the next block."""
        data = b"\n".join(block.lines)
        text = f"{self._carry}{data.decode('utf-8', 'surrogateescape')}\n"
        self._carry = ""
        return self._block(self._rows(text, last=False), block.read_bytes)

    def finish(self, read_bytes: int) -> Block | None:
        """What is left when the file ends: a row whose quote was never closed."""
        text, self._carry = self._carry, ""
        return self._block(self._rows(text, last=True), read_bytes) if text else None

    def _block(self, lines: list[bytes], read_bytes: int) -> Block | None:
        if not lines:
            return None
        block = Block(lines, self._line, read_bytes)
        self._line += len(lines)
        return block

    def _rows(self, text: str, *, last: bool) -> list[bytes]:
        if self._delimiter is None:
            if not text.strip("\n"):
                self._line += text.count("\n")
                return []
            self._delimiter = _sniff(text)
        raw = text.split("\n")
        # newline="\n" keeps the newlines inside quotes, and ends lines nowhere else. strict, so that a quote which
        # was never closed is an error and not one giant cell.
        reader = csv.reader(StringIO(text, newline="\n"), delimiter=self._delimiter, strict=True)
        lines: list[bytes] = []
        done = 0  # lines of `raw` that belong to finished rows
        while True:
            try:
                for cells in reader:
                    if self._columns:
                        line = self._json(cells)
                        lines.append(_rejected(raw[done : reader.line_num]) if line is None else line)
                    elif any(cells):
                        self._header(cells)
                    else:
                        self._line += 1
                    done = reader.line_num
                return lines
            except csv.Error as error:
                if reader.line_num == len(raw) - 1 and not last:
                    # Perhaps only cut by the end of the block: try again with more, unless it is hopelessly long.
                    rest = "".join(f"{line}\n" for line in raw[done:-1])
                    if len(rest) <= self._max_row_bytes:
                        self._carry = rest
                        return lines
                if not self._columns:
                    raise SourceError(self._name, f"its header is no CSV: {error}") from error
                lines.append(_rejected(raw[done : reader.line_num]))
                done = reader.line_num

    def _header(self, cells: list[str]) -> None:
        columns = [cell.strip() for cell in cells]
        for index, column in enumerate(columns):
            if column and column in columns[:index]:
                raise SourceError(self._name, f"its header has two columns named {column!r}")
            if not column.isascii() and any("\udc80" <= char <= "\udcff" for char in column):
                raise SourceError(self._name, "its header is not UTF-8; save the file as UTF-8")
        self._columns = columns
        self._converters = [
            (index, convert)
            for index, column in enumerate(columns)
            if (type_ := self._types.get(column)) and (convert := _CONVERTERS.get(type_.kind))
        ]
        self._line += 1

    def _json(self, cells: list[str]) -> bytes | None:
        """One row as JSON, a blank row as a blank line, None for a row to reject."""
        if not cells:
            return b""
        missing = len(self._columns) - len(cells)
        if missing < 0:
            return None
        values: list[Any] = [cell or None for cell in cells]
        if missing:
            values += [None] * missing
        for index, convert in self._converters:
            if values[index] is not None:
                values[index] = convert(values[index])
        row = dict(zip(self._columns, values, strict=True))
        row.pop("", None)
        try:
            return self._encode(row)
        except UnicodeEncodeError:  # a byte that is not UTF-8, smuggled through as a lone surrogate
            return None


def _sniff(text: str) -> str:
    header = text.lstrip("\n").partition("\n")[0]
    if "," in header:
        return ","
    return next((delimiter for delimiter in (";", "\t") if delimiter in header), ",")


def _rejected(row: list[str]) -> bytes:
    """The text of a row on one line, such that no decoder takes it for an event."""
    raw = " ".join(row).encode("utf-8", "surrogateescape")
    if raw.lstrip().startswith(b"{"):  # JSON in a file named .csv: as a string it is still no event
        return msgspec.json.encode(raw.decode("utf-8", "replace"))
    return raw
