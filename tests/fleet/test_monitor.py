"""Monitoring over several workers: their answers as one, and which of them are missing from it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runtime.fleet.facts import WorkerState
from tests.service.running import START_MS, TENANT, click, wait_for

from .hosts import Fleet

Gather = Callable[..., Fleet]


@pytest.fixture
def busy(fleet: Fleet) -> Fleet:
    """Ten visits in each worker, each with a cart."""
    fleet.send([click(user, cart="c", page="/home") for number in (0, 1) for user in fleet.users(number, 10)])
    return fleet


def test_counters_are_summed(busy: Fleet) -> None:
    (shop,) = busy.monitor.get("/api/v1/service").json()["tenants"]
    assert (shop["state"], shop["events"], shop["live_sessions"], shop["problem"]) == ("running", 20, 20, None)
    details = busy.get("")
    (visit,) = details["profiles"]
    assert (visit["created"], visit["active"], visit["sub_sessions"][0]["created"]) == (20, 20, 20)
    assert details["outcomes"] == {"ok": 20}
    assert [each["name"].partition(":")[0] for each in details["deliveries"]] == ["worker 0"] * 2 + ["worker 1"] * 2
    rules = {each["rule"]: each["matches"] for each in busy.get("/rules")["rules"]}
    assert (rules["clicks"], rules["landing"], rules["never"]) == (20, 20, 0)
    assert "missing" not in details


def test_means_are_of_all_sessions(fleet: Fleet) -> None:
    (first,), (second, third) = fleet.users(0, 1), fleet.users(1, 2)
    fleet.send([click(first), click(first), click(first), click(second), click(third)])
    fleet.now_ms += 20_000
    wait_for(lambda: fleet.get("")["ended_sessions"] == 3)
    (visit,) = fleet.get("")["profiles"]
    assert (visit["ended"], visit["mean_events"], visit["max_events"]) == ({"gap": 3}, 1.67, 3)
    ends = fleet.get("/ends?limit=2")["ends"]
    assert [each["kind"] for each in ends] == ["Visit", "Visit"]


def test_a_sample_is_of_all_workers(busy: Fleet) -> None:
    wait_for(lambda: sum(each["created"] for each in busy.get("/series")["samples"]) == 20)
    wait_for(lambda: busy.get("/series")["samples"][-1]["live"] == 20)


def test_dead_letters_are_those_of_all(fleet: Fleet) -> None:
    for number, time_ms in ((0, 1_000), (1, 2_000), (0, 3_000)):
        fleet.now_ms = START_MS + time_ms
        fleet.send([{"user": fleet.users(number, 1)[0], "raw": b"from %d" % number}])
    found = fleet.get("/dead-letters?limit=2")
    assert found["counts"] == {"bad_json": 3}
    assert [each["event"] for each in found["dead_letters"]] == ["from 0", "from 1"]


def test_every_session_is_on_one_page(busy: Fleet) -> None:
    everybody = sorted(busy.users(0, 10) + busy.users(1, 10))
    for limit in (3, 10, 50):
        keys: list[str] = []
        path, start = f"/sessions?limit={limit}&start=", 0
        while start is not None:
            page = busy.get(f"{path}{start}")
            assert len(page["sessions"]) <= limit
            keys += [each["key"] for each in page["sessions"]]
            start = page["next"]
        assert sorted(keys) == everybody, limit


@pytest.mark.parametrize("number", [0, 1])
def test_the_very_key_comes_first(number: int, fleet: Fleet) -> None:
    exact = fleet.users(number, 1)[0]
    fleet.send([click(f"{exact}{more}") for more in range(20)] + [click(exact)])
    found = fleet.get(f"/sessions?key={exact}")["sessions"]
    assert len(found) == 21
    assert found[0]["key"] == exact


def test_a_session_is_asked_of_its_owner(busy: Fleet) -> None:
    for number in (0, 1):
        user = busy.users(number, 1)[0]
        found = busy.get(f"/session?profile=Visit&key={user}&trace=on")
        assert (found["state"], found["metadata"], found["trace"]) == ({"clicks": 1}, {"landing": "/home"}, [])
        busy.send([click(user)])
        assert len(busy.get(f"/session/trace?profile=Visit&key={user}")["trace"]) == 1
    assert busy.monitor.get("/api/v1/tenants/shop/session?profile=Visit&key=nobody").status_code == 404


def test_a_session_is_ended_where_it_is(busy: Fleet) -> None:
    path = "/api/v1/tenants/shop/session/end"
    for number in (0, 1):
        name = {"profile": "Visit", "key": busy.users(number, 1)[0]}
        response = busy.monitor.post(path, json=name)
        assert (response.status_code, response.json()) == (200, {"ended": True})
        assert busy.monitor.post(path, json=name).status_code == 404
    assert busy.get("")["live_sessions"] == 18


def test_pause_and_resume(fleet: Fleet) -> None:
    assert fleet.monitor.post("/api/v1/tenants/shop/pause", json={}).json()["state"] == "paused"
    assert fleet.monitor.post("/api/v1/tenants/shop/resume", json={}).json()["state"] == "running"


def test_a_reload_and_a_way_back(busy: Fleet) -> None:
    file = busy.places[0] / "sessionizer.yaml"
    file.write_text(file.read_text().replace("'10s'", "'10s'").replace('"10s"', '"20s"'))
    plan = busy.get("/plan")
    assert (plan["unchanged"], plan["plan"]["profiles"][0]["open_sessions"]) == (False, 20)
    outcome = busy.monitor.post("/api/v1/tenants/shop/reload", json={}).json()
    assert (outcome["result"], outcome["version"], outcome["sessions"]) == ("reloaded", 2, 20)
    assert [each["version"] for each in busy.get("/versions")["versions"]] == [2, 1]
    assert busy.get("/config")["version"] == 2
    outcome = busy.monitor.post("/api/v1/tenants/shop/rollback", json={"version": 1}).json()
    assert (outcome["result"], outcome["version"]) == ("reloaded", 1)
    assert busy.monitor.post("/api/v1/tenants/shop/rollback", json={"version": 9}).status_code == 404


def test_rules_that_are_wrong_are_wrong_for_all(busy: Fleet) -> None:
    (busy.places[0] / "sessionizer.yaml").write_text("tenant: [")
    for response in (busy.monitor.get("/api/v1/tenants/shop/plan"),):
        assert (response.status_code, response.json()["result"]) == (422, "bad_rules")
        assert response.json()["error"]


def test_metrics_say_which_worker(busy: Fleet) -> None:
    text = busy.monitor.get("/metrics").text
    found = {
        (sample.name, sample.labels.get("worker"), sample.labels.get("le")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert [found["sojourn_sessions_created_total", number, None] for number in ("0", "1")] == [10, 10]
    assert [found["sojourn_worker_up", number, None] for number in ("0", "1")] == [1, 1]
    assert found["sojourn_session_events_bucket", "0", "1.0"] == 0
    # The front counts what comes in, and nobody else does.
    assert ("sojourn_ingest_seconds_count", None, None) in found
    assert ("sojourn_ingest_seconds_count", "0", None) not in found
    types = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(types) == len(set(types))


def test_probes(fleet: Fleet) -> None:
    for probe in ("/livez", "/readyz", "/startupz"):
        response = fleet.monitor.get(probe)
        assert (response.status_code, response.text) == (200, "ok")
    fleet.down(1)
    response = fleet.monitor.get("/readyz")
    assert (response.status_code, response.text) == (503, "worker 1: down")
    assert fleet.monitor.get("/livez").status_code == 200
    fleet.front.illness = "worker 1 dies again and again"
    response = fleet.monitor.get("/livez")
    assert (response.status_code, response.text) == (503, "worker 1 dies again and again")


LOOKS = ("", "/rules", "/series", "/ends", "/dead-letters", "/config", "/sessions", "/plan")


@pytest.mark.parametrize("state", [WorkerState.DOWN, WorkerState.READY])
def test_answers_say_who_is_missing(state: WorkerState, busy: Fleet) -> None:
    """Also where the front has not noticed yet."""
    busy.down(1, state)
    for path in LOOKS:
        assert busy.get(path)["missing"] == [1], path
    service = busy.monitor.get("/api/v1/service").json()
    assert (service["missing"], service["tenants"][0]["problem"]) == ([1], "worker 1 does not answer")
    assert busy.get("")["live_sessions"] == 10
    mine, lost = busy.users(0, 1)[0], busy.users(1, 1)[0]
    assert busy.get(f"/session?profile=Visit&key={mine}")["key"] == mine
    response = busy.monitor.get(f"/api/v1/tenants/shop/session?profile=Visit&key={lost}")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.json()["error"] == "worker 1, whose session this is, does not answer"
    assert (
        'sojourn_sessions_created_total{profile="Visit",tenant="shop",worker="0"}' in busy.monitor.get("/metrics").text
    )
    busy.up(1)
    assert busy.get("")["live_sessions"] == 20


def test_with_nobody_there_is_an_answer_all_the_same(busy: Fleet) -> None:
    for number in (0, 1):
        busy.down(number)
    for path in LOOKS[:-1]:
        assert busy.get(path)["missing"] == [0, 1], path
    assert (busy.get("")["state"], busy.get("")["events"]) == ("stuck", 0)
    assert busy.monitor.get("/api/v1/tenants/shop/plan").status_code == 503
    assert busy.monitor.get("/metrics").status_code == 200


def test_who_does_not_answer_holds_nobody_up(busy: Fleet) -> None:
    """A worker that takes connections and says nothing, as one that was stopped would."""
    with busy.mute(1):
        assert busy.get("")["missing"] == [1]
        assert busy.get("/sessions")["missing"] == [1]
        assert busy.monitor.get("/workers/1/").status_code == 503
    wait_for(lambda: "missing" not in busy.get(""))


def test_workers(busy: Fleet) -> None:
    busy.down(1)
    first, second = busy.monitor.get("/api/v1/workers").json()["workers"]
    assert (first["state"], first["pid"], first["events"], first["live_sessions"]) == ("ready", 1000, 10, 10)
    assert (second["state"], second["restarts"], second["events"]) == ("down", 1, None)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/tenants/nobody", 404),
        ("/api/v1/tenants/shop/session?profile=Nothing&key=ann", 404),
        ("/api/v1/tenants/shop/session?key=ann", 400),
        ("/api/v1/tenants/shop/sessions?profile=Nothing", 404),
        ("/api/v1/tenants/shop/sessions?limit=many", 400),
        ("/api/v1/tenants/shop/ends?limit=many", 400),
        ("/api/v1/tenants/nobody/tap", 404),
        ("/api/v1/tenants/shop/tap?sample=2", 400),
        ("/api/v1/tenants/shop/pause", 405),
        ("/api/v1/nothing", 404),
    ],
)
def test_what_there_is_not(path: str, status: int, fleet: Fleet) -> None:
    response = fleet.monitor.get(path)
    assert response.status_code == status
    assert response.json()["error"]


def test_the_token_is_handed_on(gather: Gather) -> None:
    fleet = gather(service="monitor: {token_file: admin.token}")
    assert fleet.monitor.get("/api/v1/service").status_code == 401
    assert fleet.monitor.get("/workers/0/").status_code == 401
    headers = {"Authorization": "Bearer the-token-of-admin"}
    assert "missing" not in fleet.monitor.get("/api/v1/service", headers=headers).json()
    assert fleet.monitor.get("/workers/0/", headers=headers).status_code == 200


def test_several_tenants(gather: Gather) -> None:
    fleet = gather(TENANT, {**TENANT, "tenant": "a b?&#ü"}, workers=3)
    found = fleet.monitor.get("/api/v1/service").json()["tenants"]
    assert [each["tenant"] for each in found] == ["shop", "a b?&#ü"]
    assert fleet.get("", "a b%3F&%23ü")["tenant"] == "a b?&#ü"
