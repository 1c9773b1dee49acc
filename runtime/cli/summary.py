"""The summary of a replay as plain data, for machines; `report` and `report_tenants` show it to people."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from epl import Compiled
from epl.typed import Rule
from runtime.counters import SessionCounters
from runtime.replay import Replayed, Workers
from runtime.replay_tenants import ReplayedTenants


def as_data(replayed: Replayed) -> dict[str, Any]:
    """The summary as plain data; durations in ms."""
    engine = replayed.engine
    return {
        "tenant": engine.rules.config.tenant,
        "seconds": round(replayed.seconds, 3),
        "events_per_second": round(replayed.events_per_second),
        "events": dict(replayed.outcomes),
        "refused": dict(replayed.refused),
        "behind_clock": engine.counters.behind_clock,
        "lines_out": replayed.lines_out,
        "open_sessions": engine.live_sessions,
        "resumed": _resumed_data(replayed),
        "workers": workers_data(replayed.workers),
        "sessions": {
            profile.name: _session_data(profile.counters)
            | {"sub_sessions": {sub.name: _session_data(sub.counters) for sub in profile.sub_sessions}}
            for profile in engine.profiles
        },
        "rules": [
            {"rule": name, "matches": matches} for name, _text, matches in rules_by_matches(engine.rules.programs())
        ],
        "rule_errors": [
            {"rule": rule, "error": error, "count": count}
            for (rule, error), count in engine.counters.rule_errors.most_common()
        ],
        "debug": dict(engine.counters.debug),
    }


def workers_data(workers: Workers | None) -> dict[str, Any] | None:
    """How many processes there were, as plain data; None where one was asked for."""
    if workers is None:
        return None
    return {"asked": workers.asked, "used": workers.used, "why": workers.why, "redone": workers.redone}


def tenants_data(replayed: ReplayedTenants) -> dict[str, Any]:
    """The summary as plain data: that of each tenant by its name, and events of which nobody knew whose they are."""
    return {
        "seconds": round(replayed.seconds, 3),
        "workers": workers_data(replayed.workers),
        "tenants": {name: as_data(each) for name, each in replayed.tenants.items()},
        "refused": dict(replayed.nobodys.refused),
        "disabled": [
            {"tenant": each.tenant, "reason": each.reason, "live_sessions": each.live_sessions}
            for each in replayed.disabled
        ],
    }


def rules_by_matches(programs: Iterable[Compiled]) -> list[tuple[str, str, int]]:
    """Rules by matches, most first: name, file and line, matches."""
    found = []
    for compiled in programs:
        program = compiled.program
        for statement in program.statements():
            if isinstance(statement, Rule) and statement.of_update:
                continue  # it is counted as the update
            place = program.source.position(statement.span.start)
            where = f"{PurePath(program.source.name).name}:{place.line}"
            found.append((statement.name, where, compiled.matches[statement.number]))
    return sorted(found, key=lambda rule: -rule[2])


def _resumed_data(replayed: Replayed) -> dict[str, int] | None:
    restored = replayed.resumed
    if restored is None:
        return None
    return {
        "open_sessions": restored.sessions,
        "events_before": replayed.events_before,
        "dropped_sessions": restored.dropped_sessions,
        "dropped_values": replayed.dropped_values,
    }


def _session_data(counters: SessionCounters) -> dict[str, Any]:
    ended = counters.ended.total()
    return {
        "created": counters.created,
        "ended": dict(counters.ended),
        "single_event": counters.single_event,
        "short": counters.short,
        "long": counters.long,
        "events": counters.events,
        "mean_duration_ms": round(counters.total_duration_ms / ended) if ended else 0,
        "max_duration_ms": counters.max_duration_ms,
        "max_events": counters.max_events,
        "total_duration_ms": counters.total_duration_ms,
        "max_interval_ms": counters.max_interval_ms,
        "total_lag_ms": counters.total_lag_ms,
        "max_lag_ms": counters.max_lag_ms,
        "total_expiry_delay_ms": counters.total_expiry_delay_ms,
        "max_expiry_delay_ms": counters.max_expiry_delay_ms,
    }
