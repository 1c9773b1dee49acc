"""Made-up event streams for demos, tests and benchmarks."""

from runtime.simulate.scenario import Event, Scenario
from runtime.simulate.scenarios import SCENARIOS, simulate

__all__ = ["SCENARIOS", "Event", "Scenario", "simulate"]
