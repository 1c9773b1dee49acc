"""How fast a tenant's rules run, where the time goes, and how that compares with another day."""

from runtime.bench.baseline import BadBaseline, Baseline, differences, ratios, read_baseline, rule_key
from runtime.bench.figures import Figures, PartFigures, RuleFigures, WorkerFigures, as_data
from runtime.bench.measure import Bench
from runtime.bench.parts import PARTS, Job, NoEvents

__all__ = [
    "PARTS",
    "BadBaseline",
    "Baseline",
    "Bench",
    "Figures",
    "Job",
    "NoEvents",
    "PartFigures",
    "RuleFigures",
    "WorkerFigures",
    "as_data",
    "differences",
    "ratios",
    "read_baseline",
    "rule_key",
]
