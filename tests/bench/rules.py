"""What 100 rules on one event type cost, 5 of which match, beside 7 rules: calls of the handler by themselves.

    python tests/bench/rules.py

Each way of asking is one that rule files have; what counts is the ratio of medians over interleaved rounds.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

from epl import Environment, EventType, Source, Stage, check, compile_program, parse, session_layout, types
from epl.compiler import Handler
from runtime.session import MainSession, session_class

START_MS = 1_767_600_000_000
FIELDS = {"et": types.STRING, "price": types.DOUBLE, "item": types.STRING}
MATCHING = 5
WAYS = {
    "et = 'view'": "et = '{}'",
    "et = 'view', price > 10": "et = '{}', price > 10",
    "price > 10, et = 'view'": "price > 10, et = '{}'",
    "et in ('view', 'seen')": "et in ('{}', 'seen')",
}
_CALLS = 5_000
_ROUNDS = 15


class Event:
    """What the rules are asked about."""

    et, price, item = "view", 161.99, "sku-00465"


def handler(rules: int, condition: str, *, guarded: bool = True) -> Callable[[], Any]:
    """A call of so many rules, the first few of which match; `guarded`: as under `limits.rule_time`, which is usual."""
    kinds = ["view"] * MATCHING + [f"kind{number}" for number in range(rules - MATCHING)]
    text = "\n".join(
        f"@UpdateCounter('c{number}') select 1 from E({condition.format(kind)});" for number, kind in enumerate(kinds)
    )
    environment = Environment(stage=Stage.MAIN, event_types={"E": EventType("E", FIELDS)})
    checked = check(parse(Source("rules", text)), environment)
    assert not checked.problems
    layout = session_layout(checked.attributes)
    found: Handler = compile_program(checked.program, layout, guarded=guarded).handlers["E"]
    session = session_class(MainSession, layout, 0).begin("key", START_MS, START_MS, 3_600_000)
    return lambda: found(Event, session, None, START_MS, None)


def _us(call: Callable[[], Any]) -> float:
    began = process_time()
    for _ in range(_CALLS):
        call()
    return (process_time() - began) / _CALLS * 1e6


def main() -> None:
    """Measures and prints."""
    for guarded in (True, False):
        print(f"rules that are {'' if guarded else 'not '}watched", "7 rules", "100 rules", "ratio", sep=" | ")
        for title, condition in WAYS.items():
            few, many = handler(7, condition, guarded=guarded), handler(100, condition, guarded=guarded)
            rounds = [(_us(few), _us(many)) for _ in range(_ROUNDS)]
            few_us, many_us = (median(each) for each in zip(*rounds, strict=True))
            print(title, f"{few_us:.2f} µs", f"{many_us:.2f} µs", f"{many_us / few_us:.2f}", sep=" | ")


if __name__ == "__main__":
    main()
