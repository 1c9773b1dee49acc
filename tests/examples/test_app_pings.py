"""The app's sessions, told a second time in plain Python and compared with what the rules say."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from runtime.replay import Replayed

GAP_MS = 5 * 60_000
BACKGROUND_GAP_MS = 10_000

Line = dict[str, Any]


def sessions_of(events: list[Line]) -> list[Line]:
    """The sessions of one device: `events` of people, `own` of the app, the gap that holds."""
    sessions: list[Line] = []
    session: Line | None = None
    for event in events:
        if session is not None and event["ts"] - session["events"][-1]["ts"] >= session["gap"]:
            session = None
        if event["name"] in ("ping", "crash"):
            if session is not None:
                session["own"].append(event)
            continue
        if session is None:
            session = {"events": [], "own": [], "gap": GAP_MS}
            sessions.append(session)
        session["events"].append(event)
        if event["name"] == "background":
            session["gap"] = BACKGROUND_GAP_MS
        elif event["name"] == "open":
            session["gap"] = GAP_MS
    return sessions


def session_id(session: Line) -> str:
    first = session["events"][0]
    return f"{first['device_id']}{first['ts']:016x}"


def app_end(session: Line) -> Line:
    """What the end marker should say."""
    events, own = session["events"], session["own"]
    first, last = events[0], events[-1]
    crashes = [event for event in own if event["name"] == "crash"]
    expected = {
        "_type": "AppEnd",
        **{name: first[name] for name in ("app_version", "os", "country")},
        "_snid": session_id(session),
        "_snst": first["ts"],
        "_snet": last["ts"],
        "_sndn": last["ts"] - first["ts"],
        "_snec": len(events),
        "_snrs": "gap",
        "screens": sum(event["name"] == "screen" for event in events),
        "pings": len(own) - len(crashes),
        "crashes": len(crashes),
    }
    if crashes:
        # The simulated report knows the screen; the rules find it without.
        expected["crash_screen"] = crashes[-1]["screen"]
    return expected


@pytest.fixture(scope="module")
def by_device(recorded: Callable[[str], list[Line]]) -> dict[str, list[Line]]:
    """The recorded events of each device."""
    found = defaultdict(list)
    for event in recorded("app-pings"):
        found[event["device_id"]].append(event)
    return found


@pytest.fixture(scope="module")
def sessions(by_device: dict[str, list[Line]]) -> list[Line]:
    """All sessions, by hand."""
    return [session for events in by_device.values() for session in sessions_of(events)]


@pytest.fixture(scope="module")
def lines(replayed: Callable[[str], tuple[list[Line], Replayed]]) -> list[Line]:
    """Everything that the engine sends."""
    return replayed("app-pings")[0]


def of_type(lines: list[Line], name: str) -> list[Line]:
    """The lines of one type, sorted by session."""
    return sorted((line for line in lines if line["_type"] == name), key=lambda line: str(line["_snid"]))


def test_sessions(sessions: list[Line], lines: list[Line]) -> None:
    """Every field of every end marker."""
    expected = sorted(map(app_end, sessions), key=lambda marker: str(marker["_snid"]))
    assert of_type(lines, "AppEnd") == expected
    assert [begin["_snid"] for begin in of_type(lines, "AppBegin")] == [end["_snid"] for end in expected]


def test_events(sessions: list[Line], recorded: Callable[[str], list[Line]], lines: list[Line]) -> None:
    """An event names its session; what the app sends on its own outside of one leaves as it came."""
    expected: Counter[tuple[str, int, str, str | None]] = Counter()
    for session in sessions:
        for event in (*session["events"], *session["own"]):
            expected[event["device_id"], event["ts"], event["name"], session_id(session)] += 1
    inside = {key[:3] for key in expected}
    for event in recorded("app-pings"):
        key = (event["device_id"], event["ts"], event["name"])
        if key not in inside:
            expected[(*key, None)] += 1
    sent = [line for line in lines if line["_type"] == "AppEvent"]
    assert Counter((e["device_id"], e["ts"], e["name"], e.get("app_session")) for e in sent) == expected


def test_totals(
    replayed: Callable[[str], tuple[list[Line], Replayed]], recorded: Callable[[str], list[Line]], lines: list[Line]
) -> None:
    """The numbers that the README tells."""
    ends = of_type(lines, "AppEnd")
    counters = replayed("app-pings")[1].engine.counters
    kinds = Counter(event["name"] for event in recorded("app-pings"))
    assert len(ends) == 557
    assert sum(end["screens"] for end in ends) == kinds["screen"] == 4660
    assert sum(end["crashes"] for end in ends) == kinds["crash"] == 15
    assert sum(end["pings"] for end in ends) == 4139
    assert counters.outcomes == {"ok": 12_646, "passive": 4139 + 15, "bypassed": 3200}
    assert kinds["ping"] == 4139 + 3200
    assert counters.debug == {"crashes-4.2.0": 11, "crashes-4.1.3": 4}
    assert not counters.rule_errors
    assert max(end["_sndn"] for end in ends) // 60_000 == 49
    assert round(sum(end["_sndn"] for end in ends) / len(ends) / 60_000, 1) == 4.0


def test_what_pings_would_do(by_device: dict[str, list[Line]]) -> None:
    """The same events without @Passive and the short gap, by hand: sessions of hours."""
    durations = []
    for events in by_device.values():
        start = last = None
        for event in events:
            if last is None or event["ts"] - last >= GAP_MS:
                if last is not None:
                    durations.append(last - start)
                start = event["ts"]
            last = event["ts"]
        durations.append(last - start)
    assert len(durations) == 539
    assert max(durations) // 60_000 == 346
    assert round(sum(durations) / len(durations) / 60_000, 1) == 7.2
