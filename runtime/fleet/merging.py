"""What workers say of a tenant, made one answer: counters are summed, lists put in one order.

Parts are what the API of each worker gave, by its number; what is made of them has the shape that one service gives.
Nothing is missing from a shape because no worker could be asked: then counters are zero and lists empty.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, cast

from runtime.fleet.asking import Parts
from runtime.fleet.facts import WorkerFacts, WorkerState
from runtime.protocol import answers, reload_answers
from runtime.service.facts import source_facts
from runtime.service.way_in import WayIn


def worker_facts(worker: WorkerFacts, parts: Parts) -> answers.WorkerFacts:
    """A worker as the front has it, with what it says of its service, if it does."""
    said = parts.by_worker.get(worker.number)
    tenants = [] if said is None else said["tenants"]
    problems = [f"{each['tenant']}: {each['problem']}" for each in tenants if each["problem"]]
    if said is None and worker.state is WorkerState.READY:
        problems = ["it does not answer"]
    return {
        "worker": worker.number,
        "state": worker.state.value,
        "pid": worker.pid,
        "restarts": worker.restarts,
        "waiting_lines": worker.waiting_lines,
        "events": None if said is None else _sum(tenants, "events"),
        "events_per_second": None if said is None else round(sum(each["events_per_second"] for each in tenants), 1),
        "live_sessions": None if said is None else _sum(tenants, "live_sessions"),
        "problem": "; ".join(problems) or None,
    }


def tenant_facts(tenant: str, parts: Parts, way_in: WayIn) -> answers.TenantFacts:
    """A tenant in a few numbers."""
    p50_s, p99_s = way_in.latency.quantile_s(0.5), way_in.latency.quantile_s(0.99)
    found: answers.TenantFacts = {
        "tenant": tenant,
        "state": _state(parts, way_in),
        "problem": _problem(parts, way_in),
        "events": _sum(parts.all, "events"),
        "events_per_second": round(sum(each["events_per_second"] for each in parts.all), 1),
        "live_sessions": _sum(parts.all, "live_sessions"),
        "ended_sessions": _sum(parts.all, "ended_sessions"),
        "dead_letters": _sum(parts.all, "dead_letters"),
        "lines_out": _sum(parts.all, "lines_out"),
        "waiting_batches": way_in.waiting_batches,
        "waiting_bytes": way_in.waiting_bytes,
        "latency_p50_ms": None if p50_s is None else round(p50_s * 1000, 2),
        "latency_p99_ms": None if p99_s is None else round(p99_s * 1000, 2),
    }
    return cast("answers.TenantFacts", parts.whole(found))


def _state(parts: Parts, way_in: WayIn) -> answers.State:
    states = {each["state"] for each in parts.all}
    if "disabled" in states:
        return "disabled"
    if way_in.is_paused or "paused" in states:
        return "paused"
    return "stuck" if not states or "stuck" in states or way_in.problem is not None else "running"


def _problem(parts: Parts, way_in: WayIn) -> str | None:
    problems = [f"worker {number} does not answer" for number in parts.missing]
    problems += [] if way_in.problem is None else [way_in.problem]
    problems += [f"worker {number}: {each['problem']}" for number, each in parts.by_worker.items() if each["problem"]]
    return "; ".join(problems) or None


def tenant_details(tenant: str, parts: Parts, way_in: WayIn) -> answers.TenantDetails:
    """All counters of a tenant. What comes in is counted by the front."""
    every = parts.all
    return {
        **tenant_facts(tenant, parts, way_in),
        "outcomes": _by_name(each["outcomes"] for each in every),
        "refused": _by_name(each["refused"] for each in every),
        "late": _by_name(each["late"] for each in every),
        "future": _sum(every, "future"),
        "behind_clock": _sum(every, "behind_clock"),
        "clock_steps_back": _sum(every, "clock_steps_back"),
        "ends_refused": _sum(every, "ends_refused"),
        "revived": _sum(every, "revived"),
        "ignored_durations": _sum(every, "ignored_durations"),
        "debug": _by_name(each["debug"] for each in every),
        "responses": {str(status): count for status, count in sorted(way_in.responses.items())},
        "received_bytes": way_in.received_bytes,
        "profiles": [_profile(alike) for alike in _alike(every, "profiles", "profile")],
        "sources": [source_facts(source) for source in way_in.sources],
        "deliveries": [
            _delivery(number, delivery) for number, each in parts.by_worker.items() for delivery in each["deliveries"]
        ],
    }


def _delivery(worker: int, delivery: answers.DeliveryFacts) -> answers.DeliveryFacts:
    return {**delivery, "name": f"worker {worker}: {delivery['name']}"}


def _profile(alike: Sequence[Any]) -> answers.ProfileFacts:
    first = alike[0]
    return {
        "profile": first["profile"],
        "gap_ms": first["gap_ms"],
        "max_active_ms": first["max_active_ms"],
        "shadow": first["shadow"],
        **_counts(alike),
        "sub_sessions": [
            {"sub_session": subs[0]["sub_session"], "gap_ms": subs[0]["gap_ms"], **_counts(subs)}
            for subs in _alike(alike, "sub_sessions", "sub_session")
        ],
    }


def _counts(alike: Sequence[Any]) -> answers.SessionCounts:
    ended = Counter[str]()
    for each in alike:
        ended.update(each["ended"])
    duration_ms, events = _mean(alike, "mean_duration_ms"), _mean(alike, "mean_events")
    return {
        "active": _sum(alike, "active"),
        "created": _sum(alike, "created"),
        "ended": dict(ended.most_common()),
        "single_event": _sum(alike, "single_event"),
        "short": _sum(alike, "short"),
        "long": _sum(alike, "long"),
        "mean_duration_ms": None if duration_ms is None else round(duration_ms),
        "max_duration_ms": max(each["max_duration_ms"] for each in alike),
        "mean_events": None if events is None else round(events, 2),
        "max_events": max(each["max_events"] for each in alike),
    }


def _mean(alike: Sequence[Any], name: str) -> float | None:
    """The mean of means, each as heavy as the sessions that it is of."""
    weighed = [(each[name], sum(each["ended"].values())) for each in alike if each[name] is not None]
    heavy = sum(weight for _, weight in weighed)
    return sum(mean * weight for mean, weight in weighed) / heavy if heavy else None


def rules(parts: Parts) -> answers.Rules:
    """Every rule with what it did in all workers, in the order of files."""

    def place(rule: Any) -> Hashable:
        return rule["rules"], rule["rule"], rule["file"], rule["line"]

    alike = _grouped((rule for each in parts.all for rule in each["rules"]), place)
    found = [_rule(same) for same in alike]
    return cast("answers.Rules", parts.whole({"rules": found}))


def _rule(same: list[answers.RuleFacts]) -> answers.RuleFacts:
    return {**same[0], "matches": _sum(same, "matches"), "errors": _by_name(each["errors"] for each in same)}


def series(parts: Parts) -> answers.Series:
    """The samples of the same seconds as one; a worker that began later has fewer, and none of the oldest."""
    samples: list[answers.Sample] = []
    longest = max((len(each["samples"]) for each in parts.all), default=0)
    for age in range(longest, 0, -1):
        same = [each["samples"][-age] for each in parts.all if len(each["samples"]) >= age]
        samples.append(
            {
                "events": _sum(same, "events"),
                "created": _sum(same, "created"),
                "ended": _sum(same, "ended"),
                "refused": _sum(same, "refused"),
                "live": _sum(same, "live"),
            }
        )
    return cast("answers.Series", parts.whole({"samples": samples}))


def ends(parts: Parts, limit: int) -> answers.Ends:
    """The sessions that ended last in any worker, the newest first."""
    return cast("answers.Ends", parts.whole({"ends": _newest((each["ends"] for each in parts.all), limit)}))


def dead_letters(parts: Parts, limit: int) -> answers.DeadLetters:
    """The dead letters of all workers, the newest first; each worker has a file of its own."""
    found: answers.DeadLetters = {
        "counts": _by_name(each["counts"] for each in parts.all),
        "file": ", ".join(each["file"] for each in parts.all),
        "dead_letters": _newest((each["dead_letters"] for each in parts.all), limit),
    }
    return cast("answers.DeadLetters", parts.whole(found))


def config(tenant: str, parts: Parts) -> answers.ConfigFacts:
    """The files that all workers run by."""
    nothing: answers.ConfigFacts = {"tenant": tenant, "version": None, "folder": "", "files": {}}
    return cast("answers.ConfigFacts", parts.whole(parts.all[0] if parts.all else nothing))


def candidate(parts: Parts) -> reload_answers.Candidate:
    """What a reload would do to the open sessions of all workers. There is one part at least."""
    plans = [each["plan"] for each in parts.all]
    profiles = [
        {**same[0], "open_sessions": _sum_if_known(same, "open_sessions")} for same in _alike(plans, "profiles", "name")
    ]
    found = {
        "unchanged": all(each["unchanged"] for each in parts.all),
        "plan": {
            **plans[0],
            "loses": any(each["loses"] for each in plans),
            "refused": next((each["refused"] for each in plans if each["refused"] is not None), None),
            "profiles": profiles,
        },
        "diagnostics": parts.all[0]["diagnostics"],
    }
    return cast("reload_answers.Candidate", parts.whole(found))


def _sum(every: Iterable[Any], name: str) -> int:
    total: int = sum(each[name] for each in every)
    return total


def _sum_if_known(every: Sequence[Any], name: str) -> int | None:
    return None if any(each[name] is None for each in every) else _sum(every, name)


def _by_name(every: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in every:
        for name, count in each.items():
            total[name] = total.get(name, 0) + count
    return total


def _alike(every: Iterable[Any], within: str, name: str) -> list[list[Any]]:
    """What stands in the lists of several, those of one name together."""
    return _grouped((found for each in every for found in each[within]), lambda found: found[name])


def _grouped(every: Iterable[Any], key: Callable[[Any], Hashable]) -> list[list[Any]]:
    groups: dict[Hashable, list[Any]] = {}
    for each in every:
        groups.setdefault(key(each), []).append(each)
    return list(groups.values())


def _newest(lists: Iterable[list[Any]], limit: int) -> list[Any]:
    return list(heapq.merge(*lists, key=lambda each: each["at_ms"], reverse=True))[:limit]
