"""What a snapshot has beside an engine (`runtime.service.snapshots.state_of`), for as many parts as there are to be.

Everything that left is delivered by then. Lines are numbered on from the highest number of all parts, so that no file
that is there already, whichever part wrote it, has had a line of a number that is still to come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any

from runtime.fleet.remainder import counted_by
from runtime.service import letters, outlet
from runtime.service.records import Position

State = Mapping[str, Any]


def beside(old: Sequence[State], parts: int, positions: Mapping[str, Position]) -> list[dict[str, Any]]:
    """The states of so many parts. `positions` is where sources go on, for the one that reads them itself."""
    return [
        {
            "line": max(each["line"] for each in old),
            "letter": max(each["letter"] for each in old),
            "letter_counts": dict(sum((Counter(each["letter_counts"]) for each in counted), Counter[str]())),
            "positions": dict(positions),
            "is_paused": any(each["is_paused"] for each in old),
            "taken": {},
            "waiting": {},
            "letters_taken": {},
            "letters_waiting": {},
            "ends": _newest_first([each["ends"] for each in counted], outlet.RECENT),
            "letters": _newest_first([each["letters"] for each in counted], letters.RECENT),
        }
        for counted in (counted_by(old, to, parts) for to in range(parts))
    ]


def _newest_first(lists: Sequence[Sequence[Sequence[Any]]], most: int) -> list[Sequence[Any]]:
    """The latest of several lists of what happened, each with its time first and the newest before all others."""
    return list(islice(merge(*lists, key=itemgetter(0), reverse=True), most))
