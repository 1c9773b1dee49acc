"""Spans over OTLP/HTTP, as a collector gets them: which there are, and what is part of what."""

from __future__ import annotations

import gzip
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from runtime.service.spans import ENDPOINT, NoTelemetry, exported

from .running import NDJSON, Receiver, Running, click, lines_of, wait_for

trace_service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


class Collector:
    """Takes spans. `spans` has them by name, `resource` what they say of the process."""

    def __init__(self) -> None:
        self.spans: dict[str, list[Any]] = {}
        self.resource: dict[str, str] = {}
        self.paths: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                collector.paths.add(self.path)
                for resource in trace_service.ExportTraceServiceRequest.FromString(body).resource_spans:
                    collector.resource = {each.key: each.value.string_value for each in resource.resource.attributes}
                    for scope in resource.scope_spans:
                        for each in scope.spans:
                            collector.spans.setdefault(each.name, []).append(each)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Not here."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


def attributes(span: Any) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_from_a_request_to_what_leaves(collector: Collector, serve: Callable[..., Running], receiver: Receiver) -> None:
    with exported(collector.url, "1.2"):
        running = serve(service=f"tenants: [{{name: shop, files: {{}}, http: [{{url: '{receiver.url}'}}]}}]")
        events = lines_of([click(f"user-{number}") for number in range(501)])
        answer = running.ingest.post("/v1/events/shop", content=events, headers={**NDJSON, "traceparent": PARENT})
        assert answer.status_code == 200
        wait_for(receiver.events)
        running.stop()
    (request,), (batch,), slices = (collector.spans[name] for name in ("POST /v1/events/{tenant}", "batch", "slice"))
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, "b7ad6b7169203331")
    assert attributes(request) == {"http.response.status_code": 200}
    assert batch.parent_span_id == request.span_id
    assert attributes(batch)["sojourn.lines"] == 501
    assert [attributes(each)["sojourn.lines"] for each in slices] == [500, 1]
    assert {each.parent_span_id for each in slices} == {batch.span_id}
    assert {each.span_id for each in slices} <= {each.parent_span_id for each in collector.spans["write"]}
    assert attributes(collector.spans["deliver"][0]) == {"http.response.status_code": 200}
    assert collector.spans["tick"]
    assert (collector.paths, collector.resource["service.name"]) == ({"/v1/traces"}, "sojourn")


def test_whoever_takes_lines_can_go_on_with_the_trace(
    collector: Collector, serve: Callable[..., Running], receiver: Receiver
) -> None:
    with exported(collector.url, "1.2"):
        running = serve(service=f"tenants: [{{name: shop, http: [{{url: '{receiver.url}'}}]}}]")
        running.send([click("ann")])
        wait_for(receiver.events)
        running.stop()
    delivered = {each.span_id.hex() for each in collector.spans["deliver"]}
    assert {parent.split("-")[2] for parent in receiver.parents} == delivered


def test_nothing_is_sent_unless_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch, collector: Collector, running: Running
) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    with exported(None, "1.2"):
        running.send([click("ann")])
    assert collector.spans == {}
    monkeypatch.setenv(ENDPOINT, collector.url)
    with exported(None, "1.2"):
        running.send([click("ann")])
    assert collector.spans["batch"]


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(NoTelemetry, match=r"sojourn\[otel\]"), exported("http://127.0.0.1:4318", "1.2"):
        pass
