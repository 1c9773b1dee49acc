"""Settings for all tests: nothing fails for having been slow, and Python's collector looks only at what tests make."""

from __future__ import annotations

import gc

from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_collection_finish() -> None:
    """Seven thousand collected tests stay to the end; going through them at each full collection took a third of all."""
    gc.collect()
    gc.freeze()
