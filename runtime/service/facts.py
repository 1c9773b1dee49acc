"""What monitoring tells of the service and its tenants, as plain data: the API sends it, the pages show it.

Times are ms since 1970, durations ms. Nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import Any, cast

from epl import Compiled
from epl.typed import Rule
from runtime.config import MarkerKeys
from runtime.counters import SessionCounters
from runtime.profile import Profile
from runtime.protocol import answers
from runtime.service.delivery import Delivery
from runtime.service.host import Host
from runtime.service.letters import Received
from runtime.service.outlet import Ended
from runtime.service.served import Served
from runtime.service.source import Source


def sojourn_version() -> str:
    """The version that is installed."""
    try:
        return version("sojourn")
    except PackageNotFoundError:
        return "unknown"


def service_facts(host: Host) -> answers.ServiceFacts:
    """The service in a few numbers, and each tenant in a few."""
    return {
        "version": sojourn_version(),
        "started_ms": host.started_ms,
        "now_ms": host.clock_ms(),
        "tenants": [tenant_facts(served) for served in host.tenants.values()],
    }


def tenant_facts(served: Served) -> answers.TenantFacts:
    """A tenant in a few numbers."""
    totals = served.totals()
    p50_s, p99_s = served.latency.quantile_s(0.5), served.latency.quantile_s(0.99)
    return {
        "tenant": served.name,
        "state": cast("answers.State", served.state),
        "problem": problem_of(served),
        "events": totals.events,
        "events_per_second": round(served.series.per_second("events"), 1),
        "live_sessions": totals.created - totals.ended,
        "ended_sessions": totals.ended,
        "dead_letters": totals.refused,
        "lines_out": served.outlet.lines_out,
        "waiting_batches": len(served.intake.waiting),
        "waiting_bytes": served.intake.waiting_bytes,
        "latency_p50_ms": None if p50_s is None else round(p50_s * 1000, 2),
        "latency_p99_ms": None if p99_s is None else round(p99_s * 1000, 2),
    }


def problem_of(served: Served) -> str | None:
    """What keeps a tenant from working, in words; None when nothing does."""
    if served.disabled is not None:
        return served.disabled.reason
    if served.log.problem is not None:
        return served.log.problem
    for delivery in served.deliveries:
        if not delivery.is_ready:
            return f"{delivery.name}: {delivery.health.problem or 'it takes less than comes'}"
    for source in served.sources:
        if source.health.problem is not None:
            return f"{source.name}: {source.health.problem}"
    return None


def tenant_details(served: Served) -> answers.TenantDetails:
    """All counters of a tenant."""
    counters = served.tenant.engine.counters
    return {
        **tenant_facts(served),
        "outcomes": dict(counters.outcomes),
        "refused": served.letters.counts,
        "late": dict(counters.late),
        "future": counters.future,
        "behind_clock": counters.behind_clock,
        "clock_steps_back": counters.clock_steps_back,
        "ends_refused": counters.ends_refused,
        "revived": counters.revived,
        "ignored_durations": counters.ignored_durations,
        "debug": dict(counters.debug),
        "responses": {str(status): count for status, count in sorted(served.responses.items())},
        "received_bytes": served.received_bytes,
        "profiles": [profile_facts(profile) for profile in served.tenant.engine.profiles],
        "sources": [source_facts(source) for source in served.sources],
        "deliveries": [delivery_facts(delivery) for delivery in served.deliveries],
    }


def source_facts(source: Source) -> answers.SourceFacts:
    """A way in, how it is doing, and how many events wait there, by partition."""
    return {
        "name": source.name,
        "problem": source.health.problem,
        "events": source.health.lines,
        "failures": source.health.failures,
        "lags": dict(source.lags),
    }


def delivery_facts(delivery: Delivery) -> answers.DeliveryFacts:
    """A way out, and how it is doing."""
    return {
        "name": delivery.name,
        "ready": delivery.is_ready,
        "problem": delivery.health.problem,
        "lines": delivery.health.lines,
        "failures": delivery.health.failures,
        "waiting_bytes": delivery.waiting_bytes,
    }


def profile_facts(profile: Profile) -> answers.ProfileFacts:
    """A profile: how it is configured, and what came of it."""
    return {
        "profile": profile.name,
        "gap_ms": profile.gap_ms,
        "max_active_ms": profile.max_active_ms,
        "shadow": profile.shadow,
        **session_counts(profile.counters),
        "sub_sessions": [
            {"sub_session": sub.name, "gap_ms": sub.gap_ms, **session_counts(sub.counters)}
            for sub in profile.sub_sessions
        ],
    }


def session_counts(counters: SessionCounters) -> answers.SessionCounts:
    """The counters of one kind of session."""
    ended = counters.ended.total()
    return {
        "active": counters.active,
        "created": counters.created,
        "ended": dict(counters.ended.most_common()),
        "single_event": counters.single_event,
        "short": counters.short,
        "long": counters.long,
        "mean_duration_ms": round(counters.total_duration_ms / ended) if ended else None,
        "max_duration_ms": counters.max_duration_ms,
        "mean_events": round(counters.events / ended, 2) if ended else None,
        "max_events": counters.max_events,
    }


def rule_facts(served: Served) -> answers.Rules:
    """Every rule of a tenant in the order of files: where it stands, how often it matched, how often it failed."""
    errors: dict[str, dict[str, int]] = {}
    for (rule, kind), count in served.tenant.engine.counters.rule_errors.items():
        errors.setdefault(rule, {})[kind] = count
    rules = [each for title, compiled in _rule_sets(served) for each in _rules_of(title, compiled, errors)]
    return {"rules": rules}


def _rule_sets(served: Served) -> Iterator[tuple[str, Compiled]]:
    yield "controller", served.rules.controller
    for profile in served.rules.profiles:
        yield profile.config.name, profile.compiled
        for sub in profile.sub_sessions:
            yield f"{profile.config.name}/{sub.config.name}", sub.compiled


def _rules_of(title: str, compiled: Compiled, errors: dict[str, dict[str, int]]) -> Iterator[answers.RuleFacts]:
    source = compiled.program.source
    for statement in compiled.program.statements():
        if isinstance(statement, Rule) and statement.of_update:
            continue  # it is counted as the update
        place = source.position(statement.span.start)
        yield {
            "rules": title,
            "rule": statement.name,
            "event_type": statement.event_type,
            "file": PurePath(source.name.partition("#")[0]).name,
            "line": place.line,
            "text": source.text[statement.span.start : statement.span.end].strip(),
            "shadow": isinstance(statement, Rule) and statement.shadow,
            "matches": compiled.matches[statement.number],
            "errors": errors.get(statement.name, {}),
        }


def end_facts(served: Served, limit: int) -> answers.Ends:
    """The sessions and sub-sessions that ended last and sent a marker, newest first."""
    kinds: dict[object, tuple[str, MarkerKeys]] = {}
    for profile in served.rules.profiles:
        kinds[profile.config.end_marker] = (profile.config.name, profile.config.keys)
        for sub in profile.config.sub_sessions:
            kinds[sub.end_marker] = (f"{profile.config.name}/{sub.name}", sub.keys)

    def facts(ended: Ended) -> answers.EndFacts:
        type_name = ended.fields.get(served.rules.config.type_field)
        # Its own rules may have given the marker another type.
        title, keys = kinds.get(type_name, (str(type_name), MarkerKeys()))

        def told(key: str | None) -> Any:
            return None if key is None else ended.fields.get(key)

        return {
            "at_ms": ended.at_ms,
            "kind": title,
            "session_id": told(keys.id),
            "reason": told(keys.reason),
            "duration_ms": told(keys.duration),
            "events": told(keys.count),
        }

    return {"ends": [facts(ended) for ended, _ in zip(served.outlet.recent, range(limit), strict=False)]}


def letter_facts(served: Served, limit: int) -> answers.DeadLetters:
    """How many dead letters by code, and those that came last, newest first."""

    def facts(received: Received) -> answers.LetterFacts:
        letter = received.letter
        return {
            "at_ms": received.at_ms,
            "code": letter.code,
            "reason": letter.reason,
            "source": letter.source,
            "line": letter.line,
            "event": letter.raw.decode("utf-8", "backslashreplace"),
            "event_bytes": letter.raw_bytes,
        }

    return {
        "counts": served.letters.counts,
        "file": served.letters.file.name,
        "dead_letters": [facts(received) for received, _ in zip(served.letters.recent, range(limit), strict=False)],
    }


def series_facts(served: Served) -> answers.Series:
    """A sample a second of the last minutes, oldest first."""
    samples = [
        answers.Sample(events=each.events, created=each.created, ended=each.ended, refused=each.refused, live=each.live)
        for each in served.series.samples
    ]
    return {"samples": samples}


def config_facts(served: Served) -> answers.ConfigFacts:
    """The files that a tenant runs by, as they were read."""
    config = served.rules.config
    sources = [config.source, config.controller]
    for profile in config.profiles:
        sources += [profile.rules, *(sub.rules for sub in profile.sub_sessions)]
    # Rules within the YAML are in its text already.
    files = {each.name: each.text for each in sources if "#" not in each.name and each.text.strip()}
    files[config.source.name] = config.source.text
    return {"tenant": served.name, "version": served.version, "folder": str(config.folder), "files": files}
