"""A tenant as it was when the process before ended, however that ended: its newest snapshot, then its log once more.

What the log makes come again are the same lines, by the same numbers; those that somebody has had are not sent again
where that is known. Nothing is removed but the torn end of the last log, of which nobody was told that it was taken, so
a process that dies in here leaves to the next one what it found.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epl import InvalidInput
from runtime import snapshot
from runtime.clocks import NoClock
from runtime.event import Refused
from runtime.service.log import StateDamaged, numbered, read_log, torn_bytes
from runtime.service.operations import Operations
from runtime.service.records import Cooled, End, Lines, Operation, Paused, Rules, Stopped, Swap, Taken, Tick
from runtime.service.served import Served
from runtime.service.snapshots import go_on_from, read_state
from runtime.service.versions import VersionError
from runtime.takeover import cool

_log = logging.getLogger("sojourn.service.recovery")

_REPORT_S = 5.0
_WAITED = "what waited for earlier events when the service stopped"
"""The source of such an event, should it become a dead letter: which one it was is not kept."""
_PATIENCE = 10
"""A rule that was not stopped then has so many times as long now; the machine may be slower."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is of a tenant: its logs from the snapshot's on, how far deliveries had come by their notes."""

    number: int
    """Of the newest file."""
    snapshot: Path | None
    logs: list[Path]
    taken: dict[str, int]
    needs: dict[int, set[int]]
    """By the number of a log, the versions of the rules that it goes by."""
    version: int | None
    """The one that the first begins with."""
    size: int


async def recover(served: Served, operations: Operations) -> None:
    """Brings a tenant back. Gives others their turns meanwhile. Raises StateDamaged."""
    began_s = time.monotonic()
    try:
        found = await asyncio.to_thread(_look, served.log.folder)
        if found.version is not None and found.version != served.version:
            rules = await asyncio.to_thread(served.versions.load, found.version)
            operations.begin_with(served, rules, found.version)
        state: Mapping[str, Any] = {}
        if found.snapshot is not None:
            state = await asyncio.to_thread(_load, served, found.snapshot)
            go_on_from(served, state)
        _resume(served, state, found.taken)
        lines = await _do_again(served, operations, found)
    except (OSError, snapshot.SnapshotError) as error:
        raise StateDamaged(str(error)) from error
    except (InvalidInput, NoClock, VersionError) as error:
        why = error if not isinstance(error, InvalidInput) else error.diagnostics[0].message
        raise StateDamaged(f"{served.log.folder}: the rules that it goes by cannot be used: {why}") from error
    served.outlet.sequence.settle()
    served.letters.sequence.settle()
    served.log.number = found.number
    served.log.uncovered_bytes = found.size
    served.log.needs = found.needs
    served.keep_versions()
    if found.snapshot is not None or found.size:
        told = {
            "tenant": served.name,
            "live_sessions": served.tenant.engine.live_sessions,
            "lines_again": lines,
            "log_bytes": found.size,
            "seconds": round(time.monotonic() - began_s, 3),
        }
        _log.info("recovered", extra={"incident": told})


def _look(folder: Path) -> _Found:
    """Reads all logs over, cuts the last one where it is torn, and finds the newest notes. Raises StateDamaged."""
    snapshots = numbered(folder, "snapshot")
    first, newest = snapshots[-1] if snapshots else (1, None)
    logs = [(number, path) for number, path in numbered(folder, "log") if number >= first]
    numbers = [number for number, _ in logs]
    if numbers != list(range(first, first + len(logs))):
        missing = "log" if snapshots else "snapshot"
        raise StateDamaged(f"{folder}: there is no {missing} {first}, and there are later ones")
    taken: dict[str, int] = {}
    needs: dict[int, set[int]] = {}
    version = None
    size = 0
    for number, path in logs:
        whole = begin = 0
        needs[number] = set()
        for record, place in read_log(path):
            whole = place
            if isinstance(record, Taken):
                taken.update(record.lines)
            elif isinstance(record, Swap | Rules):
                needs[number].add(record.version)
            if isinstance(record, Rules):
                begin = place
                version = record.version if version is None else version
        torn = torn_bytes(path, whole)
        if torn and number < numbers[-1]:
            raise StateDamaged(f"{path}: its last {torn:,} bytes are damaged, and there is a later log")
        if torn:
            _log.warning("the torn end of a log is cut off", extra={"incident": {"file": str(path), "bytes": torn}})
            os.truncate(path, path.stat().st_size - torn)
        size += whole - begin
    return _Found(max(numbers, default=first), newest, [path for _, path in logs], taken, needs, version, size)


