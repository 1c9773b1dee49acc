"""Which worker an event goes to: that of its session key, whatever else is in the line."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from runtime.config import load_tenant
from runtime.fleet.clocks import ELSEWHEN
from runtime.fleet.ring import Ring
from runtime.fleet.routes import Routes, why_whole
from runtime.rules import TenantRules, compile_tenant
from tests.service.running import TENANT

VISIT: dict[str, Any] = TENANT["profiles"][0]
CLICK: dict[str, str] = TENANT["events"]["Click"]
OTHER = {"name": "Other", "type": 2, "gap": "10s"}
BY_USER = "@Session('Visit') select user as _pk_ from Click(user is not null);"


def rules_of(folder: Path, **more: Any) -> TenantRules:
    """The shop with other settings."""
    (folder / "sessionizer.yaml").write_text(json.dumps({**TENANT, **more}))
    return compile_tenant(load_tenant(folder))


def test_events_of_one_key_go_to_its_owner(tmp_path: Path) -> None:
    routes = Routes(rules_of(tmp_path), Ring(5))
    users = [f"user-{number % 50}" for number in range(500)]
    owners = routes.owners([json.dumps({"user": user, "n": n}).encode() for n, user in enumerate(users)])
    assert owners == [routes.owner("Visit", user) for user in users]
    assert set(Counter(owners)) == set(range(5))


@pytest.mark.parametrize("line", [b"", b"no event", b'{"user": 7}', b'{"page": "/"}', b'{"user": "\xff"}'])
def test_what_has_no_session_goes_by_what_it_says(tmp_path: Path, line: bytes) -> None:
    ring = Ring(5)
    ann = b'{"user": "ann"}'
    routes = Routes(rules_of(tmp_path), ring)
    assert routes.owners([ann, line, ann]) == [*routes.owners([ann]), ring.owner(line), *routes.owners([ann])]


def test_a_key_may_be_made_by_several_rules(tmp_path: Path) -> None:
    controller = """
create schema Named(name string);
insert into Named select user || '!' as name from Click(user is not null);
@Session('Visit') select name as _pk_ from Named;
"""
    routes = Routes(rules_of(tmp_path, controller_text=controller), Ring(5))
    assert routes.owners([b'{"user": "ann"}']) == [routes.owner("Visit", "ann!")]


@pytest.mark.parametrize(
    ("more", "can"),
    [
        ({"profiles": [{**VISIT, "gap": "20s", "rules_text": "@UpdateCounter('x') select 1 from Click;"}]}, True),
        ({"controller_text": f"// by user\n{BY_USER}"}, True),
        ({"events": {"Click": {**CLICK, "more": "int"}, "Tap": {"phone": "string"}}}, True),
        ({"controller_text": BY_USER.replace("user as", "page as")}, False),
        ({"controller_text": BY_USER.replace("user is not null", "n > 1")}, False),
        ({"events": {"Click": {**CLICK, "user": "long"}}}, False),
        ({"type_field": "kind"}, False),
        ({"time": {"policy": "ender"}}, False),
        ({"time": {"domain": "event", "source": "n"}, "events": {"Click": {**CLICK, "n": "long"}}}, False),
    ],
)
def test_what_can_run_beside_has_the_same_keys(tmp_path: Path, more: dict[str, Any], can: bool) -> None:
    routes = Routes(rules_of(tmp_path, controller_text=BY_USER), Ring(5))
    assert (routes.why_not_beside(rules_of(tmp_path, **{"controller_text": BY_USER, **more})) is None) is can


def test_beside_a_tenant_that_is_one_workers_anything_can_run(tmp_path: Path) -> None:
    routes = Routes(rules_of(tmp_path, time={"policy": "ender"}), Ring(5))
    assert routes.why_not_beside(rules_of(tmp_path, controller_text=BY_USER.replace("user as", "page as"))) is None


def test_what_an_engine_refuses_moves_no_clock(tmp_path: Path) -> None:
    controller = "@Session('Visit') select user as _pk_, at as _timestamp_ from Click(user is not null);"
    rules = rules_of(
        tmp_path,
        controller_text=controller,
        events={"Click": {"user": "string", "at": "long", "n": "int"}},
        time={"domain": "event"},
        profiles=[{**VISIT, "rules_text": "@UpdateCounter('n') select 1 from Click(n > 1);", "sub_sessions": []}],
    )
    lines = [b'{"user": "ann", "at": 7}', b'{"user": "ann", "at": 8, "n": "odd"}', b'{"user": "ann"}', b'{"at": 9}']
    owners, times = Routes(rules, Ring(5)).owners_and_times(lines)
    assert times == [7, ELSEWHEN, None, ELSEWHEN]
    assert owners == Routes(rules, Ring(5)).owners(lines)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, None),
        ({"time": {"policy": "ender"}}, "ender"),
        ({"time": {"domain": "event", "source": "at"}, "events": {"Click": {**CLICK, "at": "long"}}}, None),
        (
            {
                "time": {"domain": "event", "source": "at"},
                "events": {"Click": {**CLICK, "at": "long"}},
                "limits": {"rate": 100},
            },
            "`limits.rate`",
        ),
        (
            {
                "profiles": [VISIT, OTHER],
                "controller_text": BY_USER + "@Session('Other') select page as _pk_ from Click(page is not null);",
            },
            "several profiles",
        ),
        (
            {
                "profiles": [VISIT, OTHER],
                "events": {**TENANT["events"], "Tap": {"phone": "string"}},
                "controller_text": BY_USER + "@Session('Other') select phone as _pk_ from Tap(phone is not null);",
            },
            None,
        ),
    ],
)
def test_why_a_tenant_is_one_workers(tmp_path: Path, more: dict[str, Any], why: str | None) -> None:
    rules = rules_of(tmp_path, **more)
    found = why_whole(rules)
    assert found is None if why is None else found is not None and why in found
    owner = Routes(rules, Ring(5)).owners([b"{}"])
    assert isinstance(owner, list) if why is None else owner == Ring(5).owner("shop")
