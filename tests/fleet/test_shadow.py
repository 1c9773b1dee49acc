"""A shadow in several workers: one answer of what all have compared, in the words of one process."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.running import TENANT, Running, click, wait_for
from tests.service.test_reload import BAD, MORE, Row, change, tenant

from . import fronts, hosts
from .fronts import LONG, write_tenant
from .test_front import MORE as VERSION_2
from .test_front import USERS, versions_seen

# ---- what they say


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Running]:
    """One process for the same tenant."""
    running = Running(tmp_path / "one", [TENANT], "", tmp_path / "one" / "state")
    yield running
    running.close()


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Rules are reloaded when it is said, and not since a file changes."""
    (tmp_path / "one").mkdir()
    monkeypatch.setattr("runtime.service.watch.Watcher._matters", lambda *given: False)


def test_all_of_them_say_what_one_process_says(quiet: None, one: Running, fleet: hosts.Fleet) -> None:
    rules = f"{MORE}@UpdateMetadata select page as latest from Click;"
    change(one, tenant(rules))
    (fleet.places[0] / "sessionizer.yaml").write_text(json.dumps(tenant(rules)))
    users = [*fleet.users(0, 3), *fleet.users(1, 5)]
    services: tuple[Any, ...] = (one, fleet)
    for each in services:
        each.send([click(user, cart="c") for user in users[1:]])
        assert each.monitor.post("/api/v1/tenants/shop/shadow", json={}).json()["sessions_at_start"] == 7
        each.send([click(user, n=1, cart="c", page="/x") for user in users])
        each.now_ms += 60_000
        wait_for(lambda each=each: each.get("/shadow")["comparison"]["ends"]["different"] == 8)
    said, of_all = (each.get("/shadow") for each in services)
    assert told(of_all) == told(said)
    assert of_all["comparison"]["events"]["different"] == 8
    assert "missing" not in of_all and of_all["problem"] is None


def told(shadow: Row) -> Row:
    """A shadow but for the ids of sessions, which nobody has twice, and the order of those that end at once."""
    comparison = shadow["comparison"]
    for tally in (comparison["events"], comparison["ends"]):
        tally["differences"] = Counter(tuple(each["fields"]) for each in tally["differences"])
    return shadow


def test_the_latest_differences_are_those_of_all(fleet: hosts.Fleet) -> None:
    (fleet.places[0] / "sessionizer.yaml").write_text(json.dumps(tenant(MORE)))
    fleet.monitor.post("/api/v1/tenants/shop/shadow", json={})
    users = [*fleet.users(0, 20), *fleet.users(1, 20)]
    for n in (1, 2):
        fleet.now_ms += 1000
        fleet.send([click(user, n=n) for user in users])
    differences = fleet.get("/shadow")["comparison"]["events"]["differences"]
    assert [each["running"]["n"] for each in differences] == [2] * 40 + [1] * 10


def test_who_has_none_any_more_and_who_is_missing(fleet: hosts.Fleet) -> None:
    fleet.send([click(user) for number in (0, 1) for user in fleet.users(number, 2)])
    fleet.monitor.post("/api/v1/tenants/shop/shadow", json={})
    fleet.down(1)
    found = fleet.get("/shadow")
    assert (found["missing"], found["live_sessions"], found["problem"]) == ([1], 2, None)
    fleet.forget_shadow(0)
    assert fleet.monitor.get("/api/v1/tenants/shop/shadow").status_code == 503
    fleet.up(1)
    assert fleet.get("/shadow")["problem"] == "worker 0 began again without it"
    fleet.forget_shadow(1)
    assert fleet.monitor.get("/api/v1/tenants/shop/shadow").status_code == 404


def test_there_is_none(fleet: hosts.Fleet) -> None:
    path = "/api/v1/tenants/shop/shadow"
    answers = [fleet.monitor.get(path), fleet.monitor.delete(path), fleet.monitor.post(f"{path}/promote", json={})]
    assert [each.status_code for each in answers] == [404, 404, 404]
    assert fleet.monitor.post(path, json={"version": 9}).json()["error"] == "there is no version 9"


# ---- what they do: real processes, begun once

OTHER = {**LONG, "tenant": "other"}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[fronts.Fleet]:
    """Two workers. One version is kept, besides those that are of use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("runtime.service.watch.Watcher._matters", lambda *given: False)
        folder = tmp_path_factory.mktemp("fleet")
        write_tenant(folder, LONG)
        fleet = fronts.Fleet(folder, "versions: {keep: 1}", 2)
        yield fleet
        fleet.close()


@pytest.fixture
def shop(started: fronts.Fleet) -> fronts.Fleet:
    """The shop as it began, with an open session of every user."""
    save(started, LONG)
    started.monitor.delete("/api/v1/tenants/shop/shadow")
    started.order("/reload", {"force": True})
    started.send([click(user) for user in USERS])
    return started


def save(fleet: fronts.Fleet, config: Row) -> None:
    """Puts another configuration into the shop's folder."""
    (fleet.folder / "shop" / "sessionizer.yaml").write_text(json.dumps(config))


