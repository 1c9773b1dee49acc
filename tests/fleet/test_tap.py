"""A tap on all workers at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from runtime.service.api import Phase
from runtime.tenants import TenantEngine
from tests.service.running import click, wait_for

from .hosts import Fleet

TAP = "/api/v1/tenants/shop/tap"


def is_watched(fleet: Fleet, number: int) -> bool:
    engine = fleet.front.members[number].host.tenants["shop"].tenant.engine
    return type(engine) is not TenantEngine


@contextmanager
def tapping(fleet: Fleet, query: str = "") -> Iterator[Iterator[dict[str, Any]]]:
    """A reader of what a tap tells."""
    with fleet.monitor.stream("GET", f"{TAP}?{query}") as response:
        assert response.status_code == 200, response.read()
        yield (json.loads(line) for line in response.iter_lines())


def test_events_of_all_workers_come(fleet: Fleet) -> None:
    users = [fleet.users(number, 1)[0] for number in (0, 1)]
    with tapping(fleet) as told:
        fleet.send([click(user) for user in users])
        seen = [next(told) for _ in users]
    assert {each["keys"][0]["key"] for each in seen} == set(users)
    wait_for(lambda: not is_watched(fleet, 0) and not is_watched(fleet, 1))


def test_readers_choose(fleet: Fleet) -> None:
    one, other = (fleet.users(number, 1)[0] for number in (0, 1))
    with tapping(fleet, f"key={other}") as told:
        fleet.send([click(one), click(other)])
        assert next(told)["keys"][0]["key"] == other
    # It ends with what it wanted, of all workers together.
    with tapping(fleet, "limit=3") as told:
        fleet.send([click(user) for user in (one, other, one, other)])
        assert len(list(told)) == 3


def test_a_worker_that_comes_back_is_heard_again(fleet: Fleet) -> None:
    one, other = (fleet.users(number, 1)[0] for number in (0, 1))
    with tapping(fleet) as told:
        fleet.down(1)
        fleet.send([click(one)])
        assert next(told)["keys"][0]["key"] == one
        wait_for(lambda: not is_watched(fleet, 1))
        fleet.up(1)
        wait_for(lambda: is_watched(fleet, 1))
        fleet.send([click(other)])
        assert next(told)["keys"][0]["key"] == other


def test_it_begins_without_those_that_are_down(fleet: Fleet) -> None:
    fleet.down(1)
    with tapping(fleet) as told:
        fleet.send([click(fleet.users(0, 1)[0])])
        assert next(told)["outcome"] == "ok"


def test_as_many_as_may_and_no_more(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.fleet.taps.MOST_TAPS", 1)
    with tapping(fleet):
        assert fleet.monitor.get(TAP).status_code == 429
    wait_for(lambda: not is_watched(fleet, 0))
    with tapping(fleet):
        pass


def test_a_stop_ends_it(fleet: Fleet) -> None:
    with tapping(fleet) as told:
        fleet.phase = Phase.STOPPING
        assert list(told) == []


def test_a_worker_is_tapped_through_its_own_pages(fleet: Fleet) -> None:
    user = fleet.users(1, 1)[0]
    with fleet.monitor.stream("GET", f"/workers/1{TAP}") as response:
        fleet.send([click(user)])
        assert json.loads(next(response.iter_lines()))["keys"][0]["key"] == user
        assert is_watched(fleet, 1)
    wait_for(lambda: not is_watched(fleet, 1))
