"""Which worker owns a key: a ring of points, of which each worker has hundreds (consistent hashing, Karger 1997).

With one worker more a key stays where it is or goes to the new one. The hash is the same in every process and in every
version of Python, since sessions are kept by it from one start to the next.
"""

from __future__ import annotations

from bisect import bisect
from hashlib import blake2b

_POINTS = 400
"""Of each worker: shares come within a quarter of even."""
_BYTES = 8


class Ring:
    """The owners of keys among so many workers, numbered from 0."""

    def __init__(self, workers: int) -> None:
        points = sorted(
            (_hash(f"worker {worker} point {point}".encode()), worker)
            for worker in range(workers)
            for point in range(_POINTS)
        )
        self._hashes = [at for at, _ in points]
        # Behind the last point the ring begins anew.
        self._owners = [worker for _, worker in points] + [points[0][1]]

    def owner(self, *key: str | bytes) -> int:
        """The worker that owns a key of several parts."""
        # Keys may hold half a surrogate pair, and any byte.
        parts = [part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass") for part in key]
        return self._owners[bisect(self._hashes, _hash(b"\0".join(parts)))]


def _hash(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=_BYTES).digest())
