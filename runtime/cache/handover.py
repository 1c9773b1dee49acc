"""A cache that goes on with the sessions of another, in the same process, under other rules.

Where the pages may stay as they are they only change hands, and each row is read by the new rules when it is touched
next: that takes no longer for a million sessions than for a thousand. Objects are made anew, so there should be few of
them (`SessionTable.cool`). Where sizes of blocks or pages differ, or the profiles are others, all go one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runtime.cache.cache import Cache
from runtime.cache.table import SessionTable
from runtime.cache.wheel import NOWHERE_MS


def hand_over(old: Cache, new: Cache, tables: Sequence[int | None], *, copied: bool) -> int:
    """Fills an empty cache that has all its wheels; how many sessions were of profiles that there are no longer.

    `tables` has the number of the new table for each of the old ones. `copied`: the old cache goes on as well. It is as
    it was until the new one is used.
    """
    for number, table in zip(tables, old.tables, strict=True):
        if number is not None:
            new.tables[number].codec = new.tables[number].codec.after(table.codec.shapes)
    if _may_stay(old, new, tables):
        _adopt(old, new, copied)
        return 0
    dropped = 0
    for number, table in zip(tables, old.tables, strict=True):
        if number is None:
            dropped += len(table)
        else:
            _move(old, table, new, new.tables[number])
    return dropped


def _may_stay(old: Cache, new: Cache, tables: Sequence[int | None]) -> bool:
    mine, theirs = new.pages, old.pages
    return (
        (mine.block_size, mine.page_size) == (theirs.block_size, theirs.page_size)
        and mine.most_pages >= theirs.reserved_pages
        and list(tables) == list(range(len(tables)))
    )


def _adopt(old: Cache, new: Cache, copied: bool) -> None:
    pages = old.pages.copy() if copied else old.pages
    pages.most_pages = new.pages.most_pages
    new.pages = pages
    new.entries.use(pages)
    new.entries.largest_bytes = old.entries.largest_bytes
    for wheel, theirs in zip(new.wheels, old.wheels, strict=True):
        for second, slot in theirs.slots.items():
            if slot.blocks:
                wheel.adopt(second, slot.blocks.tobytes())
    for table, older in zip(new.tables, old.tables, strict=False):
        table.adopt_index(older, copied=copied)
        for session in older.objects():
            made = table.codec.decode(session.key, older.codec.encode(session))
            if session.block:
                table.take_back(made, session.block)
            else:
                table.put(made)
            if session.slot is not None and made.due_ms != NOWHERE_MS:
                new.wheels[session.slot.wheel].schedule(made, made.due_ms)


def sessions_of(cache: Cache, table: SessionTable) -> Iterator[tuple[str, bytes, int]]:
    """All sessions of a table, each by its key, what its codec or one before it has made of it, and its wheel."""
    for session in list(table.objects()):
        yield session.key, table.codec.encode(session), cache.wheel_of(session)
    for block, key, payload in table.entries():
        yield key, payload, cache.entries.wheel(block)


def _move(old: Cache, older: SessionTable, new: Cache, table: SessionTable) -> None:
    for key, payload, wheel in sessions_of(old, older):
        made = table.codec.decode(key, payload)
        table.put(made)
        if made.due_ms != NOWHERE_MS:
            new.wheels[wheel].schedule(made, made.due_ms)
        table.settle()
