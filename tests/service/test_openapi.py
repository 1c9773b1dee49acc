"""The OpenAPI descriptions, held against the service by schemathesis: what they say is what happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.openapi import from_url
from starlette.routing import Route

from runtime.protocol import INGEST, MONITOR, Operation, Port, described
from runtime.protocol.operations import TAP
from runtime.service.api import Phase as ServicePhase
from runtime.service.api import api_routes, probe_routes
from runtime.service.ingest import ingest_app
from runtime.service.looks import HostLooks, look_routes
from runtime.service.reload_api import reload_routes
from runtime.service.shadow_api import shadow_routes
from runtime.service.taps import Lookouts

from .running import NDJSON, TENANT, Running, click

FEW = settings(max_examples=10, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with something in it."""
    folder = tmp_path_factory.mktemp("served")
    running = Running(folder, [TENANT], "", folder / "state")
    running.send([click("ann", cart="c1", page="/home", n=0), click("bob")])
    running.ingest.post("/v1/events/shop", content=b"no\n", headers=NDJSON)
    yield running
    running.close()


def cases_of(port: Port) -> list[Any]:
    """Each operation of a port, by what is right and by what is wrong where something can be."""
    found = []
    for operation in port.operations:
        if operation is TAP:
            continue  # it has no end
        modes = [GenerationMode.POSITIVE]
        if operation.parameters or operation.body or operation.body_media:
            modes.append(GenerationMode.NEGATIVE)
        found += [pytest.param(operation, mode, id=f"{port.title} {operation.name} {mode.value}") for mode in modes]
    return found


def check_operation(url: str, operation: Operation, mode: GenerationMode) -> None:
    """Holds an operation against its description at a URL, and the other way round."""
    described = from_url(f"{url}/openapi.json")[operation.path][operation.method]

    @FEW
    @given(case=described.as_strategy(generation_mode=mode), is_known=st.booleans())
    def check(case: schemathesis.Case, is_known: bool) -> None:
        if "tenant" in case.path_parameters:
            case.path_parameters["tenant"] = "shop"
        if is_known and mode is GenerationMode.POSITIVE:
            # What random names never find.
            for given in (case.query, case.body):
                if isinstance(given, dict) and {"profile", "key"} <= given.keys():
                    given |= {"profile": "Visit", "key": "ann"}
        case.call_and_validate()

    check()


@pytest.mark.parametrize(("operation", "mode"), cases_of(INGEST))
def test_intake_does_what_it_says(operation: Operation, mode: GenerationMode, served: Running) -> None:
    check_operation(served.service.ingest_url, operation, mode)


@pytest.mark.parametrize(("operation", "mode"), cases_of(MONITOR))
def test_monitoring_does_what_it_says(operation: Operation, mode: GenerationMode, served: Running) -> None:
    check_operation(served.service.monitor_url, operation, mode)


def test_there_is_no_other_route(served: Running) -> None:
    """But the pages, which are for people."""
    host, reloader = served.service.host, served.service.reloader
    routes = [*probe_routes(lambda: 0.0, lambda: ServicePhase.READY), *api_routes(host, reloader, Lookouts(host))]
    routes += look_routes(HostLooks(host, reloader, Lookouts(host)))
    routes += [*reload_routes(host, reloader), *shadow_routes(host, reloader)]
    assert {route.path for route in routes} == {operation.path for operation in MONITOR.operations}
    assert {route.path for route in ingest_app(host).routes if isinstance(route, Route)} == {
        operation.path for operation in INGEST.operations
    }


@pytest.mark.parametrize("port", [INGEST, MONITOR], ids=lambda port: port.title)
def test_the_descriptions_are_openapi(port: Port) -> None:
    schema = schemathesis.openapi.from_dict(described(port))
    schema.validate()
