"""Parquet files, read a batch of rows at a time: the columns that rules read, and all where rows are written.

A row that is refused is wanted whole, so that its dead letter can be replayed; its columns are then read once more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from epl.types import Type
from runtime.event import EventDecoder
from runtime.io import SourceError
from runtime.parquet.batches import Batch, RowMaker
from runtime.parquet.columns import ColumnReader, Columns

_MAGIC = b"PAR1"
_READ_ROWS = 65_536
"""Rows that are unpacked at a time: each time the dictionaries of a row group are made anew."""
_READ_BYTES = 32 << 20
_BATCH_ROWS = 8192
"""Rows that are made values at a time: Job S: 2,048 take 0.8 µs an event more, 16,384 as long."""
_DICTIONARIES = {"RLE_DICTIONARY", "PLAIN_DICTIONARY"}


@dataclass(frozen=True, slots=True)
class RowBlock:
    """A batch of rows. `first_row` counts from 1; `read_bytes` of `total_bytes` are behind it, by its share of rows."""

    rows: Batch
    first_row: int
    read_bytes: int
    total_bytes: int


def read_rows(name: str, decoder: EventDecoder, types: Mapping[str, Type], *, wants_lines: bool) -> Iterator[RowBlock]:
    """The rows of a file with the events that a decoder would make of them. Raises SourceError.

    `types` says what the fields of a name are declared as. `wants_lines`: most rows will be written as lines.
    """
    maker = RowMaker(decoder)
    with _opened(name) as file:
        table = _Table(name, file, types)
        wanted = table.names if wants_lines else [each for each in table.names if each in maker.fields]
        for group, start, record in table.records(wanted):
            columns = table.columns(record)
            again = partial(table.whole, columns) if wants_lines else partial(table.whole_again, group, start, record)
            rows = Batch(maker.events(columns, record.num_rows), record.num_rows, again)
            yield table.block(rows)


def read_lines(name: str, types: Mapping[str, Type]) -> Iterator[tuple[list[bytes], RowBlock]]:
    """The rows of a file as lines of JSON, for who knows only when it sees them what to make of them."""
    with _opened(name) as file:
        table = _Table(name, file, types)
        for _, _, record in table.records(table.names):
            rows = Batch(iter(()), record.num_rows, partial(table.whole, table.columns(record)))
            block = table.block(rows)
            yield [rows.line(place) for place in range(len(rows))], block


class _Table:
    """An open file, read from start to end."""

    def __init__(self, name: str, file: Any, types: Mapping[str, Type]) -> None:
        self._name = name
        self._file = file
        self._metadata = file.metadata
        self.names: list[str] = file.schema_arrow.names
        for place, column in enumerate(self.names):
            if column in self.names[:place]:
                raise SourceError(name, f"it has two columns named {column!r}")
        self._readers = {column: ColumnReader(types.get(column)) for column in self.names}
        self._again = {column: ColumnReader(types.get(column)) for column in self.names}
        self._row_class = self._class_of_rows()
        self._size = os.path.getsize(name)
        self._rows = 0
        self._group: tuple[int, Any] = (-1, None)

    def records(self, names: Sequence[str]) -> Iterator[tuple[int, int, Any]]:
        """Batches of Arrow: the row group, the place in it, the columns of these names."""
        for group in range(self._metadata.num_row_groups):
            start = 0
            for record in self._file.iter_batches(
                self._batch_rows(group), row_groups=[group], columns=list(names), use_threads=False
            ):
                for place in range(0, record.num_rows, _BATCH_ROWS):
                    part = record.slice(place, _BATCH_ROWS)
                    yield group, start, part
                    start += part.num_rows

    def block(self, rows: Batch) -> RowBlock:
        """The next rows, with their place in the file."""
        first = self._rows + 1
        self._rows += len(rows)
        return RowBlock(rows, first, self._size * self._rows // max(self._metadata.num_rows, 1), self._size)

    def columns(self, record: Any) -> Columns:
        """The values of a batch of Arrow."""
        return _columns(record, self._readers)

    def whole(self, columns: Columns) -> Sequence[Any]:
        """Objects whose JSON is that of the rows."""
        return list(map(self._row_class, *(columns[name].values for name in self.names)))

    def whole_again(self, group: int, start: int, record: Any) -> Sequence[Any]:
        """The same of rows of which not all columns were read."""
        if self._group[0] != group:
            with _told(self._name):
                self._group = (group, self._file.read_row_group(group, use_threads=False))
        part = self._group[1].slice(start, record.num_rows).combine_chunks()
        return self.whole(_columns(part, self._again))

    def _batch_rows(self, group: int) -> int:
        of_group = self._metadata.row_group(group)
        row_bytes = of_group.total_byte_size // max(of_group.num_rows, 1)
        return max(1, min(_READ_ROWS, _READ_BYTES // max(int(row_bytes), 1)))

    def _class_of_rows(self) -> type[Any]:
        slots = [f"c{place}" for place in range(len(self.names))]
        try:
            return msgspec.defstruct(
                "Row",
                [(slot, Any, None) for slot in slots],
                rename=dict(zip(slots, self.names, strict=True)),
                omit_defaults=True,
                gc=False,
            )
        except ValueError as error:
            raise SourceError(self._name, "it has a column whose name has quotes, \\ or control characters") from error


def _columns(record: Any, readers: Mapping[str, ColumnReader]) -> Columns:
    found = {}
    for name in record.schema.names:
        column = record.column(name)
        if isinstance(column, pa.ChunkedArray):
            column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        found[name] = readers[name].read(column)
    return found


@contextmanager
def _opened(name: str) -> Iterator[Any]:
    """A Parquet file. Within, whatever is wrong with it becomes a SourceError."""
    with _told(name):
        shared = _by_dictionary(pq.read_metadata(name))
        with pq.ParquetFile(name, read_dictionary=shared) as file:
            yield file


def _by_dictionary(metadata: Any) -> list[str]:
    """The columns of text whose values the file has once each."""
    if not metadata.num_row_groups:
        return []
    group = metadata.row_group(0)
    columns = (group.column(place) for place in range(group.num_columns))
    return [
        column.path_in_schema
        for column in columns
        if column.physical_type == "BYTE_ARRAY"
        and "." not in column.path_in_schema
        and not _DICTIONARIES.isdisjoint(column.encodings)
    ]


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        with open(name, "rb") as file:
            file.seek(-min(len(_MAGIC), os.path.getsize(name)), os.SEEK_END)
            is_whole = file.read() == _MAGIC
        why = str(error).partition("\n")[0]
        told = f"its Parquet data is damaged: {why}" if is_whole else "its Parquet data is cut off: the end is missing"
        raise SourceError(name, told) from error
