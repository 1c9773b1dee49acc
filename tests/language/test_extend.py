"""Functions and annotations that others register: types from hints, nulls, what goes in and out, what is refused."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from types import ModuleType, SimpleNamespace
from typing import Annotated, Any

import pytest

from epl import Environment, Source, Stage, check, compile_program, parse, session_layout, types
from epl.diagnostics import render
from epl.extend import (
    BadExtension,
    RowColumns,
    add_to_counter,
    annotation,
    append_to_list,
    call,
    decorate,
    end_session,
    extension_of,
    function,
    mark_bot,
    set_duration,
    split_session,
    write_metadata,
    write_state,
)
from epl.extend.collect import wrong_examples
from epl.registry import CATALOG, Form
from epl.registry.annotations import ANNOTATIONS
from epl.typed import Call, Effect

SCHEMA = "create schema PageView (user string, et string, n int, at long);\n"


def environment_of(*registered: Any, stage: Stage = Stage.MAIN) -> Environment:
    """An environment with what a module of these would add."""
    module = ModuleType("added")
    vars(module).update({f"x{number}": each for number, each in enumerate(registered)})
    extension = extension_of(module)
    return Environment(
        stage=stage,
        catalog=CATALOG.extended(extension.functions),
        annotations=(*ANNOTATIONS, *extension.annotations),
    )


class Driver:
    """Takes what one rule leaves."""

    def __init__(self) -> None:
        self.rows: deque[Any] = deque()
        self.reported: list[dict[str, Any]] = []
        self.errors: list[str] = []

    def report(self, rule: int, row: dict[str, Any]) -> None:
        self.reported.append(row)

    def fail(self, rule: str, error: Exception, event: Any) -> None:
        self.errors.append(f"{type(error).__name__}: {error}")


def run(implementation: Callable[..., Any], expression: str, **fields: Any) -> Any:
    """What an expression gives as the column of a rule, or the text of its error."""
    checked = check(
        parse(Source("x.epl", f"{SCHEMA}select {expression} as x from PageView")), environment_of(implementation)
    )
    assert not list(checked.problems), render(checked.problems)
    compiled = compile_program(checked.program, session_layout(checked.attributes), report=True)
    driver = Driver()
    event = SimpleNamespace(**{"user": None, "et": None, "n": None, "at": None, **fields})
    compiled.handlers["PageView"](event, None, None, 0, driver)
    return driver.errors[0] if driver.errors else driver.reported[0]["x"]


def problems_of(text: str, *registered: Any, stage: Stage = Stage.MAIN) -> list[str]:
    """Codes and messages of a rule set."""
    environment = environment_of(*registered, stage=stage)
    return [f"{found.code.id} {found.message}" for found in check(parse(Source("x.epl", text)), environment).problems]


@function(examples={"half(3)": 1.5})
def half(x: float) -> float:
    """Half of a number."""
    return x / 2


@function("Tiers.of", examples={"Tiers.of(null)": "none"})
def tier(spent: int | None) -> str:
    """The tier of a customer."""
    return "none" if spent is None else "gold" if spent > 100 else "silver"


@function(examples={"pad(null, 3)": None, "pad('a', null)": "a"})
def pad(text: str, width: int | None) -> str | None:
    """The text, filled with blanks."""
    return text if width is None else text.ljust(width)


def test_types_and_documentation_come_from_the_function() -> None:
    entry = half.__sojourn__  # type: ignore[attr-defined]
    assert (entry.name, entry.form, entry.summary, entry.pure) == ("half", Form.FUNCTION, "Half of a number.", True)
    assert entry.signatures[0].returns == types.DOUBLE
    static = tier.__sojourn__  # type: ignore[attr-defined]
    assert (static.title, static.form) == ("Tiers.of", Form.STATIC)
    assert half(3.0) == 1.5, "it is still the function that it was"


@pytest.mark.parametrize(
    ("implementation", "expression", "fields", "expected"),
    [
        (half, "half(n)", {"n": 3}, 1.5),
        (half, "half(n)", {}, None),
        (half, "half(1) + half(at)", {"at": 3}, 2.0),
        (tier, "Tiers.of(at)", {"at": 1000}, "gold"),
        (tier, "Tiers.of(at)", {}, "none"),
        (pad, "pad(et, n) || '|'", {"et": "a", "n": 2}, "a |"),
        (pad, "pad(et, n)", {"n": 2}, None),
    ],
)
def test_calls(implementation: Callable[..., Any], expression: str, fields: dict[str, Any], expected: Any) -> None:
    assert run(implementation, expression, **fields) == expected


def returning(value: Any, hint: Any) -> Callable[..., Any]:
    """A function of no arguments that returns a value, declared to be of a type."""

    def given():  # type: ignore[no-untyped-def]
        """Something."""
        return value

    given.__annotations__ = {"return": hint}
    return function(pure=False)(given)


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        (7, float, 7.0),
        (1 << 62, int, 1 << 62),
        (Decimal("1.50"), Decimal, Decimal("1.50")),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime, datetime(2026, 1, 1, tzinfo=UTC)),
        (("a", 1, {"b": [None]}), list, ["a", 1, {"b": [None]}]),
        ({"a": 1.5}, dict, {"a": 1.5}),
        (None, str | None, None),
        ([True], object, [True]),
        ("7", int, "RuleError: it returned '7', which is no long"),
        (True, int, "RuleError: it returned True, which is no long"),
        (1 << 63, int, f"RuleError: it returned {1 << 63}, which is no long"),
        (1 << 31, Annotated[int, types.INT], f"RuleError: it returned {1 << 31}, which is no int"),
        (None, str, "RuleError: it returned None, which is no string"),
        ({1: 2}, dict, "RuleError: a map has keys that are no strings"),
        ({1}, object, "RuleError: set is no type of value that an event can hold"),
        ([object()], list, "RuleError: object is no type of value that an event can hold"),
    ],
)
def test_what_is_returned_is_what_was_declared(value: Any, hint: Any, expected: Any) -> None:
    assert run(returning(value, hint), "given()") == expected


class Real(float):
    """As numpy.float64 is one."""


class Level(IntEnum):
    LOW = 1


class Stamp(datetime):
    """As pandas.Timestamp is one."""


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        (Real(1.5), float, 1.5),
        ([Level.LOW], list, [1]),
        ({"a": Real(2.5)}, object, {"a": 2.5}),
        (datetime(2026, 1, 1, 12), datetime, datetime(2026, 1, 1, 12, tzinfo=UTC)),
        (datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2))), object, datetime(2025, 12, 31, 22, tzinfo=UTC)),
        (Stamp(2026, 1, 1, 0, 0, 0, 7, tzinfo=UTC), datetime, datetime(2026, 1, 1, 0, 0, 0, 7, tzinfo=UTC)),
    ],
)
def test_what_is_returned_is_of_a_class_of_the_language(value: Any, hint: Any, expected: Any) -> None:
    """State is stored, and nobody can store a class of somebody's own; dates are in UTC, as events have them."""
    given = run(returning(value, hint), "given()")
    assert given == expected
    assert repr(given) == repr(expected)


