"""The body of a handler, to stand within another function: its names made its own, its counting left to the caller."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from epl.compiler.program import Compiled
from epl.compiler.text import replace_words

_ARGUMENTS = frozenset({"e", "s", "p", "now", "fx"})
_BLANK, _RETURNED = "d = {}", "return d"
_ROUTE = re.compile(r"^( *)(fx\.routes\[0\] = .*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Inlined:
    """A body, without indentation, that reads `e`, `s`, `now` and `fx` as a handler does.

    `names` are to be in scope; every other name begins with the prefix that was asked for. `counters` are the local
    variables that count matches, with the numbers of their statements. `decorates`: it fills the dict that was named
    for decorations. The parts of a route are assigned to `key`, `event_ms`, `duration_ms` and `is_passive`, in one
    statement.
    """

    lines: tuple[str, ...]
    names: Mapping[str, Any]
    counters: Mapping[str, int]
    decorates: bool


def inlined(
    compiled: Compiled, event_type: str, prefix: str, *, decorations: str, counts_itself: bool = False
) -> Inlined:
    """The body of the handler of an event type, of a rule set of one profile whose rules neither split nor insert.

    `decorations` is the variable for them. `counts_itself`: it counts matches where the handler does, without counters.
    """
    made = compiled.bodies[event_type]
    function: Any = made.function
    code, scope = function.__code__, function.__globals__
    own = {*code.co_varnames, *code.co_cellvars} - _ARGUMENTS
    counters: dict[str, int] = {}
    names: dict[str, Any] = {}

    def renamed(word: str) -> str:
        if word in _ARGUMENTS or not (word in own or word in scope):
            return word
        if word == "d":
            return decorations
        if word not in own:
            names[prefix + word] = scope[word]
        return prefix + word

    def counted(match: re.Match[str]) -> str:
        counter = match[2] + match[3]
        counters[counter] = int(match[3])
        return f"{match[1]}{counter} += 1"

    decorates = made.lines[-1:] == (_RETURNED,)
    kept = (line for line in made.lines if line not in (_RETURNED, _BLANK))
    text = replace_words("\n".join(kept), renamed)
    text = _ROUTE.sub(_route, text)
    if not counts_itself:
        text = re.sub(rf"^( *)({prefix}m)\[(\d+)\] \+= 1$", counted, text, flags=re.MULTILINE)
        names.pop(f"{prefix}m", None)
    return Inlined(tuple(text.split("\n")) if text else (), names, counters, decorates)


def _route(match: re.Match[str]) -> str:
    (assignment,) = ast.parse(match[2]).body
    assert isinstance(assignment, ast.Assign) and isinstance(assignment.value, ast.Tuple)
    parts = ", ".join(ast.get_source_segment(match[2], part) or "" for part in assignment.value.elts)
    return f"{match[1]}key, event_ms, duration_ms, is_passive = {parts}"
