"""What the description says of several workers is what happens, as with one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from schemathesis import GenerationMode

from runtime.fleet.asking import Workers
from runtime.fleet.looks import FleetLooks
from runtime.fleet.monitor import fleet_routes
from runtime.protocol import MONITOR, Operation
from runtime.service.api import Phase
from tests.service.running import TENANT, click
from tests.service.test_openapi import cases_of, check_operation

from .hosts import Fleet


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A fleet with something in it."""
    fleet = Fleet(tmp_path_factory.mktemp("fleet"), [TENANT])
    fleet.send([click("ann", cart="c1", page="/home", n=0), click("bob")])
    fleet.send([{"user": "ann", "raw": b"no"}])
    yield fleet
    fleet.close()


@pytest.mark.parametrize(("operation", "mode"), cases_of(MONITOR))
def test_it_does_what_it_says(operation: Operation, mode: GenerationMode, busy: Fleet) -> None:
    check_operation(busy.url, operation, mode)


def test_there_is_no_other_route(busy: Fleet) -> None:
    workers = Workers(busy.front)
    routes = fleet_routes(busy.front, workers, FleetLooks(busy.front, workers), lambda: Phase.READY)
    assert {route.path for route in routes} == {operation.path for operation in MONITOR.operations}
