"""Sources of events read block by block, for an engine: lines as they are, rows of Parquet as rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType

from epl.types import Type
from runtime.engine import Engine
from runtime.io import OnLongLine, SourceError, is_parquet, open_source
from runtime.row import Lines
from runtime.rules import TenantRules

OnProgress = Callable[[str, int, int | None], None]
"""Called after each block with the file's name, the bytes read of it, and its size where known."""

BLOCK_BYTES = 64 * 1024
"""The lines of a block stay in the processor's cache from reading to writing: 256 KiB costs 0.2 µs an event more."""


def read_events(
    name: str, engine: Engine, on_long_line: OnLongLine, on_progress: OnProgress | None, *, wants_events: bool
) -> Iterator[tuple[Lines, int]]:
    """The lines or rows of a source block by block for an engine, and the number of the first. Raises SourceError.

    `wants_events` says whether events leave, so that all of a row is wanted.
    """
    types = field_types([engine.rules])
    if is_parquet(name) and engine.decoder.classes:
        for block in _parquet(name).read_rows(name, engine.take_rows(), types, wants_lines=wants_events):
            yield block.rows, block.first_row
            if on_progress is not None:
                on_progress(name, block.read_bytes, block.total_bytes)
        return
    yield from read_blocks(name, types, engine.rules.config.limits.max_line_bytes, on_long_line, on_progress)


def _parquet(name: str) -> ModuleType:
    """The reader of Parquet files, whose library is an extra. Raises SourceError."""
    try:
        import runtime.parquet
    except ImportError as error:
        raise SourceError(name, "Parquet needs the package pyarrow: pip install 'sojourn[parquet]'") from error
    return runtime.parquet


def read_blocks(
    name: str, types: Mapping[str, Type], max_line_bytes: int, on_long_line: OnLongLine, on_progress: OnProgress | None
) -> Iterator[tuple[list[bytes], int]]:
    """The lines of a source block by block, and the number of the first; rows as lines. Raises SourceError."""
    if is_parquet(name):
        for rows, block in _parquet(name).read_lines(name, types):
            yield rows, block.first_row
            if on_progress is not None:
                on_progress(name, block.read_bytes, block.total_bytes)
        return
    with open_source(
        name, field_types=types, max_line_bytes=max_line_bytes, chunk_bytes=BLOCK_BYTES, on_long_line=on_long_line
    ) as source:
        for block in source:
            yield block.lines, block.first_line
            if on_progress is not None:
                on_progress(source.name, block.read_bytes, source.total_bytes)


def field_types(tenants: Sequence[TenantRules]) -> dict[str, Type]:
    """The types of all fields by name, for sources that carry text only (CSV).

    A field of which two types are declared has none: its cells stay text.
    """
    found: dict[str, Type] = {}
    torn = set()
    for rules in tenants:
        for event_type in rules.event_types.values():
            for name, type_ in event_type.fields.items():
                if found.setdefault(name, type_) != type_ and len(tenants) > 1:
                    torn.add(name)
                found[name] = type_
    return {name: type_ for name, type_ in found.items() if name not in torn}
