"""Several processes against one, over made-up events that are cut anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runtime.parallel.reasons import why_in_one_piece
from runtime.rules import TenantRules

from .sides import Sides, assert_same, parts_at, time_of

GAP_MS = 10_000

EVENTS = {"E": {"user": "string", "at": "long", "kind": "string", "item": "string", "gap": "int"}}
CONTROLLER = "@Session('Visit') select user as _pk_, at as _timestamp_ from E(user is not null, kind != 'peek')"
PLAIN = {
    "events": EVENTS,
    "limits": {"max_idle": "10s"},
    "controller_text": CONTROLLER,
    "profiles": [
        {
            "name": "Visit",
            "type": 1,
            "gap": "10s",
            "begin_marker": "VisitBegin",
            "end_marker": "VisitEnd",
            "rules_text": """
                @Name('views') @UpdateCounter('views') select 1 from E(kind = 'view');
                @AppendState(name='items', colname='item', maxlength=3) select item from E(item is not null);
                @DecorateEvent select session.eventCount as n, session.list('items') as items from E;
                @DecorateEvent select session.int('views') as views, session.list('items') as items from VisitEnd;
            """,
        }
    ],
}
RICH = {
    "events": EVENTS,
    "limits": {"max_idle": "15s", "max_events": 9},
    "controller_text": CONTROLLER
    + """;
        @Session('Visit') @Passive select user as _pk_, at as _timestamp_ from E(user is not null, kind = 'peek');
        @DebugSession(counter='kinds', colname='kind') select kind from E;
        @DecorateEvent select item || '!' as shout from E(item is not null);
    """,
    "profiles": [
        {
            "name": "Visit",
            "type": 1,
            "gap": "10s",
            "max_active": "40s",
            "begin_marker": "VisitBegin",
            "end_marker": "VisitEnd",
            "rules_text": """
                @Name('count') @UpdateCounter('n') select 1 from E;
                @SplitSession select 1 from E(kind = 'split');
                @EndSession select 1 from E(kind = 'end');
                @UpdateDuration select gap as _duration_ from E(gap is not null);
                @SubSession('Cart') select item as _pk_ from E(kind = 'cart');
                @Name('fails') @UpdateState select 1 % cast(item, int) as bad from E(kind = 'fail');
                @DecorateEvent select session.int('n') as n, session.eventCount as count from E;
                @DecorateEvent select session.int('n') as n, current_timestamp as now from VisitEnd;
            """,
            "sub_sessions": [
                {
                    "name": "Cart",
                    "gap": "4s",
                    "begin_marker": "CartBegin",
                    "end_marker": "CartEnd",
                    "rules_text": """
                        @UpdateCounter('m') select 1 from E;
                        @DecorateEvent select session.int('m') as m, parentSession.int('n') as n from CartEnd;
                    """,
                }
            ],
        }
    ],
}

steps = st.sampled_from(
    (0, 0, 1, 300, 999, 1000, 2500, 3999, 4000, GAP_MS - 1, GAP_MS, GAP_MS + 1, GAP_MS + 1001, 16_001, 50_000)
)
event = st.fixed_dictionaries(
    {
        "step": steps,
        "user": st.sampled_from(["a", "a", "a", "b", "c", None]),
        "kind": st.sampled_from(["view", "view", "view", "cart", "end", "split", "peek", "fail"]),
        "item": st.sampled_from(["0", "1", "x", None]),
        "gap": st.sampled_from([None, None, None, 2000, 14_000, 99_000]),
        "is_bad": st.sampled_from([False] * 12 + [True]),
    }
)


def lines_of(events: list[dict[str, Any]], back_ms: int) -> list[bytes]:
    """Events as lines; with `back_ms` every fifth is that much older than the one before it."""
    lines, now_ms = [], 1_000_000
    for number, each in enumerate(events):
        now_ms += each["step"]
        at_ms = now_ms - back_ms if number % 5 == 4 else now_ms
        fields = {name: value for name, value in each.items() if name not in ("step", "is_bad") and value is not None}
        line = json.dumps({"_type": "E", "at": at_ms, **fields}).encode()
        lines.append(b"{nonsense" if each["is_bad"] else line)
    return lines


def seen(step: int, user: str) -> dict[str, Any]:
    """An event of a user, so long after the one before."""
    return {"step": step, "user": user, "kind": "view", "item": None, "gap": None, "is_bad": False}


IN_TURN = [
    seen(0, "a"),
    *(seen(*each) for step in (1, 5_500, 5_500) for each in ((step, "a"), (0, "b"))),
    *(seen(0, user) for user in "cacacbcacb"),
]
"""Sessions of before and a new one have events in one ms and end at one tick: `a`, then `c`, then `b`."""
BEHIND = [seen(0, "a"), seen(1, "b"), seen(0, "b"), seen(0, "b"), seen(0, "b")]
"""The last one is behind the clock when there is still doubt about its key."""


EVENT_TIME = {**RICH, "time": {"domain": "event"}}


@pytest.mark.parametrize("config", [PLAIN, RICH, EVENT_TIME], ids=["plain", "rich", "event time"])
@pytest.mark.parametrize("ordered", [False, True], ids=["any order", "ordered"])
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(event, min_size=2, max_size=60),
    places=st.lists(st.integers(1, 59), min_size=1, max_size=4),
    back_ms=st.sampled_from([0, 0, 0, 700, 30_000]),
)
@example(events=IN_TURN, places=[1], back_ms=0)
@example(events=BEHIND, places=[1], back_ms=30_000)
def test_cut_anywhere(
    config: dict[str, Any],
    ordered: bool,
    rules_of: Callable[[dict[str, Any]], TenantRules],
    events: list[dict[str, Any]],
    places: list[int],
    back_ms: int,
) -> None:
    rules = rules_of(config)
    assert why_in_one_piece(rules) is None
    with TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "events.ndjson"
        source.write_bytes(b"".join(line + b"\n" for line in lines_of(events, back_ms)))
        sides = Sides(folder)
        one = sides.one(rules, [str(source)])
        cuts = parts_at(source, places, time_of(rules))
        assert_same(one, sides.several(rules, cuts, ordered=ordered), ordered=ordered)
