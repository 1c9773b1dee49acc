"""Golden cases: each folder below `cases/` is a tenant, the events that it gets and what must leave, in order.

- `sessionizer.yaml` (and `.epl` files where it names some): the first line, `# about:`, says what the case decides.
- `events.ndjson`: one event a line; `now` is when it arrives, unless the clock is `event_time`; `partition` and `wall`
  (the wall clock) are where it is read and when, if they are there. Instead of an event: `{"close_idle": wall}`
  and `{"until": now}`.
- `expected.ndjson`: what leaves, markers and events; here `now` is when. After the last event time runs on until all
  sessions have ended. An end marker that was refused is there with `refused`, a dead letter with `dead_letter` and the
  number of its line.
- `counters.yaml`, where it is there: all counters that are not 0.
- `case.yaml`, where it is there: `clock: event_time`; `refuse:`, a list of fields and values with `times`, how often
  end markers that have them are refused; or `known_failure:` and why the engine does otherwise today.

Each case runs twice, with the cache that it configures and with one that keeps no session as an object.

A new case is a new folder; `--force-regen` writes its expected files (an empty `counters.yaml` is filled).
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_regressions.file_regression import FileRegressionFixture

from epl.structs import replace
from runtime.config import CacheConfig, Late, load_tenant
from runtime.counters import EngineCounters, SessionCounters
from runtime.engine import Clock, Engine
from runtime.event import Refused
from runtime.output import decorated, to_json
from runtime.rules import compile_tenant

CASES = Path(__file__).parent / "cases"
FOLDERS = sorted(path.parent for path in CASES.rglob("sessionizer.yaml"))
COLD = CacheConfig(hot=0, block_size=64, page_size=1 << 16, hash_capacity=1)
"""Every event reads its session from pages, and writes it back."""


class Sent:
    """An output that keeps the lines as they leave, each with the time at which it does."""

    wants_events = True

    def __init__(self, refuse: list[dict[str, Any]]) -> None:
        self.lines: list[str] = []
        self._refuse = [dict(each) for each in refuse]

    def event(self, raw: bytes, decorations: dict[str, Any] | None, now_ms: int) -> None:
        self._keep(decorated(raw, decorations) if decorations else raw, now_ms)

    def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
        for each in self._refuse:
            if each["times"] and all(fields.get(name) == value for name, value in each.items() if name != "times"):
                each["times"] -= 1
                self._keep(to_json({"refused": True, **fields}), now_ms)
                return False
        self.marker(fields, now_ms)
        return True

    def dead_letter(self, refused: Refused, now_ms: int) -> None:
        self._keep(to_json({"dead_letter": refused.code, "line": refused.line}), now_ms)

    def marker(self, fields: dict[str, Any], now_ms: int) -> None:
        self._keep(to_json(fields), now_ms)

    def _keep(self, line: bytes, now_ms: int) -> None:
        fields = {"now": None, **json.loads(line)}
        fields["now"] = now_ms
        self.lines.append(json.dumps(fields, ensure_ascii=False))


def settings_of(folder: Path) -> dict[str, Any]:
    """What `case.yaml` says."""
    path = folder / "case.yaml"
    return yaml.safe_load(path.read_text()) if path.exists() else {}


def run(folder: Path, cache: CacheConfig | None = None) -> tuple[Engine, list[str]]:
    """The engine after all events of a case have passed and all sessions ended, and what left it.

    `cache` takes the place of the one that the case configures.
    """
    config = load_tenant(folder)
    rules = compile_tenant(config if cache is None else replace(config, cache=cache))
    clock = Clock[settings_of(folder).get("clock", "driver").upper()]
    output = Sent(settings_of(folder).get("refuse", []))
    engine = Engine(rules, output, clock=clock)
    for number, line in enumerate((folder / "events.ndjson").read_bytes().splitlines(), 1):
        match json.loads(line):
            case {"close_idle": wall_ms}:
                engine.close_idle(wall_ms)
            case {"until": now_ms}:
                engine.advance(now_ms)
            case event:
                engine.process(
                    [line],
                    event["now"] if clock is Clock.DRIVER else None,
                    partition=event.get("partition", 0),
                    wall_ms=event.get("wall"),
                    first_line=number,
                    refuse=lambda refused: output.dead_letter(refused, engine.now_ms),
                )
    engine.drain()
    return engine, output.lines


def non_zero(counters: EngineCounters | SessionCounters) -> dict[str, Any]:
    """The counters that have counted something, but for the histograms, which durations and counts decide."""
    found: dict[str, Any] = {}
    names = [each.name for each in fields(counters)]
    if isinstance(counters, SessionCounters):
        names.insert(names.index("short"), "single_event")
    for name in names:
        value = getattr(counters, name)
        if value and name not in ("durations", "lengths", "lags"):
            found[name] = {named(key): count for key, count in value.items()} if isinstance(value, dict) else value
    return found


def named(key: str | tuple[str, ...]) -> str:
    """What a counter counts by; a rule's errors count by its name and the kind of error."""
    return str(key) if isinstance(key, str) else ": ".join(key)


def counters_text(engine: Engine) -> str:
    """The counters of the tenant, of each profile, and of each kind of sub-session below its profile's name."""
    found: dict[str, Any] = {"tenant": non_zero(engine.counters)}
    for profile in engine.profiles:
        found[profile.name] = non_zero(profile.counters)
        for sub in profile.sub_sessions:
            found[f"{profile.name}/{sub.name}"] = non_zero(sub.counters)
    return yaml.safe_dump(found)


def cases(folders: list[Path]) -> pytest.MarkDecorator:
    params = []
    for folder in folders:
        reason = settings_of(folder).get("known_failure")
        marks = [] if reason is None else [pytest.mark.xfail(strict=True, reason=reason)]
        params.append(pytest.param(folder, id=str(folder.relative_to(CASES)), marks=marks))
    return pytest.mark.parametrize("folder", params)


either_way = pytest.mark.parametrize("cache", [None, COLD], ids=["configured", "cold"])


@either_way
@cases(FOLDERS)
def test_what_leaves(folder: Path, cache: CacheConfig | None, file_regression: FileRegressionFixture) -> None:
    _, sent = run(folder, cache)
    file_regression.check("".join(f"{line}\n" for line in sent), fullpath=folder / "expected.ndjson")


@either_way
@cases([folder for folder in FOLDERS if (folder / "counters.yaml").exists()])
def test_counters(folder: Path, cache: CacheConfig | None, file_regression: FileRegressionFixture) -> None:
    engine, _ = run(folder, cache)
    file_regression.check(counters_text(engine), fullpath=folder / "counters.yaml")


def test_the_policies_for_late_events_get_one_stream() -> None:
    streams = {(CASES / "late" / late.value / "events.ndjson").read_bytes() for late in Late}
    assert len(streams) == 1


def test_every_case_says_what_it_is_about() -> None:
    silent = [folder for folder in FOLDERS if not (folder / "sessionizer.yaml").read_text().startswith("# about: ")]
    assert FOLDERS
    assert not silent
