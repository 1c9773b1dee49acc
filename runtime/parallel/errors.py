"""How a replay by several processes can fail, beyond what any replay can."""

from __future__ import annotations


class WorkerFailed(Exception):
    """A worker whose process is gone; the message says which, and what is known of it."""
