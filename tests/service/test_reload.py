"""Other rules while events come: asked for by API, by a file that changes, by a signal; bad ones change nothing."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import pytest

from .running import TENANT, Running, click, snapshot_now, wait_for

Row = dict[str, Any]
RULES: str = TENANT["profiles"][0]["rules_text"]


def tenant(rules: str = RULES, **more: Any) -> Row:
    """The shop with other rules for its visits."""
    made = deepcopy(TENANT)
    made["profiles"][0] |= {"rules_text": rules, **more}
    return made


def yaml_of(running: Running) -> Path:
    """The YAML of the shop."""
    return running.state.parent / "tenant-0" / "sessionizer.yaml"


def change(running: Running, config: Row) -> None:
    """Saves another configuration as editors do: beside, and then in its place."""
    file = yaml_of(running)
    beside = file.with_name("sessionizer.yaml~")
    beside.write_text(json.dumps(config))
    os.replace(beside, file)


def post(running: Running, path: str, body: Row | None = None, status: int = 200, tenant: str = "shop") -> Row:
    """What the API answers to an order, with this status."""
    response = running.monitor.post(f"/api/v1/tenants/{tenant}{path}", json={} if body is None else body)
    assert response.status_code == status, response.text
    found: Row = response.json()
    return found


MORE = f"{RULES}@Name('more') @UpdateCounter('more') select 1 from Click; @DecorateEvent select 2 as v from Click;"
BAD = f"{RULES}@UpdateCounter('x') select nothing from Click;\n"


# ---- by API


def test_sessions_go_on_under_other_rules(quiet: Running) -> None:
    quiet.send([click("ann", cart="c"), click("bob")])
    change(quiet, tenant(MORE))
    found = post(quiet, "/reload")
    assert (found["result"], found["version"], found["sessions"]) == ("reloaded", 2, 2)
    quiet.send([click("ann", cart="c")])
    quiet.now_ms += 60_000
    wait_for(lambda: len(quiet.out_of("VisitEnd")) == 2)
    ends = {each["_snid"][:3]: each for each in quiet.out_of("VisitEnd")}
    assert ends["ann"]["_snec"] == 2
    assert [each.get("v") for each in quiet.out() if "user" in each] == [None, None, 2]
    assert len(quiet.out_of("VisitBegin")) == 2 and len(quiet.out_of("CartBegin")) == 1


def test_the_same_rules_change_nothing(quiet: Running) -> None:
    assert post(quiet, "/reload")["result"] == "unchanged"
    facts = quiet.get("/versions")
    assert ([each["version"] for each in facts["versions"]], facts["reloads"]["unchanged"]) == ([1], 1)


def test_bad_rules_leave_the_running_ones(quiet: Running) -> None:
    quiet.send([click("ann")])
    change(quiet, tenant(BAD))
    found = post(quiet, "/reload", status=422)
    (problem,) = found["diagnostics"]
    assert found["error"] == "the rules have 1 error"
    assert problem["severity"] == "error" and problem["line"] > 0 and problem["file"].endswith("rules_text")
    assert "nothing" in problem["message"] and "^" in problem["excerpt"]
    quiet.send([click("ann")])
    assert quiet.get("")["live_sessions"] == 1
    facts = quiet.get("/versions")
    assert facts["version"] == 1
    assert facts["last"]["diagnostics"] == found["diagnostics"]
    change(quiet, tenant(MORE))
    assert post(quiet, "/reload")["result"] == "reloaded"


@pytest.mark.parametrize("text", ["tenant: [", "", "tenant: shop\nprofiles: 7\n"])
def test_a_yaml_that_cannot_be_read(text: str, quiet: Running) -> None:
    yaml_of(quiet).write_text(text)
    assert post(quiet, "/reload", status=422)["diagnostics"]
    yaml_of(quiet).unlink()
    assert "no such file" in post(quiet, "/reload", status=422)["diagnostics"][0]["message"]
    assert quiet.send([click("ann")])["accepted"] == 1


def test_a_warning_is_told_and_stops_nothing(quiet: Running) -> None:
    change(quiet, tenant(f"{RULES}@UpdateState select 1 as unread from Click(1 = 1);"))
    found = post(quiet, "/reload")
    assert found["result"] == "reloaded"
    assert {each["severity"] for each in found["diagnostics"]} == {"warning"}


def test_where_lint_is_strict_a_warning_stops_it(quiet: Running) -> None:
    change(quiet, {**tenant(f"{RULES}@UpdateState select 1 as unread from Click(1 = 1);"), "lint": {"strict": True}})
    assert post(quiet, "/reload", status=422)["error"].startswith("the rules have ")


def test_what_sessions_would_lose_is_told_first(quiet: Running) -> None:
    quiet.send([click("ann", page="/home")])
    change(quiet, tenant("@Name('clicks') @UpdateCounter('clicks') select 1 from Click;", sub_sessions=[]))
    planned = quiet.get("/plan")
    assert planned["plan"]["loses"] and not planned["unchanged"]
    found = post(quiet, "/reload", status=409)
    assert found["plan"] == planned["plan"] and found["version"] == 1
    found = post(quiet, "/reload", {"force": True})
    assert (found["result"], found["sessions"]) == ("reloaded", 1)


def test_where_nothing_is_open_nothing_is_lost(quiet: Running) -> None:
    change(quiet, tenant("@Name('clicks') @UpdateCounter('clicks') select 1 from Click;", sub_sessions=[]))
    assert post(quiet, "/reload")["result"] == "reloaded"


def test_what_cannot_be_taken_over_is_refused_by_force_too(quiet: Running) -> None:
    change(quiet, {**tenant(), "tenant": "other"})
    assert "of tenant `shop`" in post(quiet, "/reload", {"force": True}, 409)["error"]
    gone = {**tenant(RULES.split("@SubSession")[0], sub_sessions=[]), "time": {"policy": "ender"}}
    change(quiet, gone)
    assert "policy" in post(quiet, "/reload", {"force": True}, 409)["error"]


def test_a_clock_that_nothing_tells_is_refused(quiet: Running) -> None:
    change(quiet, {**tenant(), "time": {"domain": "event"}})
    assert "_timestamp_" in post(quiet, "/reload", status=422)["error"]


def test_back_to_a_version(quiet: Running) -> None:
    quiet.send([click("ann")])
    change(quiet, tenant(MORE))
    post(quiet, "/reload")
    assert "more" in {each["rule"] for each in quiet.get("/rules")["rules"]}
    found = post(quiet, "/rollback", {"version": 1}, 409)
    assert found["plan"]["loses"], "the counter that only the newer rules have"
    assert post(quiet, "/rollback", {"version": 1, "force": True})["version"] == 1
    assert "more" not in {each["rule"] for each in quiet.get("/rules")["rules"]}
    assert [(each["version"], each["runs"]) for each in quiet.get("/versions")["versions"]] == [(2, False), (1, True)]
    assert post(quiet, "/reload")["version"] == 2, "the folder has the newer ones still"


def test_a_version_that_is_not_there(quiet: Running) -> None:
    assert post(quiet, "/rollback", {"version": 9}, 404)["error"] == "there is no version 9"
    assert quiet.monitor.get("/api/v1/tenants/shop/plan?version=9").status_code == 404


@pytest.mark.parametrize("path", ["/reload", "/rollback"])
@pytest.mark.parametrize("body", ['{"force": 1}', '{"else": true}', "[", "7"])
def test_an_order_that_cannot_be_read(path: str, body: str, quiet: Running) -> None:
    headers = {"Content-Type": "application/json"}
    response = quiet.monitor.post(f"/api/v1/tenants/shop{path}", content=body, headers=headers)
    assert response.status_code == 400 and "the body is not what it should be" in response.json()["error"]


def test_as_many_versions_as_should_be(serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.service.watch.Watcher._matters", lambda *given: False)
    running = serve(service="versions: {keep: 2}\n")
    for number in range(5):
        change(running, tenant(f"{RULES}// {number}\n"))
        if number == 4:
            assert snapshot_now(running), "the log goes by all of them until then"
        post(running, "/reload")
    assert [each["version"] for each in running.get("/versions")["versions"]] == [6, 5]


def test_counters_and_matches_go_on(quiet: Running) -> None:
    quiet.send([click("ann"), click("bob")])
    change(quiet, tenant(MORE))
    post(quiet, "/reload")
    quiet.send([click("ann")])
    matches = {each["rule"]: each["matches"] for each in quiet.get("/rules")["rules"]}
    assert (matches["clicks"], matches["more"]) == (3, 1)
    assert quiet.get("")["outcomes"] == {"ok": 3}


def test_metrics(quiet: Running) -> None:
    change(quiet, tenant(MORE))
    post(quiet, "/reload")
    change(quiet, tenant(BAD))
    post(quiet, "/reload", status=422)
    text = quiet.monitor.get("/metrics").text
    assert 'sojourn_reloads_total{outcome="reloaded",tenant="shop"} 1.0' in text
    assert 'sojourn_reloads_total{outcome="bad_rules",tenant="shop"} 1.0' in text
    assert 'sojourn_rules_version{tenant="shop"} 2.0' in text


def test_a_tenant_that_was_switched_off_works_again(quiet: Running) -> None:
    quiet.send([click("ann"), click("bob")])
    served = quiet.service.host.tenants["shop"]
    broken = served.tenant.engine
    broken.process = None  # type: ignore[assignment, method-assign]
    refused = quiet.ingest.post(
        "/v1/events/shop", content=b'{"user":"eve"}', headers={"Content-Type": "application/x-ndjson"}
    )
    assert quiet.get("")["state"] == "disabled", refused.text
    found = post(quiet, "/reload")
    assert (found["result"], found["sessions"], found["version"]) == ("reloaded", 2, 1)
    assert quiet.get("")["state"] == "running"
    quiet.send([click("ann")])
    assert quiet.get("")["live_sessions"] == 2


def test_one_that_is_beyond_repair_begins_anew(quiet: Running) -> None:
    quiet.send([click("ann")])
    broken = quiet.service.host.tenants["shop"].tenant.engine
    broken.process = None  # type: ignore[assignment, method-assign]
    broken.state = None  # type: ignore[assignment, method-assign]
    quiet.ingest.post("/v1/events/shop", content=b'{"user":"eve"}', headers={"Content-Type": "application/x-ndjson"})
    found = post(quiet, "/reload")
    assert (found["result"], found["sessions"], found["dropped_sessions"]) == ("reloaded", 0, 1)
    quiet.send([click("ann")])


# ---- when a file changes


def version(running: Running, name: str = "shop") -> int:
    """The version that runs."""
    found: int = running.get("/versions", name)["version"]
    return found


def watched(running: Running) -> Running:
    """The service, once it notices changes."""
    assert wait_for(lambda: running.service.is_watching)
    return running


def replaced(file: Path, text: str) -> None:
    beside = file.with_name("4913~")
    beside.write_text(text)
    os.replace(beside, file)


def moved_away(file: Path, text: str) -> None:
    file.rename(file.with_name(f"{file.name}~"))
    file.write_text(text)


def in_pieces(file: Path, text: str) -> None:
    with file.open("w") as opened:
        for start in range(0, len(text), 100):
            opened.write(text[start : start + 100])
            opened.flush()


def in_place(file: Path, text: str) -> None:
    file.write_text(text)


@pytest.mark.parametrize("save", [replaced, moved_away, in_pieces, in_place])
def test_editors_save_in_many_ways(save: Callable[[Path, str], None], running: Running) -> None:
    watched(running)
    save(yaml_of(running), json.dumps(tenant(MORE)))
    wait_for(lambda: version(running) > 1)
    assert wait_for(lambda: running.get("/versions")["last"]["result"] in ("reloaded", "unchanged"))
    assert "more" in {each["rule"] for each in running.get("/rules")["rules"]}


def test_bad_rules_are_told_and_good_ones_run_then(running: Running) -> None:
    watched(running)
    change(running, tenant(BAD))
    wait_for(lambda: running.get("/versions")["reloads"]["bad_rules"])
    assert version(running) == 1
    change(running, tenant(MORE))
    wait_for(lambda: version(running) == 2)


def test_only_the_tenant_whose_files_changed(serve: Callable[..., Running]) -> None:
    running = watched(serve(tenant(), {**tenant(), "tenant": "other"}))
    change(running, tenant(MORE))
    wait_for(lambda: version(running) == 2)
    assert running.get("/versions", "other")["last"] is None


def test_values_may_go_and_sessions_may_not(running: Running) -> None:
    """Nobody is there to be asked."""
    watched(running)
    running.send([click("ann")])
    change(running, tenant(RULES.replace("@Name('clicks') @UpdateCounter('clicks') select 1 from Click;", "")))
    wait_for(lambda: version(running) == 2)
    other = tenant(name="Day")
    other["controller_text"] = other["controller_text"].replace("Visit", "Day")
    change(running, other)
    last = wait_for(lambda: (found := running.get("/versions")["last"])["result"] == "refused" and found)
    assert [each["name"] for each in last["plan"]["profiles"] if each["change"] == "dropped"] == ["Visit"]
    assert version(running) == 2


def test_rules_in_files_here_and_elsewhere(serve: Callable[..., Running], tmp_path: Path) -> None:
    common = tmp_path / "common" / "visit.epl"
    common.parent.mkdir()
    common.write_text(RULES)
    made = tenant()
    del made["profiles"][0]["rules_text"]
    made["profiles"][0]["rules"] = str(common)
    running = watched(serve(made))
    replaced(common, MORE)
    wait_for(lambda: version(running) == 2)
    other = tmp_path / "elsewhere" / "visit.rules"
    other.parent.mkdir()
    other.write_text(RULES)
    made["profiles"][0]["rules"] = str(other)
    change(running, made)
    wait_for(lambda: version(running) == 3)
    replaced(other, f"{MORE}// and so on\n")
    wait_for(lambda: version(running) == 4)


def test_a_folder_behind_a_link_that_is_turned(serve: Callable[..., Running]) -> None:
    """As releases and mounted configurations are put in place."""
    running = watched(serve())
    folder = yaml_of(running).parent
    release = folder.with_name("release-2")
    release.mkdir()
    (release / "sessionizer.yaml").write_text(json.dumps(tenant(MORE)))
    folder.rename(folder.with_name("release-1"))
    folder.symlink_to(release)
    wait_for(lambda: version(running) == 2)
    replaced(release / "sessionizer.yaml", json.dumps(tenant(f"{MORE}// more\n")))
    wait_for(lambda: version(running) == 3)


FUNCTION = """\
from epl.extend import function