def test_a_date_beyond_the_years() -> None:
    early = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert run(returning(early, datetime), "given()") == "RuleError: a date is beyond the years 1 to 9999"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no"), "ValueError: no"),
        (KeyError("k"), "KeyError: 'k'"),
        (SystemExit(3), "RuleError: it called sys.exit(3)"),
        (RecursionError("deep"), "RecursionError: deep"),
    ],
)
def test_what_it_raises_is_an_error_of_the_rule(error: BaseException, said: str) -> None:
    def given() -> int:
        """Fails."""
        raise error

    assert run(function(pure=False)(given), "given()").startswith(
        ("ValueError: no", "KeyError", "RuleError", "Recursi")
    )


def test_a_function_cannot_change_what_it_was_given() -> None:
    @function(pure=False)
    def emptied(items: list) -> int:  # type: ignore[type-arg]
        """Takes everything out."""
        count = len(items)
        items.clear()
        return count

    assert run(emptied, "emptied({1, 2}) + emptied({3})") == 3
    same = "create variable int[] xs = {1, 2};\n"
    checked = check(
        parse(Source("x.epl", f"{SCHEMA}{same}select emptied(xs) as a, xs.size() as b from PageView")),
        environment_of(emptied),
    )
    compiled = compile_program(checked.program, session_layout(checked.attributes), report=True)
    for _ in range(2):
        driver = Driver()
        compiled.handlers["PageView"](SimpleNamespace(), None, None, 0, driver)
        assert driver.reported == [{"a": 2, "b": 2}]


