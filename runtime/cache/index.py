"""From the hash of a key to the block of its entry, without a Python object for either.

Extendible hashing: a directory of segments, each an array of 8-byte words that hold 32 bits of the hash and the number
of a block. A segment that fills up doubles; one that is as large as any is split in two by one more bit of the hash. So
the index grows a piece at a time, and none of its steps is longer than about a millisecond, however many there are.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

_SMALLEST, _LARGEST = 64, 4096
_FEWEST = 16
"""Entries a place of the directory: where hashes are spread there are a thousand and more when a segment fills up."""
_HASH_BITS = 32
_BLOCKS = 1 << 32
"""A word is `hash << 32 | block`; 0 is an empty place, since no entry is at block 0."""
_LOWER = _BLOCKS - 1


class Index:
    """Blocks by hash. Several may have the same hash: whoever asks knows the right one by its key.

    Hashes count by their lower 32 bits. Segments are laid out for `capacity` entries; it grows beyond.
    """

    def __init__(self, capacity: int = 0) -> None:
        self._bits = (capacity // _LARGEST).bit_length()
        self._segments = [_Segment(self._bits) for _ in range(1 << self._bits)]
        self._size = 0
        self._shift = _HASH_BITS - self._bits
        self._words = [segment.words for segment in self._segments]
        """What `find` needs of the segments, by the upper bits of a hash."""

    def __len__(self) -> int:
        return self._size

    def find(self, hashed: int) -> int:
        """The block of an entry with this hash, 0 when there is none. There may be others, which `all` tells."""
        hashed &= _LOWER
        words = self._words[hashed >> self._shift]
        last = len(words) - 1
        place = hashed & last
        wanted = hashed << 32
        while (block := words[place] ^ wanted) >= _BLOCKS:
            if block == wanted:
                return 0  # the place is empty, as it may be for the hash 0 above
            place = place + 1 & last
        return block

    def all(self, hashed: int) -> list[int]:
        """The blocks of all entries with this hash."""
        hashed &= _LOWER
        words = self._words[hashed >> self._shift]
        last = len(words) - 1
        place = hashed & last
        found = []
        while word := words[place]:
            if word >> 32 == hashed:
                found.append(word & _LOWER)
            place = place + 1 & last
        return found

    def copy(self) -> Index:
        """Another one with the same entries."""
        made = Index()
        copies = {id(segment): segment.copy() for segment in self._segments}
        made._segments = [copies[id(segment)] for segment in self._segments]
        made._words = [segment.words for segment in made._segments]
        made._bits, made._shift, made._size = self._bits, self._shift, self._size
        return made

    def blocks(self) -> Iterator[int]:
        """The blocks of all entries. The index must not change meanwhile."""
        last = None
        for segment in self._segments:
            if segment is not last:
                yield from (word & _LOWER for word in segment.words if word)
            last = segment

    def insert(self, hashed: int, block: int) -> None:
        """Adds an entry."""
        hashed &= _LOWER
        segment = self._segments[hashed >> self._shift]
        if segment.room <= 0:
            segment = self._make_room(segment, hashed)
        segment.insert(hashed << 32 | block)
        self._size += 1

    def fill(self, hashes: Sequence[int], blocks: Sequence[int]) -> None:
        """Adds many entries to an empty index, which is laid out for them: three times as fast as one by one."""
        self._bits = max(self._bits, (len(hashes) * 2 // _LARGEST).bit_length())
        self._shift = _HASH_BITS - self._bits
        self._segments = [_Segment(self._bits, _LARGEST) for _ in range(1 << self._bits)]
        shift, last = self._shift, _LARGEST - 1
        every_words = self._words = [segment.words for segment in self._segments]
        for hashed, block in zip(hashes, blocks, strict=True):
            hashed &= _LOWER
            words = every_words[hashed >> shift]
            place = hashed & last
            while words[place]:
                place = place + 1 & last
            words[place] = hashed << 32 | block
        for segment in self._segments:
            segment.room = _LARGEST * 3 // 4 - (_LARGEST - segment.words.count(0))
        self._size = len(hashes)

    def replace(self, hashed: int, block: int, new_block: int) -> None:
        """Says that an entry has moved. Raises KeyError when it is not there."""
        segment, place = self._place(hashed, block)
        segment.words[place] = (hashed & _LOWER) << 32 | new_block

    def remove(self, hashed: int, block: int) -> None:
        """Forgets an entry. Raises KeyError when it is not there."""
        segment, place = self._place(hashed, block)
        segment.remove(place)
        self._size -= 1

    def _place(self, hashed: int, block: int) -> tuple[_Segment, int]:
        hashed &= _LOWER
        segment = self._segments[hashed >> self._shift]
        words = segment.words
        wanted = hashed << 32 | block
        place, last = hashed & len(words) - 1, len(words) - 1
        while (word := words[place]) != wanted:
            if not word:
                raise KeyError(block)
            place = place + 1 & last
        return segment, place

    def _make_room(self, segment: _Segment, hashed: int) -> _Segment:
        """The segment of a hash, once it has room."""
        parts: tuple[_Segment, ...] = (segment,)
        if len(segment.words) < _LARGEST or self._size < _FEWEST << self._bits:
            # So full while others are so empty: its hashes agree, and one bit more would not tell them apart.
            segment.double()
        else:
            if segment.bits == self._bits:
                self._bits += 1
                self._shift -= 1
                self._segments = [each for each in self._segments for _ in range(2)]
                self._words = [each.words for each in self._segments]
            parts = segment.split()
        # The places of the directory that agree with them in their own bits.
        spread = 1 << self._bits - parts[0].bits
        place = (hashed >> _HASH_BITS - segment.bits) * spread * len(parts)
        for part in parts:
            self._segments[place : place + spread] = [part] * spread
            self._words[place : place + spread] = [part.words] * spread
            place += spread
        return self._segments[hashed >> self._shift]


class _Segment:
    """Words by linear probing from the lower bits of their hash; `bits` upper bits are the same for all of them.

    `room`: how many more it takes. Above three quarters of its places searches grow long.
    """

    __slots__ = ("bits", "room", "words")

    def __init__(self, bits: int, size: int = _SMALLEST) -> None:
        self.bits = bits
        self._clear(size)

    def _clear(self, size: int) -> None:
        self.words = array("Q", bytes(8 * size))
        self.room = size * 3 // 4

    def copy(self) -> _Segment:
        """Another one with the same words."""
        made = _Segment(self.bits)
        made.words, made.room = self.words[:], self.room
        return made

    def insert(self, word: int) -> None:
        """Puts a word into the first empty place from its own on."""
        words = self.words
        last = len(words) - 1
        place = word >> 32 & last
        while words[place]:
            place = place + 1 & last
        words[place] = word
        self.room -= 1

    def remove(self, place: int) -> None:
        """Empties a place, and moves up those behind it that are so reached sooner."""
        words = self.words
        last = len(words) - 1
        gap = place
        place = place + 1 & last
        while word := words[place]:
            home = word >> 32 & last
            if place - home & last >= place - gap & last:
                words[gap] = word
                gap = place
            place = place + 1 & last
        words[gap] = 0
        self.room += 1

    def double(self) -> None:
        """Makes it twice as large."""
        before = self.words
        self._clear(2 * len(before))
        for word in before:
            if word:
                self.insert(word)

    def split(self) -> tuple[_Segment, _Segment]:
        """Two of its size, by the next bit of the hash; both have room unless nearly all agree in that bit too."""
        size = len(self.words)
        halves = (_Segment(self.bits + 1, size), _Segment(self.bits + 1, size))
        shift = 63 - self.bits
        for word in self.words:
            if word:
                halves[word >> shift & 1].insert(word)
        return halves
