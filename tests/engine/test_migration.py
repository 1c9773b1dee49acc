"""A tenant whose rules change between a snapshot and the next start goes on with what the new ones have a place for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.snapshot import load, save


def tenant(rules: str, *, hot: int, subs: tuple[str, ...] = (), profile: str = "Visit") -> dict[str, Any]:
    """Sub-sessions of each name for the events that have a part of that name."""
    opens = "".join(f"@SubSession('{sub}') select part as _pk_ from Click(part = '{sub}');" for sub in subs)
    count = "@UpdateCounter('n') select 1 from Click; @DecorateEvent select session.int('n') as n_{0} from Click;"
    sub_sessions = [{"name": sub, "gap": "9s", "rules_text": count.format(sub)} for sub in subs]
    return {
        "events": {"Click": {"user": "string", "part": "string", "n": "int"}},
        "cache": {"hot": hot, "block_size": 64, "page_size": "4KiB", "hash_capacity": 1},
        "controller_text": f"@Session('{profile}') select user as _pk_ from Click;",
        "profiles": [
            {"name": profile, "type": 1, "gap": "10s", "rules_text": rules + opens, "sub_sessions": sub_sessions}
        ],
    }


def click(engine: Any, now_ms: int, **fields: Any) -> None:
    engine.process([json.dumps(fields).encode()], now_ms)


@pytest.mark.parametrize("hot", [0, 100])
def test_a_tenant_whose_rules_change(engine_of: Callable[..., Any], tmp_path: Path, hot: int) -> None:
    before, _ = engine_of(
        tenant(
            """@UpdateCounter('seen') select 1 from Click;
            @UpdateState select n as last, user as who from Click;
            @AppendState(name = 'all', colname = 'v') select n as v from Click;""",
            hot=hot,
            subs=("Gone", "Part"),
        )
    )
    for now_ms, user in ((1_000, "a"), (1_100, "b"), (1_200, "a")):
        click(before, now_ms, user=user, n=now_ms, part="Part")
    click(before, 1_300, user="b", n=7, part="Gone")
    save(before, tmp_path / "snapshot")
    after, sent = engine_of(
        tenant(
            """@UpdateState select 'x' || session.string('last') as other from Click;
            @UpdateCounter('seen') select 1 from Click;
            @UpdateState select user as last, true as added from Click;
            @DecorateEvent select session.int('seen') as seen, session.string('last') as last,
                session.boolean('added') as added from Click;""",
            hot=hot,
            subs=("Part", "New"),
        )
    )
    restored = load(after, tmp_path / "snapshot")
    assert (restored.sessions, restored.dropped_sessions) == (2, 0)
    click(after, 2_000, user="a", part="Part")
    click(after, 2_100, user="b", part="New")
    click(after, 2_200, user="a")
    assert [event for _, event in sent.sent] == [
        {"user": "a", "part": "Part", "seen": 2, "n_Part": 2},
        {"user": "b", "part": "New", "seen": 2},
        {"user": "a", "seen": 3, "last": "a", "added": True},
    ]
    (profile,) = after.profiles
    # Of each session: the number `last`, which is a string now, `who` and `all`; and one sub-session.
    assert profile.table.codec.dropped == 2 * 3 + 1
    assert profile.counters.created == 2
    after.drain()
    assert after.live_sessions == 0


@pytest.mark.parametrize("hot", [0, 100])
def test_a_profile_that_there_is_no_longer(engine_of: Callable[..., Any], tmp_path: Path, hot: int) -> None:
    before, _ = engine_of(tenant("", hot=hot))
    for number in range(20):
        click(before, 1_000, user=f"u{number}")
    save(before, tmp_path / "snapshot")
    after, _ = engine_of(tenant("", hot=hot, profile="Other"))
    restored = load(after, tmp_path / "snapshot")
    assert (restored.sessions, restored.dropped_sessions) == (0, 20)
    click(after, 2_000, user="u1")
    assert after.live_sessions == 1
    after.drain()
    assert after.cache.pages.used_blocks == 0
