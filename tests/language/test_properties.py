"""Whatever a file contains, it ends in success or in diagnostics that can be shown: never in a Python error.

Texts come in three kinds: any characters; the language's own words in any order; and sound files with a few changes.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from epl import (
    Compiled,
    Environment,
    EventType,
    Severity,
    Source,
    Stage,
    check,
    compile_program,
    parse,
    session_layout,
    types,
)
from epl.diagnostics import as_data, render
from epl.diagnostics.codes import LANGUAGE_CODES
from epl.errors import RuleError
from epl.lexer import RESERVED
from epl.registry import BUILTINS, CATALOG, ENTRIES
from epl.registry.annotations import ANNOTATIONS
from epl.registry.model import Entry, Form, ParamType, Pattern
from epl.session_schema import PROPERTIES
from epl.types import TYPE_NAMES, Type, parse_type

pytestmark = pytest.mark.filterwarnings("error::SyntaxWarning")

FIELDS = {"i": "int", "l": "long", "d": "double", "f": "float", "s": "string", "b": "boolean", "c": "char"} | {
    "xs": "int[]", "ss": "string[]", "m": "map", "things": "list", "at": "date", "big": "bigint", "dec": "decimal"
}  # fmt: skip
EVENT = EventType("E", {name: type_ for name, text in FIELDS.items() if (type_ := parse_type(text)) is not None})
MARKER = EventType("Ended", {"_snid": EVENT.fields["s"]})

SOUND = [example for code in LANGUAGE_CODES for example in (code.bad, code.good)]
SOUND += [f"{entry.example.replace('PageView', 'E')}" for entry in ANNOTATIONS]
SOUND += [f"select {example.expression} as x from E;" for entry in (*ENTRIES, *BUILTINS) for example in entry.examples]

METHODS = sorted({name for type_ in EVENT.fields.values() for name in CATALOG.method_names(type_)})
NAMES = (
    "E F e x Math session metadata parentSession current_timestamp coalesce min max typeof exists count schema "
    "variable expression constant alias for pattern int('n') contains filter eventCount _pk_ _duration_"
)
SIGNS = "( ) ( ) [ ] { } , , ; . . : = != < <= >= + - * / % & | ^ || ? @ => ' \" ` // /* */ \\ # $ \n"
LITERALS = "0 1 7 1L 1.5 1.5f 0x1F 2147483648 'a' 'a%' '[a' \"\\\\d\" '' null true"
WORDS = [
    *(*RESERVED, *FIELDS, *TYPE_NAMES, *METHODS, *(entry.name for entry in ANNOTATIONS)),
    *(*NAMES.split(), *SIGNS.split(" "), *LITERALS.split()),
]


def attempt(text: str, stage: Stage | None) -> Compiled | None:
    """Parses, checks, shows what was found, and compiles what is sound."""
    source = Source("any.epl", text)
    environment = Environment(stage=stage, event_types={"E": EVENT, "Ended": MARKER}, marker_types=frozenset({"Ended"}))
    checked = check(parse(source), environment)
    problems = list(checked.problems)
    for problem in problems:
        assert 0 <= problem.span.start <= problem.span.end <= len(text)
        assert as_data(problem)["line"] <= text.count("\n") + 1
    render(problems).encode()
    if any(problem.severity is Severity.ERROR for problem in problems):
        return None
    profiles = sorted({getattr(effect, "profile", "") for rule in checked.program.rules for effect in rule.effects})
    names = sorted({getattr(effect, "name", "") for rule in checked.program.rules for effect in rule.effects})
    layout = session_layout(checked.attributes)
    return compile_program(checked.program, layout, layout, profiles=profiles, sub_sessions=names, report=True)


class Driver:
    """Takes rows and failures."""

    is_new = True

    def report(self, rule: int, row: object) -> None:
        """A row."""

    def fail(self, rule: str, error: Exception, event: object) -> None:
        """A rule that failed: allowed, if it says so itself."""
        assert isinstance(error, RuleError | ArithmeticError | ValueError), repr(error)


EVENTS: list[dict[str, Any]] = [
    dict.fromkeys(FIELDS),
    {
        "i": 7,
        "l": 2**40,
        "big": 10**400,
        "d": 2.5,
        "f": 0.5,
        "dec": Decimal("2.50"),
        "b": True,
        "s": "a,b",
        "c": "x",
        "xs": [1, 2, None],
        "ss": ["a", None],
        "things": [1, "a", 1.5, [True]],
        "m": {"k": "v", "n": None},
        "at": datetime(2026, 1, 5, tzinfo=UTC),
    },
    {
        "i": 0,
        "l": -(2**63),
        "big": 0,
        "d": math.nan,
        "f": math.inf,
        "dec": Decimal(0),
        "b": False,
        "s": "",
        "c": "ß",
        "xs": [],
        "ss": [""],
        "things": [],
        "m": {},
        "at": datetime(1, 1, 1, tzinfo=UTC),
    },
    {
        "i": -1,
        "l": 3,
        "big": -1,
        "d": 1e308,
        "f": -0.0,
        "dec": Decimal("-1E+20"),
        "b": None,
        "s": "12",
        "c": "1",
        "xs": [0],
        "ss": ["12"],
        "things": [{"a": [1]}],
        "m": {"k": 12.5},
        "at": datetime(9999, 12, 31, tzinfo=UTC),
    },
]


def run(compiled: Compiled) -> None:
    """Events of all sorts, one after the other, in one session."""
    slots = {property.slot: 0 for property in PROPERTIES.values()}
    session = SimpleNamespace(**slots, st_x=None, md_x=None)
    for event in EVENTS:
        compiled.handlers["E"](SimpleNamespace(**event, missing=None), session, None, 1_700_000_000_000, Driver())


STAGES = st.sampled_from([None, *Stage])
MANY = settings(max_examples=200, deadline=5_000, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(st.text(max_size=300), STAGES)
def test_any_characters(text: str, stage: Stage | None) -> None:
    attempt(text, stage)


@MANY
@given(st.lists(st.sampled_from(WORDS), max_size=60), STAGES)
def test_words_in_any_order(words: list[str], stage: Stage | None) -> None:
    attempt(" ".join(words), stage)


@MANY
@given(st.lists(st.sampled_from(WORDS), max_size=25), st.lists(st.sampled_from(WORDS), max_size=12), STAGES)
def test_words_as_an_expression(column: list[str], condition: list[str], stage: Stage | None) -> None:
    attempt(f"@UpdateState select {' '.join(column)} as x from E({' '.join(condition)})", stage)


@MANY
@given(st.data(), STAGES)
def test_sound_files_with_changes(data: st.DataObject, stage: Stage | None) -> None:
    text = ";\n".join(data.draw(st.lists(st.sampled_from(SOUND), min_size=1, max_size=3)))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(st.sampled_from(WORDS) | st.text(max_size=3)) + text[at + length :]
    attempt(text, stage)


# ---- calls of everything with anything

LEAVES: dict[Type, list[str]] = {}
for field_name, field_type in EVENT.fields.items():
    LEAVES.setdefault(field_type, []).append(field_name)
LEAVES[types.OBJECT] = ["m('k')", "missing?", "things[0]"]
LEAVES[types.MAP] += ["session.filter(null)", "fromJson(s)"]
LEAVES[types.LONG] += ["current_timestamp", "session.long('x')", "9223372036854775807"]
LEAVES[types.INT] += ["-1", "0", "3", "session.int('x')"]
LEAVES[types.STRING] += ["''", "'a%'", "'[a-c]+'", "'(a'", "'2.5e3'"]
KINDS = list(LEAVES)
NUMBERS = [type_ for type_ in KINDS if type_.is_numeric]


def matching(wanted: ParamType) -> list[Type]:
    """The types that a parameter takes."""
    match wanted:
        case Pattern.VALUE:
            return KINDS
        case Pattern.NUMBER:
            return NUMBERS
        case Pattern.INTEGRAL:
            return [type_ for type_ in NUMBERS if type_.is_integral]
        case _:
            return [type_ for type_ in KINDS if type_ == wanted] or [types.OBJECT]


@st.composite
def calls(draw: st.DrawFn, depth: int) -> str:
    """A function, a method or a static with arguments of its types."""
    entry = draw(st.sampled_from(ENTRIES))
    signature = draw(st.sampled_from(entry.signatures))
    arguments = [draw(values(draw(st.sampled_from(matching(param.type))), depth - 1)) for param in signature.params]
    text = f"{entry.name}({', '.join(arguments)})"
    if entry.form is Form.FUNCTION:
        return text
    if entry.form is Form.STATIC:
        return f"{entry.owner}.{text}"
    receivers = [type_ for type_ in KINDS if CATALOG.method(type_, entry.name) is entry]
    return f"({draw(values(draw(st.sampled_from(receivers)), depth - 1))}).{text}"


@st.composite
def values(draw: st.DrawFn, type_: Type, depth: int) -> str:
    """An expression of a type: something at hand, or something else cast to it."""
    form = draw(st.integers(0, 5)) if depth > 0 else 0
    same = values(type_, depth - 1)
    match form:
        case 1:
            return f"cast({draw(calls(depth))}, {type_})"
        case 2:
            return f"cast({draw(values(draw(st.sampled_from(KINDS)), depth - 1))}, {type_})"
        case 3:
            return f"case when {draw(values(types.BOOLEAN, depth - 1))} then {draw(same)} else {draw(same)} end"
        case 4 if type_.is_numeric:
            return f"({draw(same)} {draw(st.sampled_from(list('+-*/%')))} {draw(same)})"
        case 5:
            return f"coalesce({draw(same)}, {draw(same)})"
        case _:
            return draw(st.sampled_from(LEAVES[type_]))


@MANY
@given(calls(3))
def test_calls(call: str) -> None:
    """No event makes a handler raise, whatever is called with whatever."""
    rules = f"@UpdateState @DecorateEvent select {call} as x from E as e; select ({call}) is null as y from E as e"
    compiled = attempt(rules, None)
    if compiled is not None:
        run(compiled)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.title)
def test_every_call_with_fields(entry: Entry) -> None:
    """What `calls` makes does compile: each signature, with fields that hold anything, null too."""
    receivers = [type_ for type_ in KINDS if CATALOG.method(type_, entry.name) is entry]
    for signature in entry.signatures:
        arguments = ", ".join(LEAVES[matching(param.type)[0]][0] for param in signature.params)
        owner = {Form.FUNCTION: "", Form.STATIC: f"{entry.owner}."}.get(entry.form)
        for prefix in [f"{LEAVES[type_][0]}." for type_ in receivers] if owner is None else [owner]:
            compiled = attempt(f"@UpdateState select {prefix}{entry.name}({arguments}) as x from E", None)
            assert compiled is not None, f"{prefix}{entry.name}({arguments})"
            run(compiled)
