"""Deep, wide, long and growing input ends in success or a diagnostic, never in a Python error."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

import pytest

from epl import Environment, Source, check, compile_program, parse, session_layout
from epl.limits import MAX_DEPTH

SCHEMA = (
    "create schema E (i int, l long, d double, f float, s string, b boolean, c boolean, xs int[], props map);\n"
    "create expression bump { x => x + 1 };\n"
)
MANY = 3_500
"""More than Python's own compiler takes one in another: three times the limit of recursion, which is 1,000."""


def outcome(text: str) -> list[str]:
    """The codes of a file's problems; a file without any is compiled, too."""
    checked = check(parse(Source("limits.epl", SCHEMA + text)), Environment())
    codes = [problem.code.id for problem in checked.problems]
    if not codes:
        compile_program(checked.program, session_layout(checked.attributes), report=True)
    return codes


NESTINGS: dict[str, tuple[str, Callable[[str], str]]] = {
    "not": ("b", lambda x: f"not ({x})"),
    "minus": ("i", lambda x: f"-({x})"),
    "minus of double": ("d", lambda x: f"-({x})"),
    "and or": ("b", lambda x: f"(({x}) and c or b)"),
    "or and": ("b", lambda x: f"(b or ({x})) and c"),
    "left sum": ("i", lambda x: f"{x} + i"),
    "right sum": ("i", lambda x: f"i + ({x})"),
    "product of floats": ("f", lambda x: f"({x}) * f"),
    "quotient": ("d", lambda x: f"({x}) / d"),
    "remainder": ("i", lambda x: f"({x}) % i"),
    "bits": ("i", lambda x: f"i & ({x})"),
    "concat": ("s", lambda x: f"s || ({x}) || 'x'"),
    "equality": ("b", lambda x: f"({x}) = c"),
    "is": ("b", lambda x: f"({x}) is not c"),
    "order": ("i", lambda x: f"case when ({x}) < i then 1 else l end"),
    "in": ("b", lambda x: f"({x}) in (b, c)"),
    "not in": ("b", lambda x: f"({x}) not in (b, c)"),
    "in constants": ("b", lambda x: f"({x}) not in (true)"),
    "in as option": ("b", lambda x: f"b not in (c, ({x}))"),
    "any": ("b", lambda x: f"({x}) = any (b, c)"),
    "between": ("i", lambda x: f"case when ({x}) between 1 and i then i end"),
    "between constants": ("i", lambda x: f"case when ({x}) not between 1 and 3 then i end"),
    "like": ("s", lambda x: f"case when ({x}) not like 'a%' then s end"),
    "like a field": ("s", lambda x: f"case when ({x}) not like s then s end"),
    "regexp": ("s", lambda x: f"case when ({x}) regexp 'a.*' then s end"),
    "case": ("i", lambda x: f"case when b then ({x}) end"),
    "case condition": ("b", lambda x: f"case when ({x}) then b else c end"),
    "case subject": ("i", lambda x: f"case ({x}) when 1 then i when 2 then 3 end"),
    "case else": ("d", lambda x: f"case when b then i else ({x}) end"),
    "coalesce": ("i", lambda x: f"coalesce({x}, 1)"),
    "coalesce widening": ("i", lambda x: f"cast(coalesce({x}, 1.5), int)"),
    "max": ("i", lambda x: f"max({x}, i)"),
    "max widening": ("i", lambda x: f"cast(max({x}, 1.5), int)"),
    "cast": ("i", lambda x: f"cast(cast({x}, string), int)"),
    "typeof": ("s", lambda x: f"typeof({x})"),
    "instanceof": ("b", lambda x: f"instanceof({x}, boolean)"),
    "exists": ("b", lambda x: f"exists({x})"),
    "index": ("i", lambda x: f"xs[{x}]"),
    "array": ("i", lambda x: f"{{{x}, i}}[0]"),
    "method": ("s", lambda x: f"({x}).substring(1)"),
    "method argument": ("s", lambda x: f"s.concat({x})"),
    "inlined method": ("s", lambda x: f"({x}).trim()"),
    "boolean method": ("b", lambda x: f"case when s.equals({x}) then b else c end"),
    "static": ("d", lambda x: f"Math.sqrt({x})"),
    "static of int": ("i", lambda x: f"Math.abs({x})"),
    "map": ("s", lambda x: f"cast(props({x}), string)"),
    "session": ("s", lambda x: f"case when session.contains({x}) then s end"),
    "session filter": ("s", lambda x: f"cast(session.filter({{{x}}}).get('a'), string)"),
    "parentheses": ("i", lambda x: f"({x})"),
}


