"""Which keys may have a session of before, where an engine begins in the middle of a stream (`runtime.parallel`).

The events of such a key are put off until it is known. Once the key has been quiet for longer than any session lives
without events, nothing of before is live, so it is taken from then on.
"""

from __future__ import annotations

from typing import Any

PutOff = tuple[int, bytes, int, int, str, int, int | None, bool, dict[str, Any] | None]
"""An event that was put off: the number of its line, the line, the clock with it, and its turn in that ms; and what
stage 1 has made of it: its key, its time, its gap, whether it is passive, and its decorations."""


class Doubt:
    """What is not known of keys."""

    __slots__ = ("certain_ms", "heard_ms", "quiet_ms")

    def __init__(self, first_ms: int, quiet_ms: int) -> None:
        """The first event is at `first_ms`; a session of a key that has been quiet for `quiet_ms` has ended."""
        self.quiet_ms = quiet_ms
        self.certain_ms = first_ms + quiet_ms
        """From here on a key that has not been heard of has no session of before."""
        self.heard_ms: dict[str, int] = {}
        """The latest event of each key that may have one, until the key comes again after so long a pause."""

    def covers(self, key: str, is_passive: bool, now_ms: int) -> bool:
        """True for an event that is to be put off; one that is not passive prolongs the doubt about its key."""
        heard_ms = self.heard_ms.get(key)
        if now_ms < self.certain_ms if heard_ms is None else now_ms - heard_ms < self.quiet_ms:
            if not is_passive:
                self.heard_ms[key] = now_ms
            return True
        if heard_ms is not None:
            del self.heard_ms[key]
        return False
