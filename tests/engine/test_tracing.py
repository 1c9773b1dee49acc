"""A tracer on an engine at work: it tells what happened, and changes nothing of it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from runtime import snapshot
from runtime.config import load_tenant
from runtime.engine import Clock
from runtime.explained import Explained, Sent, Watch, as_data
from runtime.io import MemorySink
from runtime.output import LineOutput, Output
from runtime.replay import Replay
from runtime.rules import TenantRules, compile_tenant
from runtime.tenants import TenantEngine
from runtime.tracing import Tracer

PROJECT = Path(__file__).parents[2]
EXPLAINED = PROJECT / "tests" / "cli" / "explained"
SHOP = PROJECT / "examples" / "shop"
STREAMS = {
    "every step that there is": (EXPLAINED / "events_tenant", (EXPLAINED / "events.ndjson").read_bytes()),
    "a shop": (SHOP, b"\n".join(gzip.decompress((SHOP / "events.ndjson.gz").read_bytes()).split(b"\n")[:3000])),
}


class Run:
    """An engine at work. `told` is what its tracer told, while it was attached."""

    def __init__(self, folder: Path) -> None:
        config = load_tenant(folder)
        self.output = LineOutput()
        field = config.time.source
        if field is None:
            options: dict[str, Any] = {"clock": Clock.FIELD, "now_field": "ts"}
        else:
            options = {"clock": Clock.EVENT_TIME, "time_field": field}
        self.engine = TenantEngine(compile_tenant(config), self.output, **options)
        self.told: list[Explained] = []
        self.chance = Random(7)

    def tracer(self, share: float = 1.0) -> Tracer:
        watch = Watch(lambda explained: True, self.told.append)
        return Tracer(self.engine, watch, lambda line: self.chance.random() < share)


@pytest.mark.parametrize("name", STREAMS)
def test_nothing_changes(name: str, tmp_path: Path) -> None:
    folder, stream = STREAMS[name]
    lines = stream.splitlines()
    runs = [Run(folder), Run(folder)]
    tracer = runs[1].tracer(0.3)
    size = max(len(lines) // 7, 3)
    for number, start in enumerate(range(0, len(lines), size)):
        if number % 3:
            tracer.attach()
        for run in runs:
            run.engine.process(lines[start : start + size], first_line=start + 1)
        if number % 3:
            tracer.detach()
    for run, file in zip(runs, ("plain", "traced"), strict=True):
        snapshot.save(run.engine, tmp_path / file)
        run.engine.drain()
    plain, traced = runs
    assert (tmp_path / "plain").read_bytes() == (tmp_path / "traced").read_bytes()
    assert plain.output.take() == traced.output.take()
    assert plain.engine.state() == traced.engine.state()
    assert traced.told, "some events were traced"


@pytest.mark.parametrize(
    "folder",
    [*sorted((PROJECT / "profiles").iterdir()), PROJECT / "examples" / "app-pings"],
    ids=lambda folder: folder.name,
)
def test_nothing_changes_in_any_profile(folder: Path) -> None:
    """Late events that wait, the ender's policy, midnight, several profiles: whatever those have."""
    (events,) = folder.glob("events.ndjson*")
    sinks = []
    for share in (None, 0.1):
        told: list[Explained] = []
        sink = MemorySink()
        Replay(compile_tenant(load_tenant(folder)), sink, engine=_traced(share, told)).run([str(events)])
        sinks.append(sink.lines)
        assert bool(told) == (share is not None)
    assert sinks[0] == sinks[1]


def _traced(share: float | None, told: list[Explained]) -> Callable[..., TenantEngine]:
    chance = Random(3)

    def engine(rules: TenantRules, output: Output, **options: Any) -> TenantEngine:
        made = TenantEngine(rules, output, **options)
        if share is not None:
            Tracer(made, Watch(lambda explained: True, told.append), lambda line: chance.random() < share).attach()
        return made

    return engine


def test_it_tells_what_explain_tells() -> None:
    folder, stream = STREAMS["every step that there is"]
    run = Run(folder)
    tracer = run.tracer()
    tracer.attach()
    run.engine.process(stream.splitlines())
    tracer.detach()
    found = [as_data(each) for each in run.told if each.line is not None]
    fourth = next(each for each in found if each["line"] == 4)
    rules = {seen["rule"]: seen for step in fourth["steps"] if step["kind"] == "rules" for seen in step["rules"]}
    assert rules["fails"]["error"].startswith("RuleError")
    assert rules["campaign"]["read"] == {"act": "odd"}
    assert rules["large"]["matched"]


def test_markers_are_told_as_they_left() -> None:
    folder, stream = STREAMS["every step that there is"]
    run = Run(folder)
    tracer = run.tracer()
    tracer.attach()
    run.engine.process(stream.splitlines())
    run.engine.drain()
    tracer.detach()
    told = [step.fields for each in run.told for step in each.steps if isinstance(step, Sent)]
    left = [line for line in run.output.take() if b"_snid" in line]
    assert len(told) == len(left) == 3
    ends = [each for each in run.told if each.line is None]
    assert ends and all(each.steps for each in ends), "what time alone ends stands for itself"
