"""What the service does, as spans of OpenTelemetry: requests, batches, slices, ticks, deliveries.

They need an extra, and somebody who takes them: `exported` begins. Before that a span is nothing, and costs half a
microsecond. Spans name tenants and count lines; what events hold is never in them.

What is at work is a matter of the task, as OpenTelemetry has it, so a span knows the one around it by itself. A slice
has its turn in another task than the request that it is part of; the batch carries `here()` over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""The variable of the environment that says where spans go; any other of OpenTelemetry's holds as well."""

_NOTHING: AbstractContextManager[None] = nullcontext()
_tracer: Tracer | None = None


class NoTelemetry(Exception):
    """Spans are wanted, and the extra is not installed."""


def span(name: str, parent: Context | None = None, **attributes: str | int) -> AbstractContextManager[Any]:
    """Within: something is at work. Of `parent` where that is given, else of what is at work around it."""
    if _tracer is None:
        return _NOTHING
    told = {f"sojourn.{key}": value for key, value in attributes.items()}
    return _tracer.start_as_current_span(name, context=parent, attributes=told)


def request(name: str, headers: Mapping[str, str]) -> AbstractContextManager[Any]:
    """Within: a request is answered. It is part of the sender's trace, where the request says which."""
    if _tracer is None:
        return _NOTHING
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract(headers)
    return _tracer.start_as_current_span(name, context=context, kind=SpanKind.SERVER)


@contextmanager
def sent(name: str, headers: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Within: something is sent; the headers, with those by which the other side goes on with the trace."""
    carried = dict(headers)
    if _tracer is None:
        yield carried
        return
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    with _tracer.start_as_current_span(name, kind=SpanKind.CLIENT):
        TraceContextTextMapPropagator().inject(carried)
        yield carried


def answered(status: int) -> None:
    """Notes the HTTP status on the span at work."""
    if _tracer is not None:
        from opentelemetry.trace import get_current_span

        get_current_span().set_attribute("http.response.status_code", status)


def here() -> Context | None:
    """What is at work in this task, for what goes on in another; None where nothing is traced."""
    if _tracer is None:
        return None
    from opentelemetry.context import get_current

    return get_current()


@contextmanager
def exported(endpoint: str | None, version: str) -> Iterator[None]:
    """Within: spans are made, and sent over OTLP/HTTP to `endpoint`, or to where the environment says.

    Neither: nothing happens. Raises NoTelemetry.
    """
    global _tracer  # noqa: PLW0603  what OpenTelemetry itself is: one for the process
    if endpoint is None and not os.environ.get(ENDPOINT):
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise NoTelemetry(f"spans need {error.name}, which an extra installs: pip install 'sojourn[otel]'") from error
    attributes = {"service.version": version}
    if "OTEL_SERVICE_NAME" not in os.environ:
        attributes["service.name"] = "sojourn"
    provider = TracerProvider(resource=Resource.create(attributes), shutdown_on_exit=False)
    place = None if endpoint is None else f"{endpoint.rstrip('/')}/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=place)))
    _tracer = provider.get_tracer("sojourn", version)
    try:
        yield
    finally:
        _tracer = None
        provider.shutdown()
