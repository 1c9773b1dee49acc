"""Settings for all tests: nothing fails for having been slow, and what does not change is looked at once."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "patient",
    max_examples=int(os.environ.get("SOJOURN_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for services comes first, so that others have the processor meanwhile, and nobody waits at the end."""
    items.sort(key=lambda item: (item.get_closest_marker("chaos") is None, "service" not in item.path.parts))


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay to the end; going through them at each full collection took a third of all."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def collected_tests_stay_frozen() -> Iterator[None]:
    """A replay by several processes freezes what there is for a while, and then all would be gone through again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "unfreeze", lambda: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def installed_packages_are_listed_once() -> Iterator[None]:
    """They do not change while tests run, and listing them takes 5 ms for each tenant that is compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("runtime.extensions.entry_points", cache(entry_points))
        yield
