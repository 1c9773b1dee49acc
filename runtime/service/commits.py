"""How far a partition of Kafka may be committed: what was taken, or so much time before it (OpenReplay's gap).

A group's committed offset is where a machine begins that knows nothing. When it stays behind by as much as sessions
last, such a machine reads again what its sessions were made of.
"""

from __future__ import annotations

from collections import deque

_MARKS = 1000
"""Places that are kept for one gap: the gap is honoured to a thousandth."""


class Commits:
    """One partition. `next_offset` is where it goes on; None while nothing of it was taken. Times are in ms."""

    def __init__(self, gap_ms: int) -> None:
        self.next_offset: int | None = None
        self.committed: int | None = None
        """What the cluster has confirmed."""
        self._gap_ms = gap_ms
        self._latest_ms = -1
        self._marks: deque[tuple[int, int]] = deque()

    def taken(self, next_offset: int, time_ms: int) -> None:
        """Messages before `next_offset` were taken; the latest of them is of this time."""
        if self.next_offset is not None:
            time_ms = max(time_ms, self._latest_ms)
        self.next_offset, self._latest_ms = next_offset, time_ms
        if self._gap_ms and (not self._marks or time_ms >= self._marks[-1][0] + self._gap_ms // _MARKS):
            self._marks.append((time_ms, next_offset))

    @property
    def due(self) -> int | None:
        """What is to be committed now; None when that is nothing new."""
        if not self._gap_ms:
            found = self.next_offset
        else:
            found = None
            while len(self._marks) > 1 and self._marks[1][0] <= self._latest_ms - self._gap_ms:
                self._marks.popleft()
            if self._marks and self._marks[0][0] <= self._latest_ms - self._gap_ms:
                found = self._marks[0][1]
        return None if found is None or (self.committed is not None and found <= self.committed) else found