def shadow_of(fleet: fronts.Fleet) -> Row:
    """How the shadow compares."""
    found: Row = fleet.monitor.get("/api/v1/tenants/shop/shadow").json()
    return found


def runs_in(fleet: fronts.Fleet) -> list[bool]:
    """Whether a shadow is there: of all, and of each worker."""
    roots = ("", "/workers/0", "/workers/1")
    return [fleet.monitor.get(f"{root}/api/v1/tenants/shop/shadow").status_code == 200 for root in roots]


def test_it_runs_in_all_workers_until_it_is_ended(shop: fronts.Fleet) -> None:
    begun = shop.order("/shadow", {"version": shop.front.controls.version("shop")})
    assert (begun["sessions_at_start"], begun["problem"]) == (len(USERS), None)
    shop.send([click(user) for user in USERS])
    assert runs_in(shop) == [True, True, True]
    compared = shadow_of(shop)["comparison"]
    assert compared["events"] == {"same": len(USERS), "different": 0, "differences": []}
    assert shop.monitor.delete("/api/v1/tenants/shop/shadow").json()["events"] == len(USERS)
    assert runs_in(shop) == [False, False, False]


def test_it_is_promoted_with_the_sessions_that_ran(shop: fronts.Fleet) -> None:
    save(shop, VERSION_2)
    begun = shop.order("/shadow")
    shop.send([click(user) for user in USERS])
    compared = shadow_of(shop)["comparison"]
    assert compared["events"]["different"] == len(USERS)
    assert {tuple(each["fields"]) for each in compared["events"]["differences"]} == {("version",)}
    seen = versions_seen(shop)
    outcome = shop.order("/shadow/promote")
    assert (outcome["result"], outcome["version"], outcome["sessions"]) == ("reloaded", begun["version"], len(USERS))
    assert runs_in(shop) == [False, False, False]
    shop.send([click(user) for user in USERS])
    assert versions_seen(shop) - seen == {2: len(USERS)}


def test_its_version_is_kept_as_long_as_it_runs(shop: fronts.Fleet) -> None:
    save(shop, VERSION_2)
    begun = shop.order("/shadow")
    save(shop, OTHER)
    shop.order("/reload", status=409)
    kept = shop.front.controls.history("shop").versions.numbers()
    assert begun["version"] in kept[:-1] and len(kept) == 3, "what runs, the shadow, and the newest"
    assert shop.order("/shadow/promote")["result"] == "reloaded"


@pytest.mark.parametrize(
    ("config", "status", "reason"),
    [
        (tenant(BAD), 422, "the rules have 1 error"),
        (OTHER, 409, "other"),
        ({**LONG, "time": {"policy": "ender"}}, 409, "one worker would own all its keys"),
        ({**LONG, "controller_text": LONG["controller_text"].replace("user as", "user || '!' as")}, 409, "controller"),
    ],
)
def test_what_is_refused_begins_nowhere(config: Row, status: int, reason: str, shop: fronts.Fleet) -> None:
    save(shop, config)
    assert reason in shop.order("/shadow", status=status)["error"]
    assert runs_in(shop) == [False, False, False]


@pytest.fixture
def spoil(shop: fronts.Fleet) -> Iterator[Callable[[], None]]:
    """Spoils the copy that one of the workers will have of the next version."""
    made: list[Path] = []

    def spoiled() -> None:
        number = shop.front.controls.history("shop").versions.numbers()[-1] + 1
        made.append(shop.state / "workers/1/versions/shop" / str(number))
        made[-1].mkdir()

    yield spoiled
    for each in made:
        each.rmdir()


def test_what_one_worker_refuses_is_ended_in_the_other(shop: fronts.Fleet, spoil: Callable[[], None]) -> None:
    spoil()
    save(shop, VERSION_2)
    assert "there is no version" in shop.order("/shadow", status=500)["error"]
    assert runs_in(shop) == [False, False, False]


def test_one_that_no_worker_begins_leaves_the_one_before(shop: fronts.Fleet) -> None:
    begun = shop.order("/shadow")
    save(shop, OTHER)
    shop.order("/shadow", status=409)
    assert runs_in(shop) == [True, True, True]
    assert shadow_of(shop)["version"] == begun["version"]


def test_a_worker_that_dies_begins_again_without_it(shop: fronts.Fleet) -> None:
    shop.order("/shadow")
    shop.kill(0)
    assert shadow_of(shop)["problem"] == "worker 0 began again without it"
    assert runs_in(shop) == [True, False, True]
    shop.send([click(user) for user in USERS])
    owned = sum(shop.front.controls.owner("shop", "Visit", user) == 1 for user in USERS)
    assert shadow_of(shop)["events"] == owned
    assert shop.order("/shadow")["problem"] is None


def test_the_pages_of_a_worker_lead_to_its_own(shop: fronts.Fleet) -> None:
    assert 'href="/workers/1/tenants/shop/versions"' in shop.monitor.get("/workers/1/tenants/shop").text
