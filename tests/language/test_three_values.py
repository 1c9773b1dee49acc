"""Generated code against an obviously right interpreter: any typed expression, any event, nulls everywhere.

The interpreter walks small trees of tuples, evaluates every operand and knows nothing of positions, facts or types,
except that a number of a fractional type is a float.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from epl import Environment, Source, check, compile_program, parse, session_layout
from epl.diagnostics import render

SCHEMA = """
create schema E (i int, j int, l long, d double, s string, t string, b boolean, c boolean, xs int[], ss string[]);
"""
pytestmark = pytest.mark.filterwarnings("error::SyntaxWarning")

Node = tuple[Any, ...]
Event = dict[str, Any]

# ---- the interpreter

ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def logical_or(values: list[bool | None]) -> bool | None:
    """True if any is true; else null if any is null."""
    return True if True in values else None if None in values else False


def logical_not(value: bool | None) -> bool | None:
    """Null stays null."""
    return None if value is None else not value


def logical_and(values: list[bool | None]) -> bool | None:
    """By De Morgan."""
    return logical_not(logical_or([logical_not(value) for value in values]))


def compared(symbol: str, left: Any, right: Any) -> bool | None:
    """A comparison; a boolean of unknown type equals no number."""
    if left is None or right is None:
        return None
    if isinstance(left, bool) != isinstance(right, bool):
        return symbol == "!="
    return ORDER[symbol](left, right)


def spread(options: tuple[Node, ...], event: Event) -> list[Any]:
    """The options of `in` and `any`; an array stands for its elements, a null array for one null."""
    found: list[Any] = []
    for option in options:
        value = evaluate(option, event)
        found += value if isinstance(value, list) else [value]
    return found


def in_range(value: Any, low: Any, high: Any, opened: str, closed: str, negated: bool) -> bool:
    """language.md §2: never null, a null value is false either way, reversed bounds are swapped."""
    if value is None:
        return False
    inside = False
    if low is not None and high is not None:
        low, high = (high, low) if low > high else (low, high)
        inside = (low <= value if opened == "[" else low < value) and (value <= high if closed == "]" else value < high)
    return inside is not negated


def like(value: Any, pattern: str | None, escape: str | None, negated: bool) -> bool | None:
    """`%` is any text, `_` any character."""
    if value is None or pattern is None:
        return None
    parts = re.findall(f"{re.escape(escape)}(.)|(.)" if escape else "()(.)", pattern, re.DOTALL)
    regex = "".join(re.escape(a) if a else {"%": ".*", "_": "."}.get(b, re.escape(b)) for a, b in parts)
    return (re.fullmatch(regex, str(value), re.DOTALL) is not None) is not negated


def divided(left: float, right: float) -> float:
    """IEEE division: a zero has a sign, too."""
    if right != 0:
        return left / right
    return math.nan if left == 0 or left != left else math.copysign(math.inf, left) * math.copysign(1.0, right)


def fitted(type_: str, value: Any) -> Any:
    """A value as the common type of a choice."""
    return float(value) if type_ == "double" and value is not None else value


def evaluate(node: Node, event: Event) -> Any:
    """The value of a node, None for null."""
    match node:
        case ("field", name):
            return event[name]
        case ("const", value):
            return value
        case ("null", _):
            return None
        case ("and", *operands):
            return logical_and([evaluate(each, event) for each in operands])
        case ("or", *operands):
            return logical_or([evaluate(each, event) for each in operands])
        case ("not", operand):
            return logical_not(evaluate(operand, event))
        case ("compare", symbol, left, right):
            return compared(symbol, evaluate(left, event), evaluate(right, event))
        case ("is", left, right, negated):
            one, other = evaluate(left, event), evaluate(right, event)
            same = one is other if one is None or other is None else compared("=", one, other)
            return bool(same) is not negated
        case ("in", value, options, negated):
            hits = [compared("=", evaluate(value, event), option) for option in spread(options, event)]
            answer = None if evaluate(value, event) is None else logical_or(hits)
            return logical_not(answer) if negated else answer
        case ("quantified", symbol, quantifier, value, options):
            hits = [compared(symbol, evaluate(value, event), option) for option in spread(options, event)]
            combine = logical_and if quantifier == "all" else logical_or
            return None if evaluate(value, event) is None else combine(hits)
        case ("between", value, low, high, negated):
            return in_range(*(evaluate(each, event) for each in (value, low, high)), "[", "]", negated)
        case ("range", value, low, high, opened, closed, negated):
            return in_range(*(evaluate(each, event) for each in (value, low, high)), opened, closed, negated)
        case ("like", value, pattern, escape, negated):
            return like(evaluate(value, event), evaluate(pattern, event), escape, negated)
        case ("regexp", value, pattern, negated):
            text = evaluate(value, event)
            return None if text is None else (re.fullmatch(pattern, text) is not None) is not negated
        case ("case", type_, branches, otherwise):
            chosen = next((result for test, result in branches if evaluate(test, event) is True), otherwise)
            return fitted(type_, evaluate(chosen, event))
        case ("case of", type_, subject, branches, otherwise):
            tests = [(("is", subject, option, False), result) for option, result in branches]
            return evaluate(("case", type_, tests, otherwise), event)
        case ("coalesce", type_, *operands):
            values = (evaluate(each, event) for each in operands)
            return fitted(type_, next((value for value in values if value is not None), None))
        case ("extreme", type_, function, *operands):
            values = [fitted(type_, evaluate(each, event)) for each in operands]
            return None if None in values else {"min": min, "max": max}[function](values)
        case ("arithmetic", symbol, left, right):
            one, other = evaluate(left, event), evaluate(right, event)
            return None if one is None or other is None else ARITHMETIC[symbol](one, other)
        case ("divide", left, right):
            one, other = evaluate(left, event), evaluate(right, event)
            return None if one is None or other is None else divided(one, other)
        case ("minus", operand):
            value = evaluate(operand, event)
            return None if value is None else -value
        case ("as double", operand):
            return fitted("double", evaluate(operand, event))
        case ("concat", *operands):
            values = [evaluate(each, event) for each in operands]
            return None if None in values else "".join(values)
        case ("index", name, index):
            array, at = event[name], evaluate(index, event)
            return None if array is None or at is None or not 0 <= at < len(array) else array[at]
        case ("call", _, function, *operands):
            values = [evaluate(each, event) for each in operands]
            return None if None in values else function(*values)
        case _:
            raise AssertionError(node)


# ---- the same trees as text


def quoted(value: Any) -> str:
    """A literal."""
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def written(node: Node) -> str:
    """The expression of a node, in parentheses."""
    return f"({plain(node)})"


def plain(node: Node) -> str:
    """The expression of a node."""
    negation = " not" if node[-1] is True else ""
    match node:
        case ("field", name):
            return name
        case ("const", value):
            return quoted(value)
        case ("null", type_):
            return f"cast(null, {type_})" if type_ else "null"
        case ("and" | "or" as word, *operands):
            return f" {word} ".join(map(written, operands))
        case ("not", operand):
            return f"not {written(operand)}"
        case ("compare" | "arithmetic", symbol, left, right):
            return f"{written(left)} {symbol} {written(right)}"
        case ("is", left, right, negated):
            return f"{written(left)} is {'not ' if negated else ''}{written(right)}"
        case ("in", value, options, _):
            return f"{written(value)}{negation} in ({', '.join(map(plain, options))})"
        case ("quantified", symbol, quantifier, value, options):
            return f"{written(value)} {symbol} {quantifier} ({', '.join(map(plain, options))})"
        case ("between", value, low, high, _):
            return f"{written(value)}{negation} between {written(low)} and {written(high)}"
        case ("range", value, low, high, opened, closed, _):
            return f"{written(value)}{negation} in {opened}{written(low)} : {written(high)}{closed}"
        case ("like", value, pattern, escape, _):
            tail = f" escape {quoted(escape)}" if escape else ""
            return f"{written(value)}{negation} like {written(pattern)}{tail}"
        case ("regexp", value, pattern, _):
            return f"{written(value)}{negation} regexp {quoted(pattern)}"
        case ("case", _, branches, otherwise):
            whens = "".join(f" when {written(test)} then {written(result)}" for test, result in branches)
            return f"case{whens} else {written(otherwise)} end"
        case ("case of", _, subject, branches, otherwise):
            whens = "".join(f" when {written(test)} then {written(result)}" for test, result in branches)
            return f"case {written(subject)}{whens} else {written(otherwise)} end"
        case ("coalesce", _, *operands):
            return f"coalesce({', '.join(map(plain, operands))})"
        case ("extreme", _, function, *operands):
            return f"{function}({', '.join(map(plain, operands))})"
        case ("divide", left, right):
            return f"{written(left)} / {written(right)}"
        case ("minus", operand):
            return f"-{written(operand)}"
        case ("as double", operand):
            return f"cast({plain(operand)}, double)"
        case ("concat", *operands):
            return " || ".join(map(written, operands))
        case ("index", name, index):
            return f"{name}[{plain(index)}]"
        case ("call", shape, _, *operands):
            return str(shape).format(*map(written, operands))
        case _:
            raise AssertionError(node)


# ---- random trees

INTS = (-2, -1, 0, 1, 2, 3)
DOUBLES = (-1.5, 0.0, 1.0, 2.0, 2.5)
TEXTS = ("", "a", "b", "ab", "%", "a_{", "A'", "1")
PATTERNS = ("a%", "%b", "%a%", "_", "a!_!{", "%", "", "a", "1%", "_%b")
REGEXES = ("a.*", "[ab]+", "", ".", "a|b")

Trees = st.SearchStrategy[Node]


def fields(*names: str) -> Trees:
    return st.sampled_from(names).map(lambda name: ("field", name))


def constants(values: tuple[Any, ...]) -> Trees:
    return st.sampled_from(values).map(lambda value: ("const", value))


def nulls(type_: str) -> Trees:
    return st.just(("null", type_))


def several(trees: Trees, least: int = 1, most: int = 3) -> st.SearchStrategy[tuple[Node, ...]]:
    return st.lists(trees, min_size=least, max_size=most).map(tuple)


def choices(type_: str, conditions: Trees, subjects: list[Trees], results: Trees) -> Trees:
    """`case` in both forms, `coalesce`."""
    tested = st.lists(st.tuples(conditions, results), min_size=1, max_size=3)
    plain_case = st.tuples(st.just("case"), st.just(type_), tested, results)
    of = st.one_of([
        st.tuples(
            st.just("case of"),
            st.just(type_),
            subject,
            st.lists(st.tuples(subject | nulls(""), results), min_size=1, max_size=3),
            results,
        )
        for subject in subjects
    ])  # fmt: skip
    coalesced = several(results, 2).map(lambda operands: ("coalesce", type_, *operands))
    return plain_case | of | coalesced


def trees(depth: int) -> tuple[Trees, Trees, Trees, Trees]:
    """Booleans, ints, doubles and strings of at most so many levels."""
    flags = fields("b", "c") | constants((True, False)) | nulls("boolean")
    whole = fields("i", "j") | constants(INTS) | nulls("int")
    broken = fields("d") | constants(DOUBLES) | nulls("double")
    texts = fields("s", "t") | constants(TEXTS) | nulls("string")
    if depth == 0:
        return flags, whole, broken, texts
    booleans, ints, doubles, strings = trees(depth - 1)
    numbers = ints | doubles | fields("l")
    either = st.booleans()
    kinds = [booleans, ints, doubles, strings]

    def same_kind(make: Callable[[Trees], Trees]) -> Trees:
        return st.one_of([make(numbers), make(strings)])

    def symbols(values: str) -> st.SearchStrategy[str]:
        return st.sampled_from(values.split())

    equality = symbols("= !=")
    ordering = symbols("= != < <= > >=")
    options = {
        "number": several(numbers | nulls("") | fields("xs")),
        "text": several(strings | nulls("") | fields("ss")),
        "flag": several(booleans | nulls("")),
    }
    predicates: list[Trees] = [
        st.tuples(st.just("not"), booleans),
        several(booleans, 2, 4).map(lambda operands: ("and", *operands)),
        several(booleans, 2, 4).map(lambda operands: ("or", *operands)),
        same_kind(lambda each: st.tuples(st.just("compare"), ordering, each, each | nulls(""))),
        st.tuples(st.just("compare"), equality, booleans, booleans | nulls("")),
        same_kind(lambda each: st.tuples(st.just("is"), each, each | nulls(""), either)),
        st.tuples(st.just("is"), booleans, booleans | nulls(""), either),
        st.tuples(st.just("in"), numbers, options["number"], either),
        st.tuples(st.just("in"), strings, options["text"], either),
        st.tuples(st.just("in"), booleans, options["flag"], either),
        st.tuples(st.just("quantified"), ordering, symbols("any some all"), numbers, options["number"]),
        st.tuples(st.just("quantified"), ordering, symbols("any some all"), strings, options["text"]),
        same_kind(lambda each: st.tuples(st.just("between"), each, each | nulls(""), each, either)),
        st.tuples(st.just("range"), numbers, numbers, numbers, symbols("[ ("), symbols("] )"), either),
        st.tuples(st.just("like"), strings | ints, constants(PATTERNS), st.none(), either),
        st.tuples(st.just("like"), strings, constants(PATTERNS), st.just("!"), either),
        st.tuples(st.just("like"), strings, strings, st.just("{") | st.none(), either).filter(
            lambda node: node[3] is None or (node[2][0] == "const" and node[2][1] not in ("a_{",))
        ),
        st.tuples(st.just("regexp"), strings, st.sampled_from(REGEXES), either),
        st.tuples(st.just("call"), st.just("{}.contains({})"), st.just(lambda a, b: b in a), strings, strings),
        st.tuples(st.just("call"), st.just("{}.equals({})"), st.just(operator.eq), strings, strings),
        st.tuples(st.just("call"), st.just("{}.isEmpty()"), st.just(operator.not_), strings),
        choices("boolean", booleans, kinds, booleans),
    ]
    arithmetic = [
        st.tuples(st.just("arithmetic"), symbols("+ - *"), ints, ints),
        st.tuples(st.just("minus"), ints),
        st.tuples(st.just("index"), st.just("xs"), ints),
        st.tuples(st.just("call"), st.just("{}.length()"), st.just(len), strings),
        choices("int", booleans, kinds, ints),
        several(ints, 2).flatmap(lambda each: symbols("min max").map(lambda word: ("extreme", "int", word, *each))),
    ]
    mixed = st.tuples(numbers, doubles) | st.tuples(doubles, numbers)
    fractions = [
        mixed.flatmap(lambda each: symbols("+ - *").map(lambda symbol: ("arithmetic", symbol, *each))),
        st.tuples(st.just("divide"), numbers, numbers),
        st.tuples(st.just("minus"), doubles),
        st.tuples(st.just("as double"), ints),
        choices("double", booleans, kinds, doubles),
        mixed.map(lambda each: ("coalesce", "double", *each)),
        mixed.flatmap(lambda each: symbols("min max").map(lambda word: ("extreme", "double", word, *each))),
        st.tuples(booleans, ints, doubles).map(lambda each: ("case", "double", [(each[0], each[1])], each[2])),
    ]
    words = [
        several(strings, 2).map(lambda operands: ("concat", *operands)),
        st.tuples(st.just("call"), st.just("{}.toUpperCase()"), st.just(str.upper), strings),
        st.tuples(
            st.just("call"),
            st.just("{}.substring({})"),
            st.just(lambda text, start: text[start:] if 0 <= start <= len(text) else None),
            strings,
            ints,
        ),
        st.tuples(st.just("index"), st.just("ss"), ints),
        choices("string", booleans, kinds, strings),
    ]
    return (
        st.one_of([flags, *predicates]),
        st.one_of([whole, *arithmetic]),
        st.one_of([broken, *fractions]),
        st.one_of([texts, *words]),
    )


BOOLEANS, WHOLE, BROKEN, STRINGS = trees(3)
EVENTS = st.fixed_dictionaries({
    "i": st.sampled_from((*INTS, None)),
    "j": st.sampled_from((*INTS, None)),
    "l": st.sampled_from((*INTS, 2**40, None)),
    "d": st.sampled_from((*DOUBLES, None)),
    "s": st.sampled_from((*TEXTS, None)),
    "t": st.sampled_from((*TEXTS, None)),
    "b": st.sampled_from((True, False, None)),
    "c": st.sampled_from((True, False, None)),
    "xs": st.none() | st.lists(st.sampled_from((*INTS, None)), max_size=3),
    "ss": st.none() | st.lists(st.sampled_from((*TEXTS, None)), max_size=3),
    "m": st.none() | st.fixed_dictionaries({"k": st.sampled_from((*INTS, *DOUBLES, *TEXTS, True, False, None))}),
})  # fmt: skip


class Rows:
    """Collects rows and failures, as a driver would."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, Any]] = {}
        self.errors: list[Exception] = []

    def report(self, rule: int, row: dict[str, Any]) -> None:
        self.rows[rule] = row

    def fail(self, rule: int, error: Exception, event: Any) -> None:
        self.errors.append(error)


