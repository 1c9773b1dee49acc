"""What has been counted, for Prometheus: read from the engines' own counters when asked, kept nowhere twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from runtime.counters import SessionCounters
from runtime.service.facts import rule_facts, sojourn_version
from runtime.service.host import Host
from runtime.service.latency import BOUNDS_S
from runtime.service.outcomes import Result
from runtime.service.reload import History, Reloader
from runtime.service.served import Served
from runtime.service.way_in import WayIn

_MOST_BITS = 20
"""Buckets of sessions' durations and lengths: 2^20 s are twelve days."""
_SESSION = ("tenant", "profile")
_SUB = ("tenant", "profile", "sub_session")


class Metrics(Collector):
    """The metrics of a host, in the text format."""

    def __init__(self, host: Host, reloader: Reloader) -> None:
        self._host = host
        self._reloader = reloader
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> bytes:
        """All of them."""
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Nothing beforehand: what there is depends on the tenants."""
        return []

    def collect(self) -> Iterator[Metric]:
        """One family after the other."""
        yield InfoMetricFamily("sojourn_build", "What is running.", value={"version": sojourn_version()})
        yield GaugeMetricFamily("sojourn_start_time_seconds", "When the service began.", self._host.started_ms / 1000)
        tenants = list(self._host.tenants.values())
        yield from _event_metrics(tenants)
        yield from _session_metrics("session", _SESSION, _main_sessions(tenants))
        yield from _session_metrics("sub_session", _SUB, _sub_sessions(tenants))
        yield from _cache_metrics(tenants)
        yield from _rule_metrics(tenants)
        histories = self._reloader.histories
        yield from reload_metrics({each.name: (histories[each.name], each.version) for each in tenants})
        yield from _log_metrics(tenants, self._host.snapshots.last_fork_s)
        yield from way_in_metrics({served.name: served.way_in for served in tenants})
        yield from _ways_out(tenants)


def _event_metrics(tenants: list[Served]) -> Iterator[Metric]:
    events = _counter("events", "Events by what became of them.", "tenant", "outcome")
    letters = _counter("dead_letters", "Dead letters by code.", "tenant", "code")
    late = _counter("late_events", "Late events, by profile, by what became of them.", "tenant", "action")
    single = {
        "future": _counter("future_events", "Events whose time was set to the wall clock.", "tenant"),
        "behind_clock": _counter("behind_clock_events", "Events whose time is before the clock.", "tenant"),
        "clock_steps_back": _counter("clock_steps_back", "Batches whose clock was behind the one before.", "tenant"),
        "ends_refused": _counter("ends_refused", "End markers that were not taken, and sent again.", "tenant"),
        "revived": _counter("sessions_revived", "Sessions that came back before their end was taken.", "tenant"),
        "ignored_durations": _counter("ignored_durations", "Rows of @UpdateDuration above the maximum.", "tenant"),
    }
    debug = _counter("debug", "The counters of @DebugSession.", "tenant", "counter")
    state = _gauge("tenant_state", "1 for the state that a tenant is in.", "tenant", "state")
    for served in tenants:
        counters = served.tenant.engine.counters
        for outcome, count in counters.outcomes.items():
            events.add_metric([served.name, outcome], count)
        for code, count in served.letters.counts.items():
            letters.add_metric([served.name, code], count)
        for action, count in counters.late.items():
            late.add_metric([served.name, action], count)
        for name, family in single.items():
            family.add_metric([served.name], getattr(counters, name))
        for name, count in counters.debug.items():
            # A rule may have made half a character of what an event said.
            debug.add_metric([served.name, name.encode("utf-8", "replace").decode()], count)
        for name in ("running", "paused", "stuck", "disabled"):
            state.add_metric([served.name, name], float(served.state == name))
    yield from (events, letters, late, *single.values(), debug, state)


def _main_sessions(tenants: list[Served]) -> list[tuple[list[str], SessionCounters]]:
    return [
        ([served.name, profile.name], profile.counters)
        for served in tenants
        for profile in served.tenant.engine.profiles
    ]


def _sub_sessions(tenants: list[Served]) -> list[tuple[list[str], SessionCounters]]:
    return [
        ([served.name, profile.name, sub.name], sub.counters)
        for served in tenants
        for profile in served.tenant.engine.profiles
        for sub in profile.sub_sessions
    ]


def _session_metrics(
    kind: str, labels: tuple[str, ...], found: list[tuple[list[str], SessionCounters]]
) -> Iterator[Metric]:
    words = kind.replace("_", "-")
    active = _gauge(f"{kind}s_active", f"Live {words}s.", *labels)
    created = _counter(f"{kind}s_created", f"{words.capitalize()}s that began.", *labels)
    ended = _counter(f"{kind}s_ended", f"{words.capitalize()}s that ended, by reason.", *labels, "reason")
    shapes = {
        "single_event": _counter(f"{kind}s_single_event", f"Ended {words}s of one event.", *labels),
        "short": _counter(f"{kind}s_short", f"Ended {words}s of several events within 30 minutes.", *labels),
        "long": _counter(f"{kind}s_long", f"{words.capitalize()}s cut by max_active while events went on.", *labels),
    }
    peaks = {
        "max_events": (_gauge(f"{kind}_max_events", f"The most events of an ended {words}.", *labels), 1),
        "max_duration_ms": (
            _gauge(f"{kind}_max_duration_seconds", f"The longest duration of an ended {words}.", *labels),
            1000,
        ),
        "max_interval_ms": (
            _gauge(f"{kind}_max_interval_seconds", f"The longest pause between two events of one {words}.", *labels),
            1000,
        ),
        "max_expiry_delay_ms": (
            _gauge(f"{kind}_max_expiry_delay_seconds", f"The latest that a {words} ended after it was due.", *labels),
            1000,
        ),
    }
    duration = HistogramMetricFamily(
        f"sojourn_{kind}_duration_seconds", f"How long ended {words}s were, in whole seconds.", labels=labels
    )
    lag = HistogramMetricFamily(
        f"sojourn_{kind}_lag_seconds", f"How long after its first event's own time a {words} began.", labels=labels
    )
    lengths = HistogramMetricFamily(f"sojourn_{kind}_events", f"How many events ended {words}s had.", labels=labels)
    for values, counters in found:
        active.add_metric(values, counters.active)
        created.add_metric(values, counters.created)
        for reason, count in counters.ended.items():
            ended.add_metric([*values, reason], count)
        for name, family in shapes.items():
            family.add_metric(values, getattr(counters, name))
        for name, (peak, divisor) in peaks.items():
            peak.add_metric(values, getattr(counters, name) / divisor)
        # Place n holds what has n bits: whole numbers up to 2^n - 1.
        duration.add_metric(values, _buckets(counters.durations), counters.total_duration_ms / 1000)
        lag.add_metric(values, _buckets(counters.lags), counters.total_lag_ms / 1000)
        lengths.add_metric(values, _buckets(counters.lengths), counters.events)
    yield from (active, created, ended, *shapes.values(), *(peak for peak, _ in peaks.values()), duration, lag, lengths)


def _buckets(by_bits: list[int]) -> list[tuple[str, float]]:
    """Counts by bits as cumulated buckets with their upper ends."""
    total = sum(by_bits)
    sums = list(accumulate(by_bits[: _MOST_BITS + 1]))
    return [*((str(float((1 << bits) - 1)), count) for bits, count in enumerate(sums)), ("+Inf", total)]


def _cache_metrics(tenants: list[Served]) -> Iterator[Metric]:
    size = _gauge(
        "cache_bytes", "Memory of pages: reserved from the system, used, and free to be used.", "tenant", "state"
    )
    sessions = _gauge("cache_objects", "Live sessions that are kept as objects.", "tenant", "profile")
    largest = _gauge("cache_largest_session_bytes", "The largest session that went to the pages.", "tenant")
    failed = _counter("cache_failed_puts", "Times that a session found no room in the pages at first.", "tenant")
    for served in tenants:
        engine = served.tenant.engine
        pages = engine.cache.pages
        free_bytes = pages.free_blocks * pages.block_size
        for state, figure in (("reserved", pages.reserved_bytes), ("used", pages.used_bytes), ("free", free_bytes)):
            size.add_metric([served.name, state], figure)
        for profile in engine.profiles:
            sessions.add_metric([served.name, profile.name], profile.table.hot)
        largest.add_metric([served.name], engine.cache.entries.largest_bytes)
        failed.add_metric([served.name], engine.cache.failed_puts)
    yield from (size, sessions, largest, failed)


def _rule_metrics(tenants: list[Served]) -> Iterator[Metric]:
    matches = _counter("rule_matches", "Rows that a rule gave.", "tenant", "rules", "rule", "place")
    errors = _counter("rule_errors", "Events on which a rule failed, by kind of error.", "tenant", "rule", "error")
    for served in tenants:
        for rule in rule_facts(served)["rules"]:
            place = f"{rule['file']}:{rule['line']}"
            matches.add_metric([served.name, rule["rules"], rule["rule"], place], rule["matches"])
        for (name, kind), count in served.tenant.engine.counters.rule_errors.items():
            errors.add_metric([served.name, name, kind], count)
    yield from (matches, errors)


def reload_metrics(tenants: Mapping[str, tuple[History, int | None]]) -> Iterator[Metric]:
    """What came of reloads, and by tenant the version that runs."""
    reloads = _counter("reloads", "Reloads of rules by what came of them.", "tenant", "outcome")
    version = _gauge("rules_version", "The version of the rules that run.", "tenant")
    pause = _gauge("reload_pause_seconds", "How long events waited for the latest reload.", "tenant")
    for name, (history, runs) in tenants.items():
        for result in Result:
            reloads.add_metric([name, result.value], history.counts[result])
        if runs is not None:
            version.add_metric([name], runs)
        if history.last is not None and history.last.pause_ms is not None:
            pause.add_metric([name], history.last.pause_ms / 1000)
    yield from (reloads, version, pause)


def _log_metrics(tenants: list[Served], last_fork_s: float) -> Iterator[Metric]:
    size = _gauge("log_bytes", "Bytes of the log that no snapshot makes needless: a start does them again.", "tenant")
    for served in tenants:
        size.add_metric([served.name], served.log.uncovered_bytes)
    yield size
    yield GaugeMetricFamily(
        "sojourn_snapshot_pause_seconds", "How long all stood still for the latest snapshot.", last_fork_s
    )


def way_in_metrics(ways_in: Mapping[str, WayIn]) -> Iterator[Metric]:
    """What has come in, by tenant."""
    requests = _counter("ingest_requests", "Requests by the status of their answer.", "tenant", "status")
    received = _counter("ingest_bytes", "Bytes received, as they came.", "tenant")
    waiting = _gauge("ingest_waiting_bytes", "Bytes of events that wait for their turn.", "tenant")
    batches = _gauge("ingest_waiting_batches", "Batches that wait for their turn.", "tenant")
    latency = HistogramMetricFamily(
        "sojourn_ingest_seconds", "From a batch's arrival to what left because of it.", labels=["tenant"]
    )
    for name, way_in in ways_in.items():
        for status, count in way_in.responses.items():
            requests.add_metric([name, str(status)], count)
        received.add_metric([name], way_in.received_bytes)
        waiting.add_metric([name], way_in.waiting_bytes)
        batches.add_metric([name], way_in.waiting_batches)
        sums = list(accumulate(way_in.latency.counts))
        buckets = [*((str(bound), sums[place]) for place, bound in enumerate(BOUNDS_S)), ("+Inf", sums[-1])]
        latency.add_metric([name], buckets, way_in.latency.sum_s)
    yield from (requests, received, waiting, batches, latency)
    yield from _sources(ways_in)


def _sources(ways_in: Mapping[str, WayIn]) -> Iterator[Metric]:
    labels = ("tenant", "source")
    events = _counter("source_events", "Events taken from a source.", *labels)
    failures = _counter("source_failures", "Times that a source failed, and was tried again.", *labels)
    ready = _gauge("source_ready", "1 while a source can be reached.", *labels)
    lag = _gauge("source_lag", "Events that wait at a source, by its partitions.", *labels, "partition")
    for name, way_in in ways_in.items():
        for source in way_in.sources:
            values = [name, source.name]
            events.add_metric(values, source.health.lines)
            failures.add_metric(values, source.health.failures)
            ready.add_metric(values, float(source.health.problem is None))
            for partition, count in list(source.lags.items()):
                lag.add_metric([*values, partition], count)
    yield from (events, failures, ready, lag)


def _ways_out(tenants: list[Served]) -> Iterator[Metric]:
    labels = ("tenant", "delivery")
    lines = _counter("delivery_lines", "Lines given to a delivery.", *labels)
    failures = _counter("delivery_failures", "Times that a delivery failed, and was tried again.", *labels)
    waiting = _gauge("delivery_waiting_bytes", "Bytes that could not be delivered yet.", *labels)
    ready = _gauge("delivery_ready", "1 while a delivery takes more.", *labels)
    for served in tenants:
        for delivery in served.deliveries:
            values = [served.name, delivery.name]
            lines.add_metric(values, delivery.health.lines)
            failures.add_metric(values, delivery.health.failures)
            waiting.add_metric(values, delivery.waiting_bytes)
            ready.add_metric(values, float(delivery.is_ready))
    yield from (lines, failures, waiting, ready)


def _counter(name: str, doc: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"sojourn_{name}", doc, labels=labels)


def _gauge(name: str, doc: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"sojourn_{name}", doc, labels=labels)