def test_the_checker_knows_the_types() -> None:
    select = f"{SCHEMA}select {{}} as x from PageView"
    assert problems_of(select.format("half('a')"), half)[0].startswith("E305")
    assert problems_of(select.format("halff(1)"), half) == ["E204 there is no function `halff`"]
    assert problems_of(select.format("half(1) || 'a'"), half)[0].startswith("E30")


def test_a_variable_needs_a_pure_function() -> None:
    later = returning(7, int)
    assert problems_of("create variable double X = half(3)", half) == []
    assert [text[:4] for text in problems_of("create variable long X = given()", later)] == ["E312"]
    assert [text[:4] for text in problems_of("create variable long X = current_timestamp", later)] == ["E312"]
    assert problems_of("create variable int X = Math.max(1, 2)") == []


def undocumented(x: int) -> int:
    return x


def test_what_is_no_function() -> None:
    def untyped(x):  # type: ignore[no-untyped-def]
        """Untyped."""

    def strange(x: set) -> int:  # type: ignore[type-arg]
        """Strange."""
        return 0

    def many(*x: int) -> int:
        """Many."""
        return 0

    def default(x: int = 1) -> int:
        """Default."""
        return x

    def both(x: Annotated[str, types.INT]) -> int:
        """Both."""
        return 0

    for implementation, said in [
        (undocumented, "no doc string"),
        (untyped, "`x` has no type hint"),
        (strange, "`x` is of a type that rules do not have"),
        (many, "`x` cannot be given by place"),
        (default, "`x` has a default"),
        (both, "`x` cannot be str and int at once"),
    ]:
        with pytest.raises(BadExtension, match=said):
            function(pure=False)(implementation)
    with pytest.raises(BadExtension, match="no example"):
        function()(half)
    with pytest.raises(BadExtension, match="its name is no name"):
        function("a.b.c", pure=False)(half)


def test_examples_that_do_not_hold() -> None:
    def of(examples: dict[str, object]) -> str:
        module = ModuleType("added")

        @function("f", examples=examples)
        def f(x: int) -> int:
            """Its inverse, so to say."""
            return 10 // x

        vars(module)["f"] = f
        extension = extension_of(module)
        environment = Environment(catalog=CATALOG.extended(extension.functions))
        return "".join(outcome for _, _, outcome in wrong_examples(extension, environment))

    assert of({"f(2)": 5}) == ""
    assert of({"f(2)": 4}) == "gives 5, not 4"
    assert of({"f(2)": 5.0}) == "gives 5, not 5.0"
    assert of({"f(0)": 1}) == "fails: ZeroDivisionError: integer division or modulo by zero"
    assert of({"f(": 1}).startswith("is no expression: ")


# ---- annotations


@annotation(
    "Points",
    example="@Points('score') select n as points from PageView;",
    columns=[("points", types.DOUBLE, "what the event is worth")],
)
def points(
    row: RowColumns, name: Annotated[str, "the sum"], best: Annotated[bool, "keep the last as well"] = False
) -> list[Effect]:
    """Sums the column `points`."""
    more = [write_state({f"{name}_last": row["points"], "kind": "points"})] if best else []
    return [add_to_counter(name, row["points"]), *more]


def test_an_annotation_has_the_effects_that_its_function_says() -> None:
    text = f"{SCHEMA}@Points(name='score', best=true) select n as points from PageView;\n"
    text += "@DecorateEvent select session.score as score, session.score_last as last from PageView;"
    checked = check(parse(Source("x.epl", text)), environment_of(points))
    assert not list(checked.problems), render(checked.problems)
    assert set(checked.attributes.state) == {"score", "score_last", "kind"}, "the checker knows what it writes"
    assert checked.attributes.state["score"] == {types.INT}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("@Points select n as points from PageView", "E403"),
        ("@Points('score') select n from PageView", "E406"),
        ("@Points('score') select et as points from PageView", "E410"),
        ("@Points(name='score', best=1) select n as points from PageView", "E405"),
        ("@Points(nam='score') select n as points from PageView", "E404"),
        ("@Point('score') select n as points from PageView", "E401"),
    ],
)
def test_an_annotation_is_checked_as_the_others_are(rule: str, expected: str) -> None:
    assert [text[:4] for text in problems_of(SCHEMA + rule, points)] == [expected]


