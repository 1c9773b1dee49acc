"""How a replay by several processes can come to nothing, beyond what any replay can."""

from __future__ import annotations


class WorkerFailed(Exception):
    """A worker whose process is gone; the message says which, and what is known of it."""


class TooManySessions(Exception):
    """The sessions of the files do not fit into the memory of one cache at all times.

    Which of them end for want of room depends on all that came before, so one process has to do it. Nothing is written.
    """