@function(examples={{"word()": "{word}"}})
def word() -> str:
    \"\"\"A word.\"\"\"
    return "{word}"
"""


def test_modules_beside_the_rules(serve: Callable[..., Running], tmp_path: Path) -> None:
    """A changed module is read anew; going back brings the one of then."""
    rules = "@DecorateEvent select word() as word from Click;"
    folder = tmp_path / "service-1" / "tenant-0"
    folder.mkdir(parents=True)
    (folder / "words.py").write_text(FUNCTION.format(word="first"))
    running = watched(serve({**tenant(rules, sub_sessions=[]), "imports": ["words"]}))
    running.send([click("ann")])
    replaced(folder / "words.py", FUNCTION.format(word="second"))
    wait_for(lambda: version(running) == 2)
    running.send([click("ann")])
    post(running, "/rollback", {"version": 1})
    running.send([click("ann")])
    assert [each["word"] for each in running.out() if "word" in each] == ["first", "second", "first"]


# ---- storms


def test_a_storm_of_reloads_under_load_loses_nothing(running: Running) -> None:
    """Every event is in a session exactly once, whichever rules it met."""
    watched(running)
    users, rounds = 1_200, 15  # a batch is several slices
    done = threading.Event()
    results: Counter[str] = Counter()

    def reload_all_the_time() -> None:
        number = 0
        with httpx.Client(base_url=running.service.monitor_url, timeout=60) as client:
            while not done.is_set():
                number += 1
                rules = BAD if number % 5 == 0 else f"{MORE if number % 2 else RULES}// {number}\n"
                change(running, tenant(rules))
                order = client.post("/api/v1/tenants/shop/reload", json={"force": number % 3 > 0})
                results[order.json()["result"]] += 1

    storm = threading.Thread(target=reload_all_the_time)
    storm.start()
    try:
        for _ in range(rounds):
            running.now_ms += 100
            running.send([click(f"u{user}", n=user) for user in range(users)])
    finally:
        done.set()
        storm.join()
    running.now_ms += 60_000
    wait_for(lambda: len(running.out_of("VisitEnd")) >= users)
    ends = running.out_of("VisitEnd")
    assert len(ends) == users == len(running.out_of("VisitBegin"))
    assert {each["_snec"] for each in ends} == {rounds}
    assert len({each["_snid"] for each in ends}) == users
    assert sum("user" in each for each in running.out()) == users * rounds
    assert results["reloaded"] > 1 and results["bad_rules"] >= 0
    assert running.get("")["outcomes"] == {"ok": users * rounds}


def test_a_storm_of_saves_ends_with_the_last(running: Running) -> None:
    watched(running)
    for number in range(200):
        change(running, tenant(f"{RULES}@Name('number {number}') @UpdateCounter('c') select 1 from Click;"))
    wait_for(lambda: "number 199" in {each["rule"] for each in running.get("/rules")["rules"]})