def test_an_annotation_of_another_stage() -> None:
    rule = f"{SCHEMA}@Points('score') select n as points from PageView"
    assert [text[:4] for text in problems_of(rule, points, stage=Stage.CONTROLLER)] == ["E402"]


def made(expand: Callable[[RowColumns], list[Effect]], **given: Any) -> Any:
    """An annotation @Made of some effects."""

    def implementation(row: RowColumns) -> list[Effect]:
        """Whatever."""
        return expand(row)

    return annotation("Made", example="@Made select n from PageView;", **given)(implementation)


def raises(error: Exception) -> Callable[[RowColumns], list[Effect]]:
    def expand(row: RowColumns) -> list[Effect]:
        raise error

    return expand


@pytest.mark.parametrize(
    ("expand", "stage", "expected"),
    [
        (lambda row: [add_to_counter("c", row["m"])], Stage.MAIN, "E406 `@Made` reads the column `m`"),
        (lambda row: [add_to_counter("c", row["et"])], Stage.MAIN, "the counter `c` takes a number, not string"),
        (lambda row: [set_duration("x")], Stage.MAIN, "the gap is an int, not string"),
        (lambda row: [set_duration(1)], Stage.SUB, "SetDuration has no place in the rules of a sub-session"),
        (lambda row: [split_session()], Stage.SUB, "SplitSession has no place in the rules of a sub-session"),
        (lambda row: [mark_bot(1)], Stage.CONTROLLER, "MarkBot has no place in the controller"),
        (raises(KeyError("x")), Stage.MAIN, "refuses this rule: KeyError: 'x'"),
        (raises(ValueError("not on a Sunday")), Stage.MAIN, "refuses this rule: not on a Sunday"),
        (lambda row: 7, Stage.MAIN, "refuses this rule: TypeError"),
        (lambda row: ["x"], Stage.MAIN, "its effect str has no place"),
        (lambda row: [end_session(), mark_bot(row["n"]), decorate({"a": None})], Stage.MAIN, ""),
        (lambda row: [write_metadata({"a": 1.5}), append_to_list("l", 1 << 40, maxlength=3)], Stage.SUB, ""),
    ],
)
def test_what_an_annotation_refuses(expand: Any, stage: Stage, expected: str) -> None:
    registered = made(expand, stages=list(Stage))
    found = problems_of(f"{SCHEMA}@Made select n, et from PageView", registered, stage=stage)
    assert (expected in found[0]) if expected else found == [], found


def test_an_annotation_that_calls() -> None:
    heard: list[dict[str, Any]] = []
    registered = made(lambda row: [call(heard.append, {"n": row["n"], "why": "because"})])
    checked = check(parse(Source("x.epl", f"{SCHEMA}@Made select n from PageView")), environment_of(registered))
    assert isinstance(checked.program.rules[0].effects[0], Call)
    compiled = compile_program(checked.program, session_layout(checked.attributes))

    class Calls(Driver):
        def call(self, rule: str, called: Callable[[dict[str, Any]], object], row: dict[str, Any], event: Any) -> None:
            called(row)

    compiled.handlers["PageView"](SimpleNamespace(n=5), None, None, 0, Calls())
    assert heard == [{"n": 5, "why": "because"}]


def test_what_is_no_annotation() -> None:
    def unmeant(row: RowColumns, name: str) -> list[Effect]:
        """No meaning."""
        return []

    def fraction(row: RowColumns, share: Annotated[float, "a share"]) -> list[Effect]:
        """A number."""
        return []

    def rowless() -> list[Effect]:
        """No row."""
        return []

    for implementation, said in [
        (unmeant, "`name` has no meaning"),
        (fraction, "`share` is neither str, bool nor int"),
        (rowless, "takes no row"),
    ]:
        with pytest.raises(BadExtension, match=said):
            annotation("A", example="")(implementation)
    with pytest.raises(BadExtension, match="its name is no name"):
        annotation("A B", example="")(points)