def rows_of(statements: list[str], events: list[Event]) -> Iterator[dict[int, dict[str, Any]]]:
    """The rows of each statement by number, for each event."""
    checked = check(parse(Source("random.epl", SCHEMA + ";\n".join(statements))), Environment())
    assert not checked.problems.has_errors, render(checked.problems)
    compiled = compile_program(checked.program, session_layout(checked.attributes), report=True)
    for event in events:
        found = Rows()
        compiled.handlers["E"](SimpleNamespace(**event), None, None, 0, found)
        assert not found.errors
        yield {number - 1: row for number, row in found.rows.items()}


def alike(one: Any, other: Any) -> bool:
    """Equal in type and value; NaN is like NaN."""
    return type(one) is type(other) and (one == other or (one != one and other != other))


SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@SETTINGS
@given(BOOLEANS, BOOLEANS, st.lists(EVENTS, min_size=5, max_size=10))
def test_conditions(first: Node, second: Node, events: list[Event]) -> None:
    one, other = written(first), written(second)
    statements = [
        f"select {one} as value, not {one} as opposite, ({one} and {other}) as joined from E",
        f"select 1 as x from E where {one}",
        f"select 1 as x from E where not {one}",
        f"select {other} as value from E where {one} and not {other}",
        f"select 1 as x from E where not ({one} and not {other})",
        f"select case when {one} then 1 when {other} then 2 else 3 end as x from E",
        f"select {one} as value from E where {one} or {other}",
    ]
    for event, rows in zip(events, rows_of(statements, events), strict=True):
        a, b = evaluate(first, event), evaluate(second, event)
        expected = {
            0: {"value": a, "opposite": logical_not(a), "joined": logical_and([a, b])},
            5: {"x": 1 if a is True else 2 if b is True else 3},
        }
        if a is True:
            expected[1] = {"x": 1}
        if a is False:
            expected[2] = {"x": 1}
        if a is True and b is False:
            expected[3] = {"value": False}
        if a is False or b is True:
            expected[4] = {"x": 1}
        if a is True or b is True:
            expected[6] = {"value": a}
        assert rows == expected