def _load(served: Served, path: Path) -> Mapping[str, Any]:
    state: Mapping[str, Any] = {}

    def beside(data: bytes) -> None:
        nonlocal state
        state = read_state(data)

    def refuse(refused: Refused) -> None:
        served.letters.refuse(refused, _WAITED, served.tenant.engine.now_ms)

    restored = snapshot.load(served.tenant.engine, path, refuse, beside)
    if restored.dropped_sessions or restored.dropped_values:
        told = {"tenant": served.name, "sessions": restored.dropped_sessions, "values": restored.dropped_values}
        _log.warning("the rules have no place for some of what was kept", extra={"incident": told})
    return state


def _resume(served: Served, state: Mapping[str, Any], noted: Mapping[str, int]) -> None:
    """Tells deliveries what is known to be delivered, and gives them what was not when the snapshot was written."""
    waiting = state.get("waiting", {})
    left = served.outlet.sequence.resume({**state.get("taken", {}), **noted}, waiting)
    served.letters.sequence.resume(state.get("letters_taken", {}), state.get("letters_waiting", {}))
    for name in left:
        told = {"tenant": served.name, "sink": name, "lines": len(waiting[name])}
        _log.error("lines were not delivered to a sink that is gone", extra={"incident": told})


async def _do_again(served: Served, operations: Operations, found: _Found) -> int:
    """Does again what the logs say; how many lines came again."""
    lines = done = 0
    report_s = time.monotonic() + _REPORT_S
    before: Operation | None = None
    for path in found.logs:
        for record, place in read_log(path):
            if before is not None:
                _do(served, operations, before, was_stopped=isinstance(record, Stopped))
                before = None
                # Probes are answered between any two.
                await asyncio.sleep(0)
            if isinstance(record, Operation):
                before = record
                lines += len(record.lines) if isinstance(record, Lines) else 0
            elif isinstance(record, Paused):
                served.intake.is_paused = record.is_paused
            elif isinstance(record, Cooled):
                cool(served.tenant.engine)
            if time.monotonic() > report_s:
                report_s += _REPORT_S
                told = {"tenant": served.name, "done_bytes": done + place, "log_bytes": found.size}
                _log.info("recovering", extra={"incident": told})
        done += path.stat().st_size
    if before is not None:
        _do(served, operations, before, was_stopped=False)
    return lines


def _do(served: Served, operations: Operations, record: Operation, *, was_stopped: bool) -> None:
    _number(served, record)
    patience = 1 if was_stopped else _PATIENCE
    limit_ms = served.rules.config.limits.rule_time_ms * patience
    match record:
        case Lines():
            operations.take(served, record, limit_ms, _nothing)
        case Tick() | End():
            operations.move(served, record, limit_ms, _nothing)
        case Swap():
            engine = operations.engine_for(served.versions.load(record.version))
            limit_ms = engine.rules.config.limits.rule_time_ms * patience
            try:
                operations.swap(served, record, engine, limit_ms, _nothing)
            except Exception as error:
                # It did not come to anything then, either, and whoever asked for it was told.
                told = {"tenant": served.name, "version": record.version, "problem": type(error).__name__}
                _log.warning("a change of rules comes to nothing again", extra={"incident": told})


def _number(served: Served, record: Operation) -> None:
    """Numbers are those of then, should the operations before have come to something else: other rules, a defect."""
    outlet, letters = served.outlet.sequence, served.letters.sequence
    if (outlet.number, letters.number) != (record.line, record.letter):
        told = {"tenant": served.name, "lines": record.line - outlet.number, "letters": record.letter - letters.number}
        _log.warning("what is done again does not come to the same", extra={"incident": told})
        outlet.number, letters.number = record.line, record.letter


def _nothing() -> None:
    """The log says already that a rule was stopped."""
