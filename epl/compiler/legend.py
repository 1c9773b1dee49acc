"""What the names of generated code stand for: it calls functions and constants that are bound outside of its text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from epl.compiler.module import Constant
from epl.compiler.program import Compiled
from epl.compiler.support import SUPPORT
from epl.compiler.text import replace_words
from epl.types import Kind, Type

NAMES: Mapping[str, str] = {
    "e": "the event",
    "s": "its session: `st_` state, `md_` metadata, `kind_` what kind of value is in there",
    "p": "the session around a sub-session",
    "now": "the engine's clock, epoch ms",
    "fx": "what the rules leave for the engine to do",
    "d": "the decorations of the event",
    "m": "how often each statement matched",
    "c1 …": "what is read before anything is written",
    "r1 …": "whether a rule matched",
    "t1 …": "values on the way",
}
"""The names that all generated code has in common."""


_FIXED: dict[str, str] = {
    "SPLIT": "asks the engine to end the session before this event",
    "COUNTER_TAKEN": "the error of a counter whose name holds something else",
    **{name: (function.__doc__ or "").partition("\n")[0] for name, function in SUPPORT.items()},
}


def legend(compiled: Compiled) -> Mapping[str, str]:
    """What the generated code of a rule set calls by name: constants in the order of their making, then the rest."""
    used: set[str] = set()

    def keep(word: str) -> str:
        used.add(word)
        return word

    replace_words(compiled.python, keep)
    constants = {name: _meaning(constant) for name, constant in compiled.constants.items()}
    rows = {name: "makes an event that a rule inserts" for name in sorted(used) if name.startswith("ROW_on_")}
    return {name: meaning for name, meaning in (constants | rows | _FIXED).items() if name in used}


def _meaning(constant: Constant) -> str:
    value = constant.value
    if constant.note is not None:
        return constant.note
    if isinstance(value, Type):
        return f"the type {value}"
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, Kind):
        return value.value
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(map(_plain, value))) + "}"
    return repr(value)