@SETTINGS
@given(WHOLE, BROKEN, STRINGS, BOOLEANS, st.lists(EVENTS, min_size=5, max_size=10))
def test_values(whole: Node, broken: Node, text: Node, condition: Node, events: list[Event]) -> None:
    columns = f"{plain(whole)} as x, {plain(broken)} as y, {plain(text)} as z"
    statements = [f"select {columns} from E", f"select {columns} from E where {plain(condition)}"]
    for event, rows in zip(events, rows_of(statements, events), strict=True):
        expected = {"x": evaluate(whole, event), "y": evaluate(broken, event), "z": evaluate(text, event)}
        holds = evaluate(condition, event) is True
        assert set(rows) == ({0, 1} if holds else {0})
        for row in rows.values():
            assert all(alike(row[name], value) for name, value in expected.items()), (row, expected)


@SETTINGS
@given(st.data(), st.lists(EVENTS, min_size=5, max_size=10))
def test_values_of_unknown_type(data: st.DataObject, events: list[Event]) -> None:
    """What is read from a map compares by type and value."""
    known = st.one_of(list(trees(1)))
    other, more = data.draw(known), data.draw(st.lists(known | nulls(""), min_size=1, max_size=3).map(tuple))
    negated = data.draw(st.booleans())
    unknown = ("field", "props('k')")
    nodes: list[Node] = [
        ("compare", "=", unknown, other),
        ("compare", "!=", other, unknown),
        ("is", unknown, other, negated),
        ("is", other, unknown, negated),
        ("in", unknown, more, negated),
        ("in", unknown, (("const", 1), ("const", "a")), negated),
        ("in", other, (unknown, other), negated),
        ("quantified", "=", "any", unknown, more),
        ("quantified", "!=", "all", unknown, more),
        ("case of", "int", unknown, [(other, ("const", 1))], ("const", 2)),
    ]
    statements = [f"select {plain(node)} as x from E" for node in nodes]
    statements += [f"select 1 as x from E where {plain(node)}" for node in nodes[:-1]]
    statements += [f"select 1 as x from E where not {written(node)}" for node in nodes[:-1]]
    schema = SCHEMA.replace("xs int[]", "xs int[], props map")
    checked = check(parse(Source("random.epl", schema + ";\n".join(statements))), Environment())
    assert not checked.problems.has_errors, render(checked.problems)
    compiled = compile_program(checked.program, report=True)
    for event in events:
        found = Rows()
        compiled.handlers["E"](SimpleNamespace(**event, props=event["m"]), None, None, 0, found)
        value = None if event["m"] is None else event["m"]["k"]
        answers = [evaluate(node, {**event, "props('k')": value}) for node in nodes]
        expected = {number: {"x": answer} for number, answer in enumerate(answers, 1)}
        size = len(nodes)
        expected |= {size + 1 + n: {"x": 1} for n, answer in enumerate(answers[:-1]) if answer is True}
        expected |= {2 * size + n: {"x": 1} for n, answer in enumerate(answers[:-1]) if answer is False}
        assert found.rows == expected
