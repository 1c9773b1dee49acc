"""A saved bench, to compare another one with: ratios, since seconds mean little from one day to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from runtime.bench.parts import PARTS

_SPEEDS = ("events_per_second", "events_per_cpu_second")
_COMPARED = (
    *_SPEEDS,
    "seconds",
    "cpu_seconds",
    "peak_memory_bytes",
    *(f"{part}_us_per_event" for part in PARTS),
)
_SAME = ("tenant", "events", "python_version")


class BadBaseline(Exception):
    """A file that holds no saved bench; the message says why."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A saved bench as plain data, and the file that it came from."""

    name: str
    data: Mapping[str, Any]

    @property
    def events_per_cpu_second(self) -> float:
        """Of its median run; above 0."""
        return float(self.data["events_per_cpu_second"])


def read_baseline(path: Path) -> Baseline:
    """The bench that was saved in a file. Raises BadBaseline."""
    try:
        data = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise BadBaseline(f"{path}: it cannot be read: {error.strerror or error}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadBaseline(f"{path}: it is not JSON: {error}") from error
    if not isinstance(data, dict) or not all(_is_figure(data.get(key)) for key in _SPEEDS):
        raise BadBaseline(f"{path}: it holds no bench; `sojourn bench PROFILE EVENTS --save FILE` writes one")
    return Baseline(str(path), data)


def ratios(data: Mapping[str, Any], baseline: Baseline) -> dict[str, float]:
    """Now by then, for each figure that both have; for a rule's see `rule_key`."""
    now, then = _figures(data), _figures(baseline.data)
    return {key: round(value / then[key], 4) for key, value in now.items() if key in then}


def rule_key(where: object) -> str:
    """The name of a rule's figure among the ratios: rules are told apart by their places, names may be shared."""
    return f"rule {where} us_per_event"


def differences(data: Mapping[str, Any], baseline: Baseline) -> list[str]:
    """In what the two benches differ beside their figures: `events is 20000, was 1000`."""
    return [
        f"{key} is {data[key]}, was {baseline.data.get(key)}" for key in _SAME if data[key] != baseline.data.get(key)
    ]


def _figures(data: Mapping[str, Any]) -> dict[str, float]:
    found = {key: data[key] for key in _COMPARED if _is_figure(data.get(key))}
    rules = data.get("rules")
    for rule in rules if isinstance(rules, list) else ():
        if isinstance(rule, dict) and _is_figure(rule.get("us_per_event")):
            found[rule_key(rule.get("where"))] = rule["us_per_event"]
    return found


def _is_figure(value: object) -> bool:
    """True for what a ratio can be made of: a part that is lost in the noise may be 0 or less."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
