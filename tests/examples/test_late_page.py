"""The tables of docs/late-events.md are what the four golden cases of late events expect."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from runtime.config import Late, load_tenant
from runtime.engine import Clock, Engine
from runtime.output import LineOutput
from runtime.rules import compile_tenant

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "late-events.md"
CASES = ROOT / "tests" / "golden" / "cases" / "late"
Row = dict[str, Any]


def lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def fate(event: Row, number: int, sent: list[Row]) -> str:
    """What became of an event, by what left just before it."""
    for before, row in zip([{}, *sent], sent, strict=False):
        if row.get("dead_letter") and row["line"] == number:
            return "a dead letter"
        if (row.get("user"), row.get("at")) == (event["user"], event["at"]):
            return f"opens a session at {seconds(before['_snst'])}" if "_snst" in before else "in its session"
    return "gone"


def ended(sent: list[Row]) -> str:
    """The sessions in the order in which they end."""
    told = []
    for row in sent:
        if row.get("_type") == "VisitEnd":
            events = f"{row['_snec']} event{'' if row['_snec'] == 1 else 's'}"
            told.append(f"`{row['_snid'][0]}` from {seconds(row['_snst'])}, {events}, ends at {seconds(row['now'])}")
    return "; ".join(told)


def seconds(ms: int) -> str:
    return f"{ms / 1000:g} s"


def table(rows: list[list[str]]) -> str:
    head, *rest = (f"| {' | '.join(row)} |\n" for row in rows)
    return head + "|---" * len(rows[0]) + "|\n" + "".join(rest)


def test_the_tables_are_what_happens() -> None:
    policies = [policy.value for policy in Late]
    sent = {policy: lines(CASES / policy / "expected.ndjson") for policy in policies}
    events = lines(CASES / "extend" / "events.ndjson")
    fates = [
        [f"`{event['user']}`, {seconds(event['at'])}", *(fate(event, number, sent[each]) for each in policies)]
        for number, event in enumerate(events, 1)
    ]
    page = PAGE.read_text()
    assert table([["event", *(f"`{policy}`" for policy in policies)], *fates]) in page
    assert table([["policy", "sessions"], *([f"`{policy}`", ended(sent[policy])] for policy in policies)]) in page
    assert "".join(f"{json.dumps(event)}\n" for event in events) in page


def test_enough_lateness_makes_none_late(tmp_path: Path) -> None:
    """The page says how much is, and that all four policies then give the sessions of the sorted file."""
    allowed = re.search(r"allowed_lateness: \d+s", PAGE.read_text())
    assert allowed is not None
    text = (CASES / "extend" / "events.ndjson").read_text()
    ends = set()
    for policy in Late:
        yaml = (CASES / policy.value / "sessionizer.yaml").read_text()
        for events in (text.splitlines(), sorted(text.splitlines(), key=lambda line: int(json.loads(line)["at"]))):
            (tmp_path / "sessionizer.yaml").write_text(yaml.replace("domain: event,", f"domain: event, {allowed[0]},"))
            output = LineOutput()
            engine = Engine(compile_tenant(load_tenant(tmp_path)), output, clock=Clock.EVENT_TIME)
            engine.process([line.encode() for line in events])
            engine.drain()
            assert not engine.counters.late
            ends.add(tuple(output.take()))
    assert len(ends) == 1
