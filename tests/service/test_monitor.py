"""What can be seen of a service, and done to it, over its API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from .running import NDJSON, START_MS, TENANT, Receiver, Running, click, lines_of, wait_for


def metrics(running: Running) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """All samples, by name and labels other than the tenant."""
    text = running.monitor.get("/metrics").text
    return {
        (sample.name, frozenset(item for item in sample.labels.items() if item[0] != "tenant")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_probes(running: Running) -> None:
    for probe in ("/livez", "/readyz", "/startupz"):
        response = running.monitor.get(probe)
        assert (response.status_code, response.text) == (200, "ok")


def test_the_service_and_its_tenants(serve: Callable[..., Running]) -> None:
    running = serve(TENANT, {**TENANT, "tenant": "other"})
    running.send([click("ann"), click("bob")])
    found = running.monitor.get("/api/v1/service").json()
    assert [each["tenant"] for each in found["tenants"]] == ["shop", "other"]
    shop = found["tenants"][0]
    assert (shop["state"], shop["events"], shop["live_sessions"], shop["problem"]) == ("running", 2, 2, None)
    assert shop["latency_p99_ms"] > 0


def test_sessions_end_as_time_goes_on(running: Running) -> None:
    running.send([click("ann", cart="c1"), click("bob")])
    running.now_ms += 7_000
    wait_for(lambda: running.out_of("CartEnd"))
    running.now_ms += 7_000
    wait_for(lambda: len(running.out_of("VisitEnd")) == 2)
    details = running.get("")
    (visit,) = details["profiles"]
    assert (visit["profile"], visit["active"], visit["created"], visit["ended"]) == ("Visit", 0, 2, {"gap": 2})
    assert visit["sub_sessions"][0]["ended"] == {"gap": 1}
    ends = running.get("/ends")["ends"]
    assert [(each["kind"], each["reason"]) for each in ends] == [
        ("Visit", "gap"),
        ("Visit", "gap"),
        ("Visit/Cart", "gap"),
    ]
    assert ends[0]["events"] == 1


def test_a_session_with_all_that_is_known_of_it(running: Running) -> None:
    running.send([click("ann", page="/home"), click("ann", cart="c1", page="/p")])
    found = running.monitor.get("/api/v1/tenants/shop/session", params={"profile": "Visit", "key": "ann"}).json()
    assert found["state"] == {"clicks": 2}
    assert found["metadata"] == {"landing": "/home"}
    assert (found["created_ms"], found["expires_at_ms"], found["events"]) == (START_MS, START_MS + 10_000, 2)
    (cart,) = found["sub_sessions"]
    assert (cart["sub_session"], cart["key"], cart["gap_ms"]) == ("Cart", "c1", 5_000)


def test_sessions_are_found_by_key_and_listed_in_pages(running: Running) -> None:
    running.send([click(f"user-{number}") for number in range(30)])
    first = running.get("/sessions?limit=20")
    second = running.get(f"/sessions?limit=20&start={first['next']}")
    keys = [each["key"] for each in first["sessions"] + second["sessions"]]
    assert keys == [f"user-{number}" for number in range(30)]
    assert second["next"] is None
    found = running.get("/sessions?key=user-2")["sessions"]
    assert [each["key"] for each in found] == ["user-2", *(f"user-2{digit}" for digit in range(10))]
    assert running.get("/sessions?key=nobody") == {"sessions": [], "next": None}


def test_rules_with_matches_and_errors(running: Running) -> None:
    running.send([click("ann", n=1), click("ann", n=0)])
    rules = {each["rule"]: each for each in running.get("/rules")["rules"]}
    assert (rules["clicks"]["matches"], rules["never"]["matches"]) == (2, 0)
    assert rules["a bad cast"]["errors"] == {"RuleError": 1}
    assert rules["landing"]["text"].startswith("@Name('landing') @UpdateMetadata")
    assert (rules["clicks"]["rules"], rules["clicks"]["file"]) == ("Visit", "sessionizer.yaml")


def test_dead_letters(running: Running) -> None:
    running.ingest.post("/v1/events/shop", content=b'{"user": 1}\nno\n', headers=NDJSON)
    found = running.get("/dead-letters?limit=1")
    assert found["counts"] == {"bad_type": 1, "bad_json": 1}
    (letter,) = found["dead_letters"]
    assert (letter["code"], letter["event"], letter["line"]) == ("bad_json", "no", 2)


def test_configuration(running: Running) -> None:
    files = running.get("/config")["files"]
    assert next(iter(files.values())).startswith('{"tenant": "shop"')


def test_metrics(running: Running) -> None:
    running.send([click("ann", cart="c"), click("ann", n=0), click("bob")])
    running.ingest.post("/v1/events/shop", content=b"no\n", headers=NDJSON)
    running.now_ms += 20_000
    wait_for(lambda: len(running.out_of("VisitEnd")) == 2)
    found = metrics(running)

    def value(name: str, **labels: str) -> float:
        return found[name, frozenset(labels.items())]

    assert value("sojourn_events_total", outcome="ok") == 3
    assert value("sojourn_log_bytes") > 0
    assert value("sojourn_dead_letters_total", code="bad_json") == 1
    assert value("sojourn_sessions_ended_total", profile="Visit", reason="gap") == 2
    assert value("sojourn_sub_sessions_created_total", profile="Visit", sub_session="Cart") == 1
    assert value("sojourn_session_events_count", profile="Visit") == 2
    assert value("sojourn_session_events_bucket", profile="Visit", le="1.0") == 1
    assert value("sojourn_session_events_bucket", profile="Visit", le="3.0") == 2
    assert value("sojourn_session_events_sum", profile="Visit") == 3
    assert value("sojourn_session_lag_seconds_count", profile="Visit") == 2
    assert value("sojourn_session_max_expiry_delay_seconds", profile="Visit") > 0
    assert value("sojourn_cache_objects", profile="Visit") == 0
    assert value("sojourn_cache_bytes", state="used") == 0
    assert value("sojourn_cache_bytes", state="free") > value("sojourn_cache_bytes", state="reserved")
    assert value("sojourn_rule_errors_total", rule="a bad cast", error="RuleError") == 1
    assert value("sojourn_ingest_seconds_count") == 2
    assert value("sojourn_ingest_requests_total", status="200") == 2
    assert value("sojourn_tenant_state", state="running") == 1


def test_half_a_character_that_a_rule_made_is_shown_somehow(serve: Callable[..., Running]) -> None:
    rules = "@DebugSession(counter='of', colname='half') @UpdateState select fromJson(page) as half from Click;"
    (profile,) = TENANT["profiles"]
    running = serve({**TENANT, "profiles": [{**profile, "rules_text": rules, "sub_sessions": []}]})
    running.send([click("ann", page='"\\ud800"')])
    assert running.monitor.get("/metrics").status_code == 200
    for page in ("", "/session?profile=Visit&key=ann"):
        assert running.monitor.get(f"/tenants/shop{page}").status_code == 200
        running.get(page)


def test_a_sample_a_second(running: Running) -> None:
    wait_for(lambda: len(running.get("/series")["samples"]) >= 1)
    running.send([click("ann"), click("bob")])
    wait_for(lambda: sum(each["events"] for each in running.get("/series")["samples"]) == 2)
    assert running.get("/series")["samples"][-1]["live"] == 2


def test_a_session_is_ended_on_demand(running: Running) -> None:
    running.send([click("ann", cart="c"), click("bob")])
    path = "/api/v1/tenants/shop/session/end"
    response = running.monitor.post(path, json={"profile": "Visit", "key": "ann"})
    assert (response.status_code, response.json()) == (200, {"ended": True})
    markers = running.out_of("CartEnd", "VisitEnd")
    assert [(each["_type"], each["_snrs"]) for each in markers] == [("CartEnd", "parent"), ("VisitEnd", "forced")]
    assert running.monitor.post(path, json={"profile": "Visit", "key": "ann"}).status_code == 404
    assert running.monitor.post(path, json={"key": "ann"}).status_code == 400
    assert running.get("")["live_sessions"] == 1


def test_an_end_that_nobody_takes_is_tried_again(serve: Callable[..., Running], receiver: Receiver) -> None:
    receiver.status = 500
    running = serve(service=f"tenants: [{{name: shop, http: [{{url: '{receiver.url}'}}]}}]")
    running.send([click("ann")])
    wait_for(lambda: running.get("")["state"] == "stuck")
    response = running.monitor.post("/api/v1/tenants/shop/session/end", json={"profile": "Visit", "key": "ann"})
    assert (response.status_code, response.json()) == (202, {"ended": False})
    receiver.status = 200
    wait_for(lambda: running.get("")["state"] == "running")
    running.now_ms += 5_000
    wait_for(lambda: [each["_snrs"] for each in receiver.events() if each.get("_type") == "VisitEnd"] == ["forced"])


def test_a_defect_stops_the_service_and_is_told(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    running.send([click("ann")])
    del running.now_ms  # whatever asks for the time fails from here on
    wait_for(lambda: running.left)
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == [
        "a part of the service failed, so it stops"
    ]


def test_pause_and_resume(running: Running) -> None:
    running.send([click("ann")])
    paused = running.monitor.post("/api/v1/tenants/shop/pause", json={})
    assert paused.json()["state"] == "paused"
    refused = running.ingest.post("/v1/events/shop", content=lines_of([click("bob")]), headers=NDJSON)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "10")
    running.now_ms += 20_000
    wait_for(lambda: running.out_of("VisitEnd"))
    assert running.monitor.post("/api/v1/tenants/shop/resume", json={}).json()["state"] == "running"
    running.send([click("bob")])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/tenants/nobody", 404),
        ("/api/v1/tenants/shop/session?profile=Visit&key=nobody", 404),
        ("/api/v1/tenants/shop/session?profile=Nothing&key=ann", 404),
        ("/api/v1/tenants/shop/sessions?profile=Nothing", 404),
        ("/api/v1/tenants/shop/sessions?limit=many", 400),
        ("/api/v1/nothing", 404),
        ("/api/v1/tenants/shop/pause", 405),
    ],
)
def test_what_there_is_not(path: str, status: int, running: Running) -> None:
    response = running.monitor.get(path)
    assert response.status_code == status
    assert response.json()["error"]


def test_with_a_token_only_probes_are_open(serve: Callable[..., Running]) -> None:
    running = serve(service="monitor: {token_file: admin.token}")
    assert running.monitor.get("/readyz").status_code == 200
    for path in ("/metrics", "/api/v1/service"):
        assert running.monitor.get(path).status_code == 401
        assert running.monitor.get(path, headers={"Authorization": "Bearer the-token-of-shop"}).status_code == 401
        assert running.monitor.get(path, headers={"Authorization": "Bearer the-token-of-admin"}).status_code == 200
        # What a browser sends when it has asked for a password.
        assert running.monitor.get(path, auth=("anybody", "the-token-of-admin")).status_code == 200


@pytest.mark.parametrize("given", [{"data": {}}, {"content": b"{}", "headers": {"Content-Type": "text/plain"}}])
def test_forms_of_other_pages_do_nothing(given: dict[str, Any], running: Running) -> None:
    assert running.monitor.post("/api/v1/tenants/shop/pause", **given).status_code == 415
    assert running.get("")["state"] == "running"


def test_without_a_token_only_this_machine_is_served_by_its_name(running: Running) -> None:
    for host, status in (("evil.example:9999", 403), ("localhost:9999", 200), ("[::1]:9999", 200), ("127.0.0.1", 200)):
        assert running.monitor.get("/api/v1/service", headers={"Host": host}).status_code == status


def test_events_that_say_what_time_it_is(serve: Callable[..., Running]) -> None:
    by_events = {
        **TENANT,
        "events": {"Click": {"user": "string", "at": "long", "n": "int", "cart": "string", "page": "string"}},
        "controller_text": "@Session('Visit') select user as _pk_, at as _timestamp_ from Click;",
        "time": {"domain": "event", "idle_close": "60s"},
    }
    running = serve(by_events)
    running.send([click("ann", at=START_MS - 3_600_000), click("bob", at=START_MS - 3_500_000)])
    assert [each["_snid"][:3] for each in running.out_of("VisitEnd")] == ["ann"]
    bob = running.get("/session?profile=Visit&key=bob")
    assert (bob["now_ms"], bob["expires_at_ms"]) == (START_MS - 3_500_000, START_MS - 3_490_000)
    assert "<dt>Due in</dt><dd>10.0 s</dd>" in running.monitor.get("/tenants/shop/session?profile=Visit&key=bob").text
    # The wall clock ends nothing, until the stream has been quiet.
    running.now_ms += 59_000
    assert running.get("")["live_sessions"] == 1
    running.now_ms += 2_000
    wait_for(lambda: [each["_snrs"] for each in running.out_of("VisitEnd")] == ["gap", "idle_partition"])
