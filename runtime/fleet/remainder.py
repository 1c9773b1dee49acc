"""What a tenant's engines keep beside their sessions, for as many others: clocks, counters, ends that wait.

States are as snapshots have them. What belongs to a key goes to its owner; what is one for all is the latest of all;
what was counted goes on at the part that has the same number modulo their number, so that sums stay what they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from runtime.counters import EngineCounters, SessionCounters, add_counters, counters_state, go_on_from

State = Mapping[str, Any]
Live = Counter[tuple[str, str | None]]
"""Live sessions of a part by profile, and its sub-sessions by profile and kind."""
_T = TypeVar("_T")
_Counters = TypeVar("_Counters", SessionCounters, EngineCounters)


def merged_clocks(clocks: Sequence[State]) -> dict[str, Any]:
    """The clocks of several engines as those of one: a partition's is as late as the latest of them.

    All that waits for its turn waits there, in order.
    """
    partitions: dict[int, list[State]] = {}
    for each in clocks:
        for partition in each["partitions"]:
            partitions.setdefault(partition["number"], []).append(partition)
    return {
        "enabled": all(each["enabled"] for each in clocks),
        "no_room_ms": max(each["no_room_ms"] for each in clocks),
        "at_work": clocks[0]["at_work"],
        "partitions": [_merged_partition(each) for each in partitions.values()],
    }


def _merged_partition(several: Sequence[State]) -> dict[str, Any]:
    latest = max((each for each in several if not each["is_fresh"]), key=itemgetter("now_ms"), default=several[0])
    return {
        **latest,
        "heard_ms": max(each["heard_ms"] for each in several),
        "last": max(tuple(each["last"]) for each in several),
        "reorder": _merged_reorder([each["reorder"] for each in several if each["reorder"] is not None]),
    }


def _merged_reorder(several: Sequence[State]) -> dict[str, Any] | None:
    if not several:
        return None
    waiting = sorted((line for each in several for line in each["waiting"]), key=itemgetter(0))
    latest = {name: max(each[name] for each in several) for name in ("floor_ms", "watermark_ms", "highest_ms")}
    return {**latest, "waiting": waiting}


def clocks_of(clocks: State, is_own: Callable[[bytes], bool]) -> dict[str, Any]:
    """The clocks for one of several parts: what waits there are its own lines."""
    partitions = []
    for each in clocks["partitions"]:
        reorder = each["reorder"]
        if reorder is not None:
            waiting = [taken for taken in reorder["waiting"] if is_own(taken[2])]
            each = {**each, "reorder": {**reorder, "waiting": waiting}}
        partitions.append(each)
    return {**clocks, "partitions": partitions}


def remainders(old: Sequence[State], live: Sequence[Live], owner: Callable[[str, str], int]) -> list[dict[str, Any]]:
    """The states of so many engines as there are in `live`, from those of the old ones; `owner` says whose a key is."""
    return [_remainder(old, counted_by(old, to, len(live)), live[to], owner, to) for to in range(len(live))]


def counted_by(old: Sequence[_T], to: int, parts: int) -> Sequence[_T]:
    """Those of the old ones that a part goes on counting for."""
    return old[to::parts]


def _remainder(
    old: Sequence[State], counted: Sequence[State], live: Live, owner: Callable[[str, str], int], to: int
) -> dict[str, Any]:
    matches = Counter[tuple[str, str]]()
    for each in counted:
        for file, name, number in each["matches"]:
            matches[file, name] += number
    profiles = {
        name: _profile(
            name,
            [each["profiles"][name] for each in old],
            [each["profiles"][name] for each in counted],
            live,
            lambda key, name=name: owner(name, key) == to,  # type: ignore[misc]
        )
        for name in old[0]["profiles"]
    }
    return {
        "second": max(each["second"] for each in old),
        "counters": counters_state(_summed(EngineCounters(), [each["counters"] for each in counted])),
        "failed_puts": sum(each["failed_puts"] for each in counted),
        "matches": [(file, name, number) for (file, name), number in matches.items()],
        "profiles": profiles,
    }


def _profile(
    name: str, old: Sequence[State], counted: Sequence[State], live: Live, is_own: Callable[[str], bool]
) -> dict[str, Any]:
    """The state of one profile in a part."""
    cut_until_ms: dict[str, int] = {}
    for each in old:
        for key, until_ms in each["cut_until_ms"].items():
            if is_own(key):
                cut_until_ms[key] = max(until_ms, cut_until_ms.get(key, until_ms))
    alone: list[Any] = []
    waiting: list[Any] = []
    for each in old:
        places = {}
        for place, session in enumerate(each["alone"]):
            if is_own(session[2]):
                places[place] = len(alone)
                alone.append(session)
        for (parent_key, key, sub, place), refused in each["waiting"]:
            if is_own(key if sub is None else parent_key):
                waiting.append([[parent_key, key, sub, places.get(place, -1)], refused])
    subs = {
        sub: {
            **_opened([each["subs"][sub] for each in old]),
            "counters": _counters([each["subs"][sub] for each in counted], live[name, sub]),
        }
        for sub in old[0]["subs"]
    }
    state = {
        **_opened(old),
        "counters": _counters(counted, live[name, None]),
        "subs": subs,
        "cut_until_ms": cut_until_ms,
        "alone": alone,
        "waiting": waiting,
    }
    if "partitions" in old[0]:  # of the ender, all of whose sessions one part has
        state["partitions"] = [partition for each in old for partition in each["partitions"]]
    return state


def _opened(states: Sequence[State]) -> dict[str, Any]:
    """Which sessions of one kind have opened in the latest ms in which any has: none can open in one before.

    All parts get all of them, since nobody asks for a key that is not its own; whose it was has counted furthest.
    """
    opened_ms = max(state["opened_ms"] for state in states)
    opened: dict[tuple[str, int], int] = {}
    for state in states:
        if state["opened_ms"] == opened_ms:
            for key, event_ms, count in state["opened"]:
                opened[key, event_ms] = max(count, opened.get((key, event_ms), 0))
    return {
        "opened_ms": opened_ms,
        "opened": [[key, event_ms, count] for (key, event_ms), count in opened.items()],
    }


def _counters(counted: Sequence[State], live: int) -> dict[str, Any]:
    """The counters of one kind of session, of which so many live in a part from here on."""
    counters = _summed(SessionCounters(), [each["counters"] for each in counted])
    # What has begun and not ended is live: a session that went elsewhere has begun there.
    counters.created = counters.ended.total() + live
    return counters_state(counters)


def _summed(total: _Counters, states: Iterable[State]) -> _Counters:
    for state in states:
        more = type(total)()
        go_on_from(more, state)
        add_counters(total, more)
    return total
