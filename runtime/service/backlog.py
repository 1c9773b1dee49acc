"""Lines that a way out was given and has not delivered, with their numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice


class Backlog:
    """Lines from number `taken` on, in order; `size` is in bytes, with their line ends."""

    def __init__(self) -> None:
        self.taken = 0
        self.lines: deque[bytes] = deque()
        self.size = 0

    @property
    def next_number(self) -> int:
        """The number of the line that comes next."""
        return self.taken + len(self.lines)

    def add(self, lines: Iterable[bytes]) -> None:
        """Takes lines."""
        for line in lines:
            self.lines.append(line)
            self.size += len(line) + 1

    def first(self, count: int) -> list[bytes]:
        """So many of them, or all."""
        return list(islice(self.lines, count))

    def drop(self, count: int) -> None:
        """The first so many are delivered."""
        for _ in range(count):
            self.size -= len(self.lines.popleft()) + 1
        self.taken += count
