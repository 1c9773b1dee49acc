"""Lines that a way out was given and has not delivered, with their numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice


class Backlog:
    """Lines in order; those that are not wanted pass by. `size` is in bytes, with line ends.

    `next_number` is the number of the line that comes next.
    """

    def __init__(self, is_wanted: Callable[[bytes], bool] | None = None) -> None:
        self.lines: deque[bytes] = deque()
        self.size = 0
        self.next_number = 0
        self.is_wanted = is_wanted
        self._numbers: deque[int] = deque()

    @property
    def taken(self) -> int:
        """The number of the first line that waits; of the next one when none does."""
        return self.number_at(0)

    def number_at(self, place: int) -> int:
        """The number of the line at a place; of the next one to come, behind the last."""
        return self._numbers[place] if place < len(self.lines) else self.next_number

    def add(self, lines: Iterable[bytes]) -> None:
        """Takes lines."""
        for line in lines:
            if self.is_wanted is None or self.is_wanted(line):
                self.lines.append(line)
                self._numbers.append(self.next_number)
                self.size += len(line) + 1
            self.next_number += 1

    def first(self, count: int) -> list[bytes]:
        """So many of them, or all."""
        return list(islice(self.lines, count))

    def drop(self, count: int) -> None:
        """The first so many are delivered."""
        for _ in range(count):
            self._numbers.popleft()
            self.size -= len(self.lines.popleft()) + 1

    def waiting(self) -> list[bytes]:
        """All lines from `taken` on, each in its place; blank ones for those that are not wanted."""
        found = [b""] * (self.next_number - self.taken)
        first = self.taken
        for number, line in zip(self._numbers, self.lines, strict=True):
            found[number - first] = line
        return found