def nested(name: str, levels: int) -> str:
    """An expression nested so many times."""
    text, wrap = NESTINGS[name]
    for _ in range(levels):
        text = wrap(text)
    return text


def as_column(expression: str) -> str:
    """An expression as a column."""
    return f"select {expression} as x from E;"


def in_use(expression: str) -> str:
    """An expression as a column, in a condition and under `not`."""
    return f"select {expression} as x from E where ({expression}) is not null and not (({expression}) is null);"


def twice_as_deep(name: str, levels: int, use: Callable[[str], str]) -> str:
    """The nesting in a declared expression, and the same nesting around that."""
    text = "inner"
    for _ in range(levels):
        text = NESTINGS[name][1](text)
    return f"create expression inner alias for {{ {nested(name, levels)} }};\n{use(text)}"


def problems_of(text: str) -> set[str]:
    """The codes that checking finds; nothing is compiled."""
    return {problem.code.id for problem in check(parse(Source("limits.epl", SCHEMA + text)), Environment()).problems}


@pytest.mark.parametrize("name", [name for name in NESTINGS if name != "parentheses"])
@pytest.mark.parametrize("doubled", [False, True])
def test_the_deepest_that_is_accepted_compiles(name: str, doubled: bool) -> None:
    def text(levels: int, use: Callable[[str], str] = in_use) -> str:
        return twice_as_deep(name, levels, use) if doubled else use(nested(name, levels))

    # A column nests a little less deep than all uses together, and is a third of the text to look at.
    refused = bisect_left(range(MAX_DEPTH), True, key=lambda levels: bool(problems_of(text(levels, as_column))))
    above = problems_of(text(refused))
    while below := set(outcome(text(refused - 1))):
        refused, above = refused - 1, below
    assert 5 < refused < MAX_DEPTH
    assert above
    assert above <= {"E107", "E215"}


@pytest.mark.parametrize(
    ("expression", "codes"),
    [
        ("(" * 10_000 + "i" + ")" * 10_000, []),
        ("-" * 10_000 + "i", ["E107"]),
        ("not " * 10_000 + "b", ["E107"]),
        (" or ".join(["b"] * MANY), []),
        (" and ".join(["b"] * MANY), []),
        (" or ".join(f"i = {n}" for n in range(MANY)), []),
        (" or ".join(f"(i = {n} and s like '%{n}%')" for n in range(500)), []),
        (" || ".join(["s"] * MANY), []),
        (" + ".join(["i"] * MANY), ["E107"]),
        ("i.x" + ".x" * MANY, ["E107"]),
        ("s" + ".trim()" * MANY, ["E107"]),
        (nested("case", 300), ["E107"]),
        ("case " + " ".join(f"when i = {n} then '{n}'" for n in range(3_000)) + " end", []),
        ("case i " + " ".join(f"when {n} then {n}" for n in range(3_000)) + " else 1.5 end", []),
        ("coalesce(" + ", ".join(["i"] * MANY) + ")", []),
        ("max(" + ", ".join(["i"] * MANY) + ")", []),
        ("i in (" + ", ".join(map(str, range(MANY))) + ")", []),
        ("i not in (" + ", ".join(["i"] * MANY) + ")", []),
        ("i = any (" + ", ".join(["i"] * MANY) + ")", []),
        ("{" + ", ".join(["i"] * MANY) + "}", []),
        ("'" + "x" * 1_000_000 + "'", []),
        ("1" * 1_000_000, ["E106"]),
        ("y" * 1_000_000, ["E201"]),
        ("(" * 10_000, ["E101"]),
        ("cast(i, " + "x." * MANY + "y)", ["E206"]),
        ("bump(" * 20 + "i" + ")" * 20, []),
        ("bump(" * 80 + "i" + ")" * 80, ["E107"]),
    ],
)
def test_large_expressions(expression: str, codes: list[str]) -> None:
    assert outcome(as_column(expression)) == codes


