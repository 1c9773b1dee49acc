"""Parquet files of a chunk of lines: all of them there, or none, also when the process dies in between.

They are written under other names, then a note says what they are to be called and up to which line they go, then they
are renamed. Whoever finds the note does what is left of it, so each line is in exactly one file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from runtime.disk import sync
from runtime.service.columns import OTHERS, ColumnKind, Tables, all_columns

_TYPES = {
    ColumnKind.TEXT: pa.string(),
    ColumnKind.WHOLE: pa.int64(),
    ColumnKind.FRACTION: pa.float64(),
    ColumnKind.SWITCH: pa.bool_(),
    ColumnKind.TIME: pa.timestamp("ms", tz="UTC"),
    ColumnKind.JSON: pa.string(),
}
_OTHER = pa.schema([("line", pa.string())])
_NOTE = ".written"
_ROWS_AT_ONCE = 5_000
"""Rows that become columns in one go, while no other thread has a turn."""


class Note(msgspec.Struct):
    """What was written last: lines before `end`, and the files by the names that they have and are to have."""

    end: int = 0
    files: list[tuple[str, str]] = []


class ParquetFiles:
    """The files of one tenant below a folder: `TABLE/day=YYYY-MM-DD/TIME-NUMBER.parquet`.

    Raises OSError as the disk does.
    """

    def __init__(self, folder: Path, tables: Tables) -> None:
        self._folder = folder
        self._tables = tables
        self._decode = msgspec.json.Decoder(dict[str, Any]).decode
        self._schemas = {
            name: pa.schema([(column, _TYPES[kind]) for column, kind in all_columns(columns)])
            for name, columns in tables.columns.items()
        }

    def finish(self) -> int:
        """Does what a run before left undone; the number behind the last line that is in a file."""
        try:
            note = msgspec.json.decode((self._folder / _NOTE).read_bytes(), type=Note)
        except FileNotFoundError:
            note = Note()
        self._rename(note)
        for left in self._folder.glob("*.part"):
            left.unlink()
        return note.end

    def write(self, lines: Sequence[bytes], end: int) -> None:
        """Writes lines; with them all before number `end` are written."""
        self._folder.mkdir(parents=True, exist_ok=True)
        now_ms = time.time_ns() // 1_000_000
        stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]
        note = Note(end)
        for place, ((table, day), rows) in enumerate(self._rows(lines, now_ms).items()):
            part = self._folder / f"{place}.part"
            schema = self._schemas.get(table, _OTHER)
            pq.write_table(_table(rows, schema), part, compression="zstd")
            sync(part)
            label = "day" if "day" not in schema.names else "_day"
            name = f"{stamp}Z-{end:012d}.parquet"
            note.files.append((part.name, f"{quote(table, safe=' ')}/{label}={day}/{name}"))
        new = self._folder / f"{_NOTE}.new"
        new.write_bytes(msgspec.json.encode(note))
        sync(new)
        os.replace(new, self._folder / _NOTE)
        sync(self._folder)
        self._rename(note)

    def _rows(self, lines: Sequence[bytes], now_ms: int) -> Mapping[tuple[str, str], list[dict[str, Any]]]:
        """Rows by table and day: of markers the day on which their session began, of events today."""
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        today = _day_of(now_ms)
        for line in lines:
            try:
                fields = self._decode(line)
                table = self._tables.table_of(fields)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                # An event may be unreadable where no rule reads it.
                fields, table = {}, None
            if table is not None:
                row = self._tables.row(table, fields)
                began_ms = row.get(self._tables.times.get(table, ""))
                day = today if began_ms is None else _day_of(began_ms)
                found.setdefault((table, day), []).append(row)
            else:
                found.setdefault((OTHERS, today), []).append({"line": line.decode("utf-8", "backslashreplace")})
        return found

    def _rename(self, note: Note) -> None:
        for part, name in note.files:
            target = self._folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.rename(self._folder / part, target)
            except FileNotFoundError:
                continue  # it was done before


def _table(rows: list[dict[str, Any]], schema: Any) -> Any:
    pieces = range(0, len(rows), _ROWS_AT_ONCE)
    return pa.concat_tables(pa.Table.from_pylist(rows[at : at + _ROWS_AT_ONCE], schema=schema) for at in pieces)


def _day_of(time_ms: int) -> str:
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d")
    except (OverflowError, ValueError, OSError):
        return "unknown"
