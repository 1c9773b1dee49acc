"""A cache as frames of a file: its pages as they are in memory, and the sessions that are objects.

Pages go to the file and come back as they are, so both take as long as copying; only the index is made anew, since
hashes of strings differ from process to process. A cache with other sizes of blocks or pages, or with less memory,
takes the entries one by one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from runtime.cache.cache import Cache
from runtime.cache.entries import Entries, read_key, stored_key
from runtime.cache.pages import Pages
from runtime.cache.shapes import Shape
from runtime.frames import FrameWriter

HEADER, OBJECTS, MAP, ROOM, PAGE, WHEEL = b"c", b"o", b"m", b"r", b"p", b"w"
CACHE_FRAMES = (HEADER, OBJECTS, MAP, ROOM, PAGE, WHEEL)
_OBJECTS_A_FRAME = 4096


class TableHeader(msgspec.Struct, frozen=True):
    """A table: the name of its profile, how many sessions, and the shapes of their rows by version."""

    profile: str
    sessions: int
    shapes: dict[int, Shape]


class CacheHeader(msgspec.Struct, frozen=True):
    """What a cache was like. Sizes in bytes."""

    block_size: int
    page_size: int
    pages: int
    used_bytes: int
    largest_bytes: int
    tables: tuple[TableHeader, ...]


class Object(msgspec.Struct, frozen=True, array_like=True):
    """A session that is an object: its table, its wheel, its block (0 for none), its key, and what its codec made.

    `spared_ms` decides when it goes to pages.
    """

    table: int
    wheel: int
    block: int
    key: bytes
    payload: bytes
    spared_ms: int


class _Wheel(msgspec.Struct, frozen=True, array_like=True):
    """The blocks that stand in each second of a wheel, four bytes each."""

    seconds: list[tuple[int, bytes]]


_encode = msgspec.msgpack.Encoder().encode
_read_header = msgspec.msgpack.Decoder(CacheHeader).decode
_read_objects = msgspec.msgpack.Decoder(list[Object]).decode
_read_room = msgspec.msgpack.Decoder(dict[str, Any]).decode
_read_wheel = msgspec.msgpack.Decoder(_Wheel).decode


def write_cache(cache: Cache, profiles: Sequence[str], writer: FrameWriter) -> None:
    """Writes all of a cache; `profiles` are the names of those whose tables these are. Raises OSError."""
    pages = cache.pages
    header = CacheHeader(
        pages.block_size,
        pages.page_size,
        pages.reserved_pages,
        pages.used_bytes,
        cache.entries.largest_bytes,
        tuple(
            TableHeader(name, len(table), table.codec.shapes)
            for name, table in zip(profiles, cache.tables, strict=True)
        ),
    )
    writer.write(HEADER, _encode(header))
    waiting: list[Object] = []
    for each in _objects(cache):
        waiting.append(each)
        if len(waiting) == _OBJECTS_A_FRAME:
            writer.write(OBJECTS, _encode(waiting))
            waiting.clear()
    writer.write(OBJECTS, _encode(waiting))
    writer.write(MAP, pages.map)
    writer.write(ROOM, _encode(pages.room_state()))
    for page in range(pages.reserved_pages):
        with pages.image(page) as image:
            writer.write(PAGE, image)
    for wheel in cache.wheels:
        seconds = [(second, slot.blocks.tobytes()) for second, slot in wheel.slots.items() if slot.blocks]
        writer.write(WHEEL, _encode(_Wheel(seconds)))


def _objects(cache: Cache) -> Iterator[Object]:
    for table in cache.tables:
        for session in table.objects():
            payload = table.codec.encode(session)
            yield Object(
                table.number,
                cache.wheel_of(session),
                session.block,
                stored_key(session.key),
                payload,
                session.spared_ms,
            )


class CacheImage:
    """The frames of a cache, taken in their order, before anything is made of them."""

    header: CacheHeader
    pages: Pages

    def __init__(self) -> None:
        self.objects: list[Object] = []
        self._wheels: list[_Wheel] = []

    def take(self, kind: bytes, data: bytes) -> None:
        """One frame. Raises msgspec.MsgspecError when it is not what its kind says."""
        if kind == HEADER:
            self.header = _read_header(data)
            self.pages = self._pages_of(self.header)
        elif kind == OBJECTS:
            self.objects += _read_objects(data)
        elif kind == MAP:
            self.pages.adopt(data)
        elif kind == ROOM:
            self.pages.go_on_from(_read_room(data))
        elif kind == PAGE:
            self.pages.adopt_page(data)
        else:
            self._wheels.append(_read_wheel(data))

    def _pages_of(self, header: CacheHeader) -> Pages:
        """Where the pages go."""
        return Pages(header.block_size, header.page_size, header.pages * header.page_size)

    def entries(self) -> Iterator[tuple[int, int, bytes, bytes]]:
        """Of each entry its block, its table, its key and its payload; not of those whose session is an object."""
        stored = Entries(self.pages)
        out_of_date = {each.block for each in self.objects}
        for block, table, key in stored.owners():
            if block not in out_of_date:
                yield block, table, key, stored.read(block)[1]


class CacheReader(CacheImage):
    """Fills a cache from the frames of a file. The cache is empty, and has all its wheels.

    `profiles` are the names of those whose tables the cache has; what was of another profile is passed over.
    """

    def __init__(self, cache: Cache, profiles: Sequence[str]) -> None:
        super().__init__()
        self.dropped = 0
        """Sessions of profiles that there are no longer."""
        self._cache = cache
        self._profiles = profiles

    def _pages_of(self, header: CacheHeader) -> Pages:
        """The cache's own, if what is in the file may stay as it is."""
        cache = self._cache
        self._tables = [
            self._profiles.index(table.profile) if table.profile in self._profiles else None for table in header.tables
        ]
        for number, table in zip(self._tables, header.tables, strict=True):
            if number is not None:
                cache.tables[number].codec = cache.tables[number].codec.after(table.shapes)
        own = cache.pages
        self._is_same = (
            (own.block_size, own.page_size) == (header.block_size, header.page_size)
            and own.most_pages >= header.pages
            and self._tables == list(range(len(self._tables)))
        )
        if not self._is_same:
            return super()._pages_of(header)
        cache.entries.largest_bytes = header.largest_bytes
        return own

    def end(self) -> None:
        """Puts everything in its place, once all frames have been taken."""
        if self._is_same:
            self._index()
        else:
            self._move()
        for each in self.objects:
            number = self._tables[each.table]
            if number is None:
                self.dropped += 1
                continue
            table = self._cache.tables[number]
            session = table.codec.decode(read_key(each.key), each.payload)
            if self._is_same and each.block:
                table.take_back(session, each.block)
            else:
                table.put(session)
                self._cache.wheels[each.wheel].schedule(session, session.due_ms)
            session.spared_ms = each.spared_ms

    def _index(self) -> None:
        """The pages are as they were: only the index is missing."""
        cache = self._cache
        hashes, blocks = [array("q") for _ in cache.tables], [array("I") for _ in cache.tables]
        for block, number, key in cache.entries.owners():
            hashes[number].append(hash(read_key(key)))
            blocks[number].append(block)
        for table in cache.tables:
            if blocks[table.number]:
                table.adopt(hashes[table.number], blocks[table.number])
        for wheel, theirs in zip(cache.wheels, self._wheels, strict=True):
            for second, standing in theirs.seconds:
                wheel.adopt(second, standing)

    def _move(self) -> None:
        """Takes the entries one by one, to other blocks: as objects, which go where there is room."""
        wheel_of = Entries(self.pages).wheel
        for block, old, key, payload in self.entries():
            number = self._tables[old]
            if number is None:
                self.dropped += 1
                continue
            table = self._cache.tables[number]
            session = table.codec.decode(read_key(key), payload)
            table.put(session)
            self._cache.wheels[wheel_of(block)].schedule(session, session.due_ms)
            table.settle()
