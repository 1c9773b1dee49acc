"""Rules that change and a service that is killed: what comes back goes by the rules of then, and on by those of now."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from runtime.service.log import numbered, read_log
from runtime.service.records import Cooled, Lines, Rules, Swap

from .conftest import After
from .running import TENANT, Running, click, snapshot_now, visit, wait_for

MORE = "@Name('more') @UpdateCounter('more') select 1 from Click; @DecorateEvent select 2 as v from Click;"


def shop(rules: str) -> dict[str, Any]:
    """The shop with more rules for its visits."""
    made = deepcopy(TENANT)
    made["profiles"][0]["rules_text"] += rules
    return made


def change(running: Running, rules: str) -> dict[str, Any]:
    """Adds to the rules of a service that runs; what came of the reload."""
    file = running.state.parent / "tenant-0" / "sessionizer.yaml"
    file.write_text(json.dumps(shop(rules)))
    found: dict[str, Any] = running.monitor.post("/api/v1/tenants/shop/reload", json={"force": True}).json()
    return found


def records(running: Running) -> list[object]:
    """What all logs of the shop say."""
    return [record for _, path in numbered(running.state / "log" / "shop", "log") for record, _ in read_log(path)]


@pytest.fixture
def changing(serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch) -> Running:
    """A service that reloads when it is told to, and not by itself."""
    monkeypatch.setattr("runtime.service.watch.Watcher._matters", lambda *given: False)
    return serve()


def test_the_log_says_by_which_rules_it_goes(changing: Running) -> None:
    changing.send([click("ann")])
    assert change(changing, MORE)["result"] == "reloaded"
    changing.send([click("ann")])
    told = [record for record in records(changing) if isinstance(record, Rules | Swap | Lines | Cooled)]
    assert [type(each).__name__ for each in told] == ["Rules", "Lines", "Cooled", "Swap", "Lines"]
    assert [each.version for each in told if isinstance(each, Rules | Swap)] == [1, 2]
    assert snapshot_now(changing)
    assert [record.version for record in records(changing) if isinstance(record, Rules)] == [2]


@pytest.mark.parametrize("has_snapshot", [False, True])
def test_what_came_before_and_after_a_change_comes_again(
    changing: Running, after_crash: After, has_snapshot: bool
) -> None:
    changing.send([click("ann", cart="c"), click("bob")])
    change(changing, MORE)
    if has_snapshot:
        assert snapshot_now(changing)
    changing.send([click("ann"), click("bob"), click("eve")])
    again = after_crash(changing, lambda state: None, "", shop(MORE))
    assert again.get("/versions")["version"] == 2
    assert again.get("/versions")["last"] is None, "the folder has what ran"
    assert again.out() == changing.out()
    assert [visit(again, user) for user in ("ann", "bob", "eve")] == [
        visit(changing, user) for user in ("ann", "bob", "eve")
    ]
    again.send([click("ann")])
    assert again.out()[-1]["v"] == 2


def test_the_folder_has_other_rules_by_now(changing: Running, after_crash: After) -> None:
    changing.send([click("ann")])
    again = after_crash(changing, lambda state: None, "", shop(MORE))
    last = again.get("/versions")["last"]
    assert (last["result"], last["trigger"], last["version"], last["sessions"]) == ("reloaded", "start", 2, 1)
    assert again.out() == changing.out(), "by the rules of then"
    again.send([click("ann")])
    assert again.out()[-1]["v"] == 2
    assert visit(again, "ann")["events"] == 2
    assert "by a start; version 2 runs" in again.monitor.get("/tenants/shop/versions").text


def test_a_version_that_one_went_back_to_runs_until_the_restart(changing: Running, after_crash: After) -> None:
    changing.send([click("ann")])
    change(changing, MORE)
    changing.monitor.post("/api/v1/tenants/shop/rollback", json={"version": 1, "force": True})
    changing.send([click("ann")])
    again = after_crash(changing, lambda state: None, "", shop(MORE))
    assert "v" not in again.out()[-1]
    assert again.out() == changing.out()
    assert again.get("/versions")["last"]["trigger"] == "start" and again.get("/versions")["version"] == 2


def test_sessions_are_not_dropped_because_the_folder_changed(changing: Running, after_crash: After) -> None:
    changing.send([click("ann", cart="c")])
    fewer = deepcopy(TENANT)
    fewer["profiles"][0]["name"] = "Other"
    fewer["controller_text"] = fewer["controller_text"].replace("'Visit'", "'Other'")
    again = after_crash(changing, lambda state: None, "", fewer)
    last = again.get("/versions")["last"]
    assert (last["result"], last["trigger"], last["version"]) == ("refused", "start", 1)
    assert visit(again, "ann") == visit(changing, "ann")


def test_versions_that_the_log_goes_by_are_kept(serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.service.watch.Watcher._matters", lambda *given: False)
    running = serve(service="versions: {keep: 1}\n")
    running.send([click("ann")])
    for number in range(3):
        change(running, f"{MORE}// {number}\n")
    assert [each["version"] for each in running.get("/versions")["versions"]] == [4, 3, 2, 1]
    assert snapshot_now(running)
    change(running, MORE)
    assert [each["version"] for each in running.get("/versions")["versions"]] == [5, 4]


def test_what_is_watched_comes_again_as_well(changing: Running, after_crash: After) -> None:
    with changing.monitor.stream("GET", "/api/v1/tenants/shop/tap") as tapped:
        lines = tapped.iter_lines()
        changing.send([click("ann", cart="c"), click("bob")])
        assert json.loads(next(lines))["outcome"]
        assert snapshot_now(changing)
        changing.send([click("ann"), click("eve")])
        again = after_crash(changing)
        assert again.out() == changing.out()
        assert [visit(again, user) for user in ("ann", "bob", "eve")] == [
            visit(changing, user) for user in ("ann", "bob", "eve")
        ]
        again.now_ms += 60_000
        changing.now_ms += 60_000
        wait_for(lambda: len(again.out_of("VisitEnd")) == len(changing.out_of("VisitEnd")) == 3)
        assert again.out() == changing.out()


def test_a_shadow_does_not_outlive_the_service(changing: Running, after_crash: After) -> None:
    changing.send([click("ann")])
    begun = changing.monitor.post("/api/v1/tenants/shop/shadow", json={})
    assert begun.status_code == 200, begun.text
    changing.send([click("ann")])
    again = after_crash(changing)
    assert again.monitor.get("/api/v1/tenants/shop/shadow").status_code == 404
    assert visit(again, "ann")["events"] == 2
    assert again.out() == changing.out()


def test_ways_out_follow_the_rules(serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.service.watch.Watcher._matters", lambda *given: False)
    running = serve(service="tenants: [{name: shop, files: {}, parquet: {rows: 1}}]")
    running.send([click("ann")])
    change(running, "@DecorateEvent select 7 as worth from VisitEnd;")
    running.now_ms += 60_000
    (file,) = wait_for(lambda: list((running.state / "parquet" / "shop" / "VisitEnd").rglob("*.parquet")))
    (row,) = pq.read_table(file, partitioning=None).to_pylist()
    assert (row["worth"], row["_snec"]) == (7, 1)
