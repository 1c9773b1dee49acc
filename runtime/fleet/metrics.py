"""The metrics of all workers as one text: each sample says whose it is, beside what the front counts itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from runtime.fleet.facts import Fleet, WorkerState
from runtime.service.facts import sojourn_version
from runtime.service.metrics import reload_metrics, way_in_metrics

_BUILD = "sojourn_build"


def own_metrics(fleet: Fleet) -> list[Metric]:
    """What the front says for itself: of its workers, and of what comes in."""
    up = GaugeMetricFamily("sojourn_worker_up", "1 while a worker takes events.", labels=["worker"])
    restarts = CounterMetricFamily("sojourn_worker_restarts", "Times that a worker was begun anew.", labels=["worker"])
    waiting = GaugeMetricFamily(
        "sojourn_worker_waiting_lines", "Lines given to a worker that have had no answer yet.", labels=["worker"]
    )
    for worker in fleet.workers():
        labels = [str(worker.number)]
        up.add_metric(labels, float(worker.state is WorkerState.READY))
        restarts.add_metric(labels, worker.restarts)
        waiting.add_metric(labels, worker.waiting_lines)
    ways_in = {name: fleet.way_in(name) for name in fleet.tenants}
    return [
        InfoMetricFamily(_BUILD, "What is running.", value={"version": sojourn_version()}),
        GaugeMetricFamily("sojourn_start_time_seconds", "When the service began.", fleet.started_ms / 1000),
        *(up, restarts, waiting),
        *way_in_metrics(ways_in),
        *reload_metrics({name: (fleet.history(name), fleet.version(name)) for name in fleet.tenants}),
    ]


def merged_text(own: Iterable[Metric], texts: Mapping[int, str]) -> bytes:
    """The text of all: about 0.1 ms a sample, so a thread is the place for it.

    What the front counts itself is left out of what workers say: they have no listeners, and their time is not that of
    a batch that came in.
    """
    families = {each.name: each for each in own}
    of_front = {f"{_BUILD}_info", *families}
    for number, text in texts.items():
        for said in text_string_to_metric_families(text):
            if said.name in of_front:
                continue
            family = families.setdefault(said.name, Metric(said.name, said.documentation, said.type))
            family.samples += [
                sample._replace(labels={**sample.labels, "worker": str(number)}) for sample in said.samples
            ]
    registry = CollectorRegistry()
    registry.register(_Families(families.values()))
    return generate_latest(registry)


class _Families(Collector):
    """Families that are there already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def describe(self) -> list[Metric]:
        """Nothing beforehand."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        yield from self._families