@pytest.mark.parametrize("operator", ["or", "and"])
def test_long_chains_in_every_position(operator: str) -> None:
    chain = f" {operator} ".join(["b", "c = b", "i > 1"] * 1_000)
    assert outcome(f"select ({chain}) = c as x, not ({chain}) as y from E where ({chain}) and not ({chain});") == []


def test_annotation_lists_do_not_nest() -> None:
    assert outcome("@Hint(" + "{" * 5_000 + "}" * 5_000 + ") select i from E;") == ["E101"]


# ---- what grows without being deep


def test_declared_expressions_that_double() -> None:
    doubling = "".join(f"create expression f{n} {{ x => f{n - 1}(x) + f{n - 1}(x) }};\n" for n in range(1, 40))
    text = "create expression f0 { x => x };\n" + doubling + "select f39(i) as x from E;"
    assert set(outcome(text)) == {"E215"}


def test_arguments_that_double() -> None:
    text = "create expression twice { x => x + x };\n"
    assert outcome(text + "select " + "twice(" * 10 + "i" + ")" * 10 + " as x from E;") == []
    assert set(outcome(text + "select " + "twice(" * 40 + "i" + ")" * 40 + " as x from E;")) == {"E215"}


def test_variables_that_double() -> None:
    doubling = "".join(f"create variable long V{n} = V{n - 1} + V{n - 1};\n" for n in range(1, 40))
    codes = outcome("create variable long V0 = 1;\n" + doubling + "select V39 as x from E;")
    assert set(codes) == {"E215"}


def test_expressions_that_call_one_another() -> None:
    chain = "".join(f"create expression f{n} {{ x => f{n - 1}(x) }};\n" for n in range(1, 1_000))
    assert set(outcome("create expression f0 { x => x };\n" + chain + "select f999(i) as x from E;")) == {"E215"}


def test_long_chains_of_inserts() -> None:
    inserts = [f"insert into T{n} select i from {f'T{n - 1}' if n else 'E'};" for n in range(2_000)]
    assert outcome("\n".join(reversed(inserts))) == []
    assert outcome("\n".join(inserts) + "\ninsert into T0 select i from T1999;") == ["E211"]


def test_attributes_that_depend_on_one_another() -> None:
    chain = [f"@UpdateState select session.a{n} as a{n + 1} from E;" for n in range(100)]
    assert outcome("@UpdateState select i as a0 from E;" + "\n".join(reversed(chain))) == []


def test_attributes_whose_types_have_no_answer() -> None:
    text = "@UpdateState select 1 as a from E;\n@UpdateState select cast(session.a + 1, string) as a from E;"
    assert outcome(text) == ["E311"]
    assert outcome("@UpdateState select 1 as a from E;\n@UpdateState select {session.a} as a from E;") == []


# ---- large files


def test_a_file_of_many_statements() -> None:
    filler = "x" * 4_000
    text = "\n".join(
        f"@UpdateState select i + {n} as a{n % 50}, '{filler}' as s from E(i > {n} and s like 'a%');"
        for n in range(500)
    )
    assert len(text) > 2_000_000
    assert outcome(text) == []


def test_a_file_of_many_mistakes() -> None:
    names = "".join(f"create variable int LONG_NAME_{n} = {n};\n" for n in range(1_500))
    codes = outcome(names + "select LONG_NAMES_1 as x from E;\n" * 1_500)
    assert codes == ["E201"] * 1_500


@pytest.mark.parametrize("text", ["'" * 100_001, "/*" * 50_000, "`\n" * 20_000, ";" * 100_000, '"\\' * 50_000])
def test_a_file_that_never_closes(text: str) -> None:
    assert set(outcome(text)) <= {"E101", "E102", "E103", "E104"}
