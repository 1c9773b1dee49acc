"""Whatever a file contains, it ends in success or in diagnostics that can be shown: never in a Python error.

Texts come in three kinds: any characters; the language's own words in any order; and sound files with a few changes.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from epl import Compiled, Environment, EventType, Severity, Source, Stage, check, compile_program, parse, session_layout
from epl.diagnostics import as_data, render
from epl.diagnostics.codes import LANGUAGE_CODES
from epl.lexer import RESERVED
from epl.registry import BUILTINS, CATALOG, ENTRIES
from epl.registry.annotations import ANNOTATIONS
from epl.registry.model import RuleError
from epl.session_schema import PROPERTIES
from epl.types import TYPE_NAMES, parse_type

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
OPERATORS = ["+", "-", "*", "/", "%", "||", "=", "!=", "<", "and", "or", "&", "is"]


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


EVENTS = [
    dict.fromkeys(FIELDS),
    {"i": 7, "l": 2**40, "d": 2.5, "f": 0.5, "s": "a,b", "b": True, "c": "x", "xs": [1, 2, None], "ss": ["a", None],
     "m": {"k": "v", "n": None}, "things": [1, "a", 1.5, [True]], "at": datetime(2026, 1, 5, tzinfo=UTC),
     "big": 10**400, "dec": Decimal("2.50")},
    {"i": 0, "l": -(2**63), "d": math.nan, "f": math.inf, "s": "", "b": False, "c": "ß", "xs": [], "ss": [""],
     "m": {}, "things": [], "at": datetime(1, 1, 1, tzinfo=UTC), "big": 0, "dec": Decimal(0)},
    {"i": -1, "l": 3, "d": 1e308, "f": -0.0, "s": "12", "b": None, "c": "1", "xs": [0], "ss": ["12"],
     "m": {"k": 12.5}, "things": [{"a": [1]}], "at": datetime(9999, 12, 31, tzinfo=UTC),
     "big": -1, "dec": Decimal("-1E+20")},
]  # fmt: skip


def run(compiled: Compiled) -> None:
    """Events of all sorts, one after the other, in one session."""
    slots = {property.slot: 0 for property in PROPERTIES.values()}
    session = SimpleNamespace(**slots, st_x=None, md_x=None)
    for event in EVENTS:
        compiled.handlers["E"](SimpleNamespace(**event, missing=None), session, None, 1_700_000_000_000, Driver())


STAGES = st.sampled_from([None, *Stage])
MANY = settings(max_examples=400, deadline=5_000, suppress_health_check=[HealthCheck.too_slow])


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


EXPRESSIONS = [example.expression for entry in (*ENTRIES, *BUILTINS) for example in entry.examples]


@MANY
@given(st.data())
def test_expressions_put_into_one_another(data: st.DataObject) -> None:
    """Names and literals of sound expressions, replaced by other sound expressions: most of these compile."""
    atoms = st.sampled_from([*FIELDS, "null", "1", "'a'", "true", "session.int('n')", "m('k')", "e.i", "missing?"])
    text = data.draw(
        st.recursive(
            atoms | st.sampled_from(EXPRESSIONS),
            lambda inner: st.one_of(
                st.tuples(st.sampled_from(METHODS), inner, inner).map(lambda x: f"({x[1]}).{x[0]}({x[2]})"),
                st.tuples(st.sampled_from(METHODS), inner).map(lambda x: f"({x[1]}).{x[0]}()"),
                st.tuples(inner, st.sampled_from(OPERATORS), inner).map(lambda x: f"({x[0]}) {x[1]} ({x[2]})"),
                st.tuples(inner, st.sampled_from(TYPE_NAMES)).map(lambda x: f"cast({x[0]}, {x[1]})"),
                st.tuples(inner, st.sampled_from(TYPE_NAMES)).map(lambda x: f"instanceof({x[0]}, {x[1]}, Number)"),
                st.lists(inner, min_size=1, max_size=3).map(lambda x: f"coalesce({', '.join(x)})"),
                st.lists(inner, min_size=1, max_size=3).map(lambda x: f"max({', '.join(x)})"),
                st.lists(inner, min_size=1, max_size=3).map(lambda x: f"{{{', '.join(x)}}}[0]"),
                st.lists(inner, min_size=3, max_size=3).map(lambda x: f"case when {x[0]} then {x[1]} else {x[2]} end"),
                st.lists(inner, min_size=3, max_size=3).map(lambda x: f"case {x[0]} when {x[1]} then {x[2]} end"),
                st.lists(inner, min_size=3, max_size=3).map(lambda x: f"({x[0]}) not between ({x[1]}) and ({x[2]})"),
                st.lists(inner, min_size=2, max_size=4).map(lambda x: f"({x[0]}) not in ({', '.join(x[1:])})"),
                st.lists(inner, min_size=2, max_size=2).map(lambda x: f"({x[0]}) like ({x[1]}) escape '!'"),
                st.lists(inner, min_size=2, max_size=2).map(lambda x: f"({x[0]}) regexp ({x[1]})"),
                st.lists(inner, min_size=2, max_size=2).map(lambda x: f"({x[0]}) > all ({x[1]})"),
                inner.map(lambda x: f"typeof({x})"),
                inner.map(lambda x: f"-({x})"),
                inner.map(lambda x: f"not ({x})"),
                inner.map(lambda x: f"session.contains('n', {x})"),
            ),
            max_leaves=6,
        )
    )
    attempt(
        f"@UpdateState @DecorateEvent select {text} as x from E as e; select ({text}) is null as y from E as e", None
    )
