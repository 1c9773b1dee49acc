"""Entries in blocks: a header, the key, and what the codec made of the session.

An entry lies in one run of blocks where there is a run long enough, else in several: its first one lists the others.
It stays where it is as long as it fits, so that an event that changes a session rewrites it in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from mmap import mmap
from struct import Struct

from runtime.cache.pages import HEAD, Pages

_HEADER = Struct("<IIHHIH")  # bytes of payload and key, table and flag, blocks of the run, second and wheel
_SIZES = Struct("<IIHH")
_LENGTH = Struct("<I")
_BLOCKS = Struct("<H")
_BLOCKS_AT = 10
_sizes_of = _SIZES.unpack_from
_PLACE = Struct("<IH")
_LINK = Struct("<IH")  # the next run and its blocks, zeros at the end
_PLACE_AT = _SIZES.size
HEADER_BYTES = _HEADER.size
"""What an entry takes beside its key and its payload."""
_IN_PARTS = 0x8000
_LOWER = 0xFFFF_FFFF


def stored_key(key: str) -> bytes:
    """A key as entries have it. Rules may make keys of half a surrogate pair, from `fromJson`."""
    try:
        return key.encode()
    except UnicodeEncodeError:
        return key.encode("utf-8", "surrogatepass")


def read_key(stored: bytes) -> str:
    """The key that `stored_key` had."""
    return stored.decode("utf-8", "surrogatepass")


class NoRoom(Exception):
    """There are not enough free blocks. `ever` False: there would not be if all were free."""

    def __init__(self, needed_bytes: int, *, ever: bool) -> None:
        super().__init__(f"{needed_bytes:,} bytes")
        self.needed_bytes = needed_bytes
        self.ever = ever


class Entries:
    """What is stored in `pages`, by the number of its first block."""

    def __init__(self, pages: Pages) -> None:
        self.largest_bytes = 0
        """The largest entry so far, header and key included."""
        self.use(pages)

    def use(self, pages: Pages) -> None:
        """Goes on with other pages."""
        self.pages = pages
        self._memory = pages.memory
        self._block_size = pages.block_size

    def read(self, block: int) -> tuple[bytes, bytes]:
        """Key and payload."""
        memory = self._memory
        offset = block * self._block_size
        length, key_length, table, _ = _sizes_of(memory, offset)
        if table >= _IN_PARTS:
            body = self._in_parts(block)
            return body[:key_length], body[key_length:]
        offset += HEADER_BYTES
        middle = offset + key_length
        return memory[offset:middle], memory[middle : middle + length]

    def owner(self, block: int) -> tuple[int, bytes]:
        """The number of its table, and the key."""
        memory = self._memory
        offset = block * self._block_size
        _, key_length, table, _ = _SIZES.unpack_from(memory, offset)
        if table & _IN_PARTS:
            return table & ~_IN_PARTS, self._in_parts(block)[:key_length]
        start = offset + _HEADER.size
        return table, memory[start : start + key_length]

    def owners(self) -> Iterator[tuple[int, int, bytes]]:
        """Of each entry its block, the number of its table, and its key."""
        memory, block_size, skipped = self._memory, self._block_size, _HEADER.size
        unpack = _SIZES.unpack_from
        for number in range(self.pages.reserved_pages):
            for block in self.pages.heads(number):
                offset = block * block_size
                _, key_length, table, _ = unpack(memory, offset)
                if table & _IN_PARTS:
                    yield block, table & ~_IN_PARTS, self._in_parts(block)[:key_length]
                else:
                    offset += skipped
                    yield block, table, memory[offset : offset + key_length]

    def table(self, block: int) -> int:
        """The number of its table."""
        table: int = _SIZES.unpack_from(self._memory, block * self._block_size)[2]
        return table & ~_IN_PARTS

    def stands_in(self, block: int, wheel: int, second: int) -> bool:
        """True when an entry begins at a block, and this is its place: in a wheel, and the second modulo 2**32."""
        if self.pages.map[block] != HEAD:
            return False
        return _PLACE.unpack_from(self._memory, block * self._block_size + _PLACE_AT) == (
            second & _LOWER,
            wheel,
        )

    def move(self, block: int, wheel: int, second: int) -> None:
        """Notes another place."""
        _PLACE.pack_into(self._memory, block * self._block_size + _PLACE_AT, second & _LOWER, wheel)

    def wheel(self, block: int) -> int:
        """The number of the wheel that it stands in."""
        wheel: int = _PLACE.unpack_from(self._memory, block * self._block_size + _PLACE_AT)[1]
        return wheel

    def add(self, table: int, wheel: int, second: int, key: bytes, payload: bytes | bytearray) -> int:
        """Stores an entry; its block. Raises NoRoom."""
        size = _HEADER.size + len(key) + len(payload)
        if size > self.largest_bytes:
            self.largest_bytes = size
        needed = -(-size // self._block_size)
        block = self.pages.take(needed)
        if block is None:
            return self._add_in_parts(table, wheel, second, key, payload)
        memory = self._memory
        offset = block * self._block_size
        _HEADER.pack_into(memory, offset, len(payload), len(key), table, needed, second & _LOWER, wheel)
        memory[offset + _HEADER.size : offset + size] = key + payload
        return block

    def change(self, block: int, payload: bytes | bytearray) -> int:
        """Gives an entry another payload; its block, which is another one when it had to move.

        Raises NoRoom; the entry is then as it was.
        """
        memory = self._memory
        offset = block * self._block_size
        before, key_length, table, has = _sizes_of(memory, offset)
        length = len(payload)
        size = HEADER_BYTES + key_length + length
        if size > has * self._block_size or table >= _IN_PARTS:
            return self._moved(block, size, payload)
        if length != before:
            _LENGTH.pack_into(memory, offset, length)
            if length < before:
                self._give_back_rest(block, has, size)
            elif size > self.largest_bytes:
                self.largest_bytes = size
        end = offset + size
        memory[end - length : end] = payload
        return block

    def _give_back_rest(self, block: int, has: int, size: int) -> None:
        """Frees what an entry has left, when that is half of what it had."""
        needed = -(-size // self._block_size)
        if needed * 2 <= has:
            self.pages.give_back(block + needed, has - needed)
            memory, offset = self._at(block)
            _BLOCKS.pack_into(memory, offset + _BLOCKS_AT, needed)

    def _moved(self, block: int, size: int, payload: bytes | bytearray) -> int:
        """Writes an entry that has outgrown its run, or lies in several, anew."""
        memory, offset = self._at(block)
        table, key = self.owner(block)
        second, wheel = _PLACE.unpack_from(memory, offset + _PLACE_AT)
        try:
            moved = self.add(table, wheel, second, key, payload)
        except NoRoom:
            runs = self._runs(block)
            if not self._fits(size, sum(length for _, length in runs)):
                raise
            # Its own blocks and those that are free are enough.
            self.remove(block)
            return self.add(table, wheel, second, key, payload)
        self.remove(block)
        return moved

    def remove(self, block: int) -> None:
        """Frees the blocks of an entry."""
        _, _, table, has = _SIZES.unpack_from(self._memory, block * self._block_size)
        if table & _IN_PARTS:
            for start, length in self._runs(block):
                self.pages.give_back(start, length)
        else:
            self.pages.give_back(block, has)

    # ---- entries in several runs: after the header, and at the start of each further run, stands where the next one is

    def _fits(self, size: int, more_blocks: int = 0) -> bool:
        """True when an entry fits even if all runs are of one block."""
        needed = -(-size // (self._block_size - _LINK.size))
        return needed <= self.pages.free_blocks + more_blocks

    def _add_in_parts(self, table: int, wheel: int, second: int, key: bytes, payload: bytes | bytearray) -> int:
        """Writes to whatever runs there are."""
        pages = self.pages
        size = _HEADER.size + len(key) + len(payload)
        if not self._fits(size):
            raise NoRoom(size, ever=self._fits(size, pages.used_blocks))
        runs: list[tuple[int, int]] = []
        room = 0
        while room < size:
            found = pages.take_some(-(-(size - room) // (self._block_size - _LINK.size)))
            assert found is not None, "as many blocks are free as it needs at most"
            if runs:
                pages.join(found[0])
            runs.append(found)
            room += found[1] * self._block_size - _LINK.size
        rest = key + payload
        head = _HEADER.pack(len(payload), len(key), table | _IN_PARTS, runs[0][1], second & _LOWER, wheel)
        for (start, length), following in zip(runs, [*runs[1:], (0, 0)], strict=True):
            memory, offset = self._at(start)
            head += _LINK.pack(*following)
            part = rest[: length * self._block_size - len(head)]
            memory[offset : offset + len(head) + len(part)] = head + part
            rest, head = rest[len(part) :], b""
        return runs[0][0]

    def _runs(self, block: int) -> list[tuple[int, int]]:
        """The runs of an entry, with their lengths."""
        memory, offset = self._at(block)
        _, _, table, has = _SIZES.unpack_from(memory, offset)
        runs = [(block, has)]
        offset += _HEADER.size
        while table & _IN_PARTS:
            following = _LINK.unpack_from(memory, offset)
            if not following[0]:
                break
            runs.append(following)
            memory, offset = self._at(following[0])
        return runs

    def _in_parts(self, block: int) -> bytes:
        """Key and payload of an entry in several runs."""
        memory, offset = self._at(block)
        length, key_length, _, _ = _SIZES.unpack_from(memory, offset)
        parts = []
        skipped = _HEADER.size + _LINK.size
        for start, blocks in self._runs(block):
            memory, offset = self._at(start)
            parts.append(memory[offset + skipped : offset + blocks * self._block_size])
            skipped = _LINK.size
        return b"".join(parts)[: key_length + length]

    def _at(self, block: int) -> tuple[mmap, int]:
        return self._memory, block * self._block_size
