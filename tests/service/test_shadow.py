"""A second rule set beside the running one: the same events, nothing delivered, both compared."""

from __future__ import annotations

from typing import Any

from .running import Running, click, wait_for
from .test_reload import BAD, MORE, RULES, Row, change, post, tenant


def shadow(running: Running) -> Row:
    """How the shadow compares."""
    return running.get("/shadow")["comparison"]  # type: ignore[no-any-return]


def lines(running: Running) -> dict[str, tuple[int, int]]:
    """Lines by type: the running rules' and the shadow's."""
    return {each["type"]: (each["running"], each["shadow"]) for each in shadow(running)["lines"]}


def test_the_same_rules_do_the_same(quiet: Running) -> None:
    quiet.send([click("ann", cart="c"), click("bob")])
    begun = post(quiet, "/shadow")
    assert (begun["version"], begun["sessions_at_start"]) == (1, 2)
    quiet.send([click("ann", cart="c", n=1), click("eve"), click("ann")])
    quiet.now_ms += 60_000
    wait_for(lambda: len(quiet.out_of("VisitEnd")) == 3)
    found = wait_for(lambda: (it := shadow(quiet))["ends"]["same"] == 4 and it)
    assert found["events"] == {"same": 3, "different": 0, "differences": []}
    assert found["ends"] == {
        "same": 4,
        "different": 0,
        "differences": [],
        "only_running": 0,
        "only_shadow": 0,
        "alone": [],
    }
    assert lines(quiet) == {"": (3, 3), "CartEnd": (1, 1), "VisitBegin": (1, 1), "VisitEnd": (3, 3)}


def test_what_would_be_otherwise_is_shown(quiet: Running) -> None:
    quiet.send([click("ann")])
    rules = f"{RULES}@UpdateMetadata select page as latest from Click; @DecorateEvent select n as m from Click(n > 1);"
    change(quiet, tenant(rules))
    assert post(quiet, "/shadow")["version"] == 2
    quiet.send([click("ann", page="/x", n=1), click("ann", page="/y", n=2)])
    quiet.now_ms += 60_000
    wait_for(lambda: quiet.out_of("VisitEnd"))
    found = wait_for(lambda: (it := shadow(quiet))["ends"]["different"] and it)
    (end,) = found["ends"]["differences"]
    assert (end["fields"], end["running"].get("latest"), end["shadow"]["latest"]) == (["latest"], None, "/y")
    (event,) = found["events"]["differences"]
    assert (event["fields"], event["shadow"]["m"], found["events"]["same"]) == (["m"], 2, 1)
    assert not any("m" in each or "latest" in each for each in quiet.out()), "nothing of it is delivered"
    assert quiet.get("/versions")["version"] == 1


def test_a_session_of_before_keeps_its_gap_as_after_a_reload(quiet: Running) -> None:
    quiet.send([click("ann")])
    change(quiet, tenant(gap="40s"))
    post(quiet, "/shadow")
    quiet.now_ms += 20_000
    wait_for(lambda: quiet.out_of("VisitEnd"))
    assert wait_for(lambda: shadow(quiet)["ends"]["same"] == 1)


def test_ends_that_leave_at_other_times_are_compared_when_both_have(quiet: Running) -> None:
    made = tenant(gap="40s")
    made["profiles"][0]["sub_sessions"][0]["gap"] = "20s"
    change(quiet, made)
    post(quiet, "/shadow")
    quiet.send([click("ann")])
    quiet.now_ms += 20_000
    wait_for(lambda: quiet.out_of("VisitEnd"))
    found = wait_for(lambda: (it := shadow(quiet))["ends"]["only_running"] == 1 and it)
    assert found["ends"]["alone"][0]["running"]["_snrs"] == "gap"
    quiet.now_ms += 30_000
    found = wait_for(lambda: (it := shadow(quiet))["ends"]["same"] == 1 and it)
    assert found["ends"]["only_running"] == 0


def test_a_session_that_is_ended_by_hand(quiet: Running) -> None:
    quiet.send([click("ann")])
    post(quiet, "/shadow")
    post(quiet, "/session/end", {"profile": "Visit", "key": "ann"})
    assert shadow(quiet)["ends"]["same"] == 1


def test_it_is_promoted(quiet: Running) -> None:
    quiet.send([click("ann")])
    change(quiet, tenant(MORE))
    post(quiet, "/shadow")
    quiet.send([click("ann")])
    found = post(quiet, "/shadow/promote")
    assert (found["result"], found["version"], found["sessions"]) == ("reloaded", 2, 1)
    assert quiet.monitor.get("/api/v1/tenants/shop/shadow").status_code == 404
    quiet.now_ms += 60_000
    wait_for(lambda: quiet.out_of("VisitEnd"))
    assert [each["_snec"] for each in quiet.out_of("VisitEnd")] == [2], "sessions are those that ran"


def test_it_is_ended(quiet: Running) -> None:
    post(quiet, "/shadow")
    assert quiet.monitor.delete("/api/v1/tenants/shop/shadow").json()["version"] == 1
    assert quiet.monitor.delete("/api/v1/tenants/shop/shadow").status_code == 404
    assert post(quiet, "/shadow/promote", status=404)["error"].startswith("no shadow runs")


def test_a_reload_ends_it(quiet: Running) -> None:
    post(quiet, "/shadow")
    change(quiet, tenant(MORE))
    post(quiet, "/reload")
    assert quiet.monitor.get("/api/v1/tenants/shop/shadow").status_code == 404


def test_bad_rules_cast_none(quiet: Running) -> None:
    change(quiet, tenant(BAD))
    assert post(quiet, "/shadow", status=422)["diagnostics"]
    change(quiet, {**tenant(), "tenant": "other"})
    assert "shop" in post(quiet, "/shadow", status=409)["error"]
    assert post(quiet, "/shadow", {"version": 5}, 404)
    assert quiet.monitor.get("/api/v1/tenants/shop/shadow").status_code == 404


def test_a_version_may_be_one(quiet: Running) -> None:
    change(quiet, tenant(MORE))
    post(quiet, "/reload")
    assert post(quiet, "/shadow", {"version": 1})["version"] == 1


def test_a_defect_of_it_is_its_own(quiet: Running) -> None:
    post(quiet, "/shadow")
    engine: Any = quiet.service.host.tenants["shop"].shadow._engine  # type: ignore[union-attr]
    engine.process = None
    quiet.send([click("ann")])
    assert "a defect" in quiet.get("/shadow")["problem"]
    quiet.send([click("ann")])
    assert quiet.get("")["outcomes"] == {"ok": 2}
