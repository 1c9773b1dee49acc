"""Names and types: each expression has a type, or a problem with a code at its place."""

from __future__ import annotations

import pytest

from epl import Checked, Environment, EventType, Source, Stage, check, parse
from epl.diagnostics import render
from epl.types import INT, STRING

SCHEMA = (
    "create schema E (i int, l long, f float, d double, big bigint, dec decimal, s string, b boolean, ch char, "
    "at date, xs int[], ss string[], things list, props map, o object);"
    "create variable int N = 5; create variable string NAME; create variable int[] PRIMES = {2, 3, 5};"
    "create expression twice { x => x + x }; create expression big_i alias for { i > N };"
    "create expression of_event { ev => ev.i + 1 };"
)


def checked(text: str, environment: Environment | None = None) -> Checked:
    return check(parse(Source("rules.epl", text)), environment or Environment())


def outcome(expression: str) -> str:
    """The type of a column, or its problems as `CODE column` with columns of the expression from 1."""
    head = "select "
    found = checked(f"{SCHEMA}\n{head}{expression} as x from E as e")
    problems = [
        f"{problem.code.id} {found.program.source.position(problem.span.start).column - len(head)}"
        for problem in found.problems
    ]
    return ", ".join(problems) or str(found.program.rules[-1].columns[-1].expr.type)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # literals
        ("1", "int"),
        ("1L", "long"),
        ("2147483648", "long"),
        ("1.5", "double"),
        ("1.5f", "float"),
        ("'a'", "string"),
        ("true", "boolean"),
        ("null", "null"),
        ("{1, 2}", "int[]"),
        ("{1, 2.5}", "double[]"),
        ("{1, 'a'}", "object[]"),
        ("{}", "object[]"),
        # names
        ("i", "int"),
        ("e.i", "int"),
        ("E.i", "int"),
        ("N", "int"),
        ("NAME", "string"),
        ("PRIMES", "int[]"),
        ("PRIMES[0]", "int"),
        ("big_i", "boolean"),
        ("twice(l)", "long"),
        ("twice(twice(d))", "double"),
        ("of_event(e)", "int"),
        ("current_timestamp", "long"),
        ("current_timestamp()", "long"),
        ("missing?", "object"),
        ("e.missing?", "object"),
        ("n", "E201 1"),
        ("I", "E201 1"),
        ("e.n", "E202 1"),
        ("f.i", "E313 1"),
        ("e", "E214 1"),
        ("session", "E214 1"),
        ("1 + e", "E214 5"),
        ("twice(i, l)", "E305 1"),
        ("twice(n)", "E201 7"),
        # arithmetic
        ("i + i", "int"),
        ("i + l", "long"),
        ("l * f", "float"),
        ("i - d", "double"),
        ("i / i", "double"),
        ("l % i", "long"),
        ("i + null", "int"),
        ("null * l", "long"),
        ("big + i", "bigint"),
        ("big + d", "double"),
        ("dec * d", "decimal"),
        ("-i", "int"),
        ("+d", "double"),
        ("i + s", "E301 5"),
        ("s + i", "E301 1"),
        ("-s", "E301 2"),
        ("-null", "E301 2"),
        ("props('k') + 1", "E311 1"),
        ("i & i", "int"),
        ("b | b", "boolean"),
        ("i & l", "E301 1"),
        ("i & b", "E301 1"),
        ("d ^ d", "E301 1"),
        # strings
        ("s || s", "string"),
        ("s || ch", "string"),
        ("s || null", "string"),
        ("s || i", "E301 6"),
        ("s || 'a' || d", "E301 13"),
        ("props('k') || s", "E311 1"),
        # logic
        ("b and not b or b", "boolean"),
        ("b and i", "E301 7"),
        ("not s", "E301 5"),
        ("b or props('k')", "E311 6"),
        # comparison
        ("i = d", "boolean"),
        ("s < 'a'", "boolean"),
        ("s = ch", "boolean"),
        ("b = true", "boolean"),
        ("at = at", "boolean"),
        ("i = null", "boolean"),
        ("props('k') = i", "boolean"),
        ("props('k') != s", "boolean"),
        ("props('k') is s", "boolean"),
        ("missing? is null", "boolean"),
        ("i = s", "E302 1"),
        ("b < b", "E302 1"),
        ("b = 1", "E302 1"),
        ("xs = xs", "E302 1"),
        ("props('k') < 1", "E311 1"),
        ("s is 1", "E302 1"),
        # predicates
        ("i in (1, 2.5, null)", "boolean"),
        ("i in (xs)", "boolean"),
        ("i not in (1, xs)", "boolean"),
        ("s in ('a', ss)", "boolean"),
        ("i in ('a')", "E302 7"),
        ("i in (1, 'a', 'b')", "E302 10"),
        ("s in (xs)", "E302 7"),
        ("i = any (1, xs)", "boolean"),
        ("i < all (xs)", "boolean"),
        ("i > some (ss)", "E302 11"),
        ("i between 1 and d", "boolean"),
        ("s between 'a' and 'b'", "boolean"),
        ("i in [1:5)", "boolean"),
        ("i between 'a' and 5", "E302 11"),
        ("b between b and b", "E302 11"),
        ("s like 'a%'", "boolean"),
        ("i like '1%'", "boolean"),
        ("s like ss", "E301 8"),
        ("b like 'a'", "E301 1"),
        ("s like 'a!' escape '!'", "E308 8"),
        ("s like 'a' escape 'ab'", "E308 1"),
        ("s regexp '[a-z]+'", "boolean"),
        ("s regexp '(a'", "E308 10"),
        ("s regexp s", "boolean"),
        # choices
        ("case when b then 1 else 2L end", "long"),
        ("case when b then 1 end", "int"),
        ("case when b then null else 's' end", "string"),
        ("case i when 1 then 'a' when null then 'b' end", "string"),
        ("case when i then 1 end", "E303 11"),
        ("case when b then 1 else 'a' end", "E304 25"),
        ("case when b then props('k') else 'a' end", "E304 34"),
        ("case i when 'a' then 1 end", "E302 13"),
        ("case when n then m else k end", "E201 11, E201 18, E201 25"),
        ("coalesce(i, d)", "double"),
        ("coalesce(s, null)", "string"),
        ("coalesce(i)", "E305 1"),
        ("coalesce(i, s)", "E304 13"),
        ("min(i, 1.5)", "double"),
        ("MAX(i, l, 3)", "long"),
        ("max(i)", "E305 1"),
        ("max(i, s)", "E301 8"),
        # conversions
        ("cast(s, int)", "int"),
        ("cast(i as string)", "string"),
        ("cast(i, java.lang.Long)", "long"),
        ("cast(props('k'), double)", "double"),
        ("cast(null, string)", "string"),
        ("cast(xs, string[])", "string[]"),
        ("cast(b, int)", "E306 1"),
        ("cast(xs, int)", "E306 1"),
        ("cast(i, strin)", "E206 9"),
        ("typeof(i)", "string"),
        ("typeof({{1}})", "string"),
        ("instanceof(i, int, java.lang.Number)", "boolean"),
        ("instanceof(i, number2)", "E206 15"),
        ("exists(i)", "boolean"),
        ("exists(missing?)", "boolean"),
        ("exists(missing)", "E201 8"),
        # arrays and maps
        ("xs[0]", "int"),
        ("xs[i + 1]", "int"),
        ("xs['a']", "E301 4"),
        ("i[0]", "E309 1"),
        ("xs.length", "int"),
        ("xs.size()", "int"),
        ("xs.size", "E313 1"),
        ("xs.get(0)", "int"),
        ("things.get(0)", "object"),
        ("props('k')", "object"),
        ("e.props('k')", "object"),
        ("props.k", "object"),
        ("props.get('k')", "object"),
        ("props(1)", "E305 1"),
        ("props('k').length()", "E311 1"),
        ("cast(props('k'), string).length()", "int"),
        # calls
        ("s.length()", "int"),
        ("s.substring(1, 2)", "string"),
        ("s.charAt(0)", "char"),
        ("s.split(',')", "string[]"),
        ("s.substring('a')", "E305 1"),
        ("s.substring()", "E305 1"),
        ("s.size()", "E205 1"),
        ("i.length()", "E205 1"),
        ("i.toString().length()", "int"),
        ("Math.abs(i)", "int"),
        ("Math.abs(d)", "double"),
        ("Math.sqrt(i)", "double"),
        ("java.lang.Math.max(i, l)", "long"),
        ("Integer.parseInt(s)", "int"),
        ("System.currentTimeMillis()", "long"),
        ("Math.sine(1.0)", "E213 1"),
        ("Math.abs(s)", "E305 1"),
        ("toJson(i)", "string"),
        ("fromJson(s)", "map"),
        ("tojson(i)", "E204 1"),
        ("f(1)", "E204 1"),
        ("count(*)", "E124 1"),
        ("sum(i)", "E124 1"),
        ("s.length(*)", "E101 10"),
        # sessions
        ("session.eventCount", "int"),
        ("session.duration", "long"),
        ("session.getEventCount()", "int"),
        ("session.int('a')", "int"),
        ("session.getString('a')", "string"),
        ("session.list('a')", "list"),
        ("metadata.date('a')", "date"),
        ("session.contains('a')", "boolean"),
        ("session.contains(s, i)", "boolean"),
        ("session.filter({'a', s})", "map"),
        ("session.filter(null)", "map"),
        ("session.int(s)", "E310 13"),
        ("session.int()", "E305 1"),
        ("session.contains(1)", "E305 1"),
        ("session.filter('a')", "E305 1"),
        ("session.integer('a')", "E210 1"),
        ("session.views", "E209 1"),
        ("metadata.eventCount", "E209 1"),
        ("parentSession.eventCount", "int"),
        # several at once
        ("n + m", "E201 1, E201 5"),
        ("s.foo(n)", "E201 7"),
        ("case when s then n end", "E303 11, E201 18"),
    ],
)
def test_types(expression: str, expected: str) -> None:
    assert outcome(expression) == expected


# ---- statements


def problems_of(text: str, environment: Environment | None = None) -> list[str]:
    """Each problem as `CODE line:column`."""
    found = checked(text, environment)
    places = [(problem.code.id, found.program.source.position(problem.span.start)) for problem in found.problems]
    return [f"{code} {place.line}:{place.column}" for code, place in places]


E = "create schema E (i int, s string, b boolean, xs int[]);\n"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("select i from F", ["E203 2:15"]),
        ("select i, s as i from E", ["E207 2:11"]),
        ("select *, i from E", ["E207 2:11"]),
        ("select *, i as j, e.* from E as e", ["E207 2:19"] * 4),
        ("select f.* from E as e", ["E201 2:8"]),
        ("select i from E(i, s = 'a', n > 1) where s", ["E303 2:17", "E201 2:29", "E303 2:42"]),
        ("select 1 from E where i + 1", ["E303 2:23"]),
        ("update istream E set i = 'a', n = 1, s = 'x'", ["E307 2:26", "E202 2:31"]),
        ("update istream E as e set i = e.i + 1, s = null where e.n = 1", ["E202 2:55"]),
        ("create schema E (j int)", ["E208 2:15"]),
        ("create schema F (a strin, a int, b int[])", ["E206 2:20", "E208 2:27"]),
        ("create variable int N = 'a'", ["E307 2:25"]),
        ("create variable int N = i", ["E312 2:25"]),
        ("create variable long N = 1; create variable double M = N / 2", []),
        ("create variable strng N", ["E206 2:17"]),
        ("create expression f { x => f(x) }; select f(i) as y from E", ["E212 2:28"]),
        ("create expression f { x => g(x) }; create expression g { x => f(x) }; select f(i) from E", ["E212 2:63"]),
        ("create expression f { x => n }; select f(i) as y, f(i) as z from E", ["E201 2:28"]),
        ("insert into F select i, s as t from E; select i + 1 as j, t || 'a' as u from F", []),
        ("select t || 'a' as u from F; insert into F select s as t from E", []),
        ("insert into F select i from E; select s from F", ["E201 2:39"]),
        ("insert into F (a, b) select i from E; select a from F", ["E305 2:1", "E201 2:46"]),
        ("insert into F (a, b) select i, s from E; select a + 1 as x, b || '' as y from F", []),
        ("insert into F select i from E; insert into F select 1.5 as i from E; select i / 2 as x from F", []),
        ("insert into E select 'a' as i from G; create schema G (x int)", ["E307 2:13"]),
        ("create schema G (n int); insert into G select i from E", ["E202 2:38"]),
        ("create schema G (n long, m string); insert into G select i as n from E", []),
        ("insert into A select i from E; insert into B select i from A; insert into A select i from B", ["E211 2:13"]),
        ("insert into A select i from A", ["E211 2:13"]),
    ],
)  # fmt: skip
def test_statements(text: str, problems: list[str]) -> None:
    assert problems_of(E + text) == problems


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("@Sesion('A') select i from E", ["E401 2:1"]),
        ("@UpdateCounter select i from E", ["E403 2:1"]),
        ("@UpdateCounter(name='n') select i from E", ["E404 2:16"]),
        ("@UpdateCounter('n', 'm') select i from E", ["E101 2:19"]),
        ("@UpdateCounter(5) select i from E", ["E405 2:16"]),
        ("@AppendState(name='n', colname='i', maxlength='9') select i from E", ["E405 2:37"]),
        ("@AppendState(name='n', colname='j') select i from E", ["E406 2:1"]),
        ("@AppendState(name='n', colname='j') select n as j from E", ["E201 2:44"]),
        ("@AppendCounter(name='n', colname='s') select s from E", ["E410 2:1"]),
        ("@AppendCounter('n') @UpdateCounter('m') select s from E", []),
        ("@UpdateDuration select 's' as _duration_ from E", ["E410 2:1"]),
        ("@MarkBot select i as _bottype_ from E", []),
        ("@SubSession('Cart') select s as _pk_ from E", ["E408 2:1"]),
        ("@SubSession('Basket') select s as key from E", ["E406 2:1"]),
        ("@EndSession select 1 from Ended", ["E409 2:1"]),
        ("@UpdateCounter('n') select 1 from Ended", []),
        ("@Session('A') select s as _pk_ from E", ["E402 2:1"]),
        ("@UpdateCounter('n') @Name('x') update istream E set i = 1", []),
        ("@AppendCounter(name='n', colname='s') update istream E set i = 1", ["E410 2:1"]),
        ("@SubSession('C') update istream E set i = 1", ["E406 2:1"]),
        ("@UpdateState create variable int N = 1", ["E411 2:1"]),
        ("@Name('x') create variable int N = 1", []),
        ("@Name('a') @Description('b') @Tag(name='x', value='y') @Priority(1) @Hint(X) select i from E", []),
        ("@UpdateState select session.a + 1 as a from E", ["E209 2:21"]),
        ("@UpdateState select 1 as a from E; @DecorateEvent select session.a + 1 as b from E", []),
        ("@UpdateState select 1 as a from E; @DecorateEvent select session.aa as b from E", ["E209 2:58"]),
        ("@UpdateCounter('n') select 1 from E; @DecorateEvent select session.n + 1 as b from E", []),
        ("@UpdateState select 1 as a from E; @UpdateState select 'x' as a from E(session.a > 1)", ["E311 2:72"]),
        ("@DecorateEvent select parentSession.eventCount as n from E", ["E407 2:23"]),
    ],
)  # fmt: skip
def test_annotations(text: str, problems: list[str]) -> None:
    environment = Environment(
        stage=Stage.MAIN,
        event_types={"Ended": EventType("Ended", {"id": STRING})},
        marker_types=frozenset({"Ended"}),
        sub_sessions=frozenset({"Basket"}),
    )
    assert problems_of(E + text, environment) == problems


@pytest.mark.parametrize(
    ("stage", "text", "problems"),
    [
        (Stage.CONTROLLER, "@Session('A') @Passive select s as _pk_ from E", []),
        (Stage.CONTROLLER, "@UpdateState select s from E", ["E402 2:1"]),
        (Stage.CONTROLLER, "@DecorateEvent select session.eventCount as n from E", ["E407 2:23"]),
        (Stage.SUB, "@UpdateState select parentSession.n as n, parentMetadata.string('x') as x from E", []),
        (Stage.SUB, "@UpdateState select parentSession.m as n from E", ["E209 2:21"]),
        (Stage.SUB, "@SplitSession select 1 from E", ["E402 2:1"]),
        (Stage.SUB, "@UpdateDuration select 1 as _duration_ from E", ["E402 2:1"]),
        (None, "@DecorateEvent select parentSession.duration as n from E", []),
        (None, "@Session('A') select s as _pk_ from E; @UpdateCounter('n') select 1 from E", ["E402 2:40"]),
    ],
)
def test_stages(stage: Stage | None, text: str, problems: list[str]) -> None:
    parent = checked(E + "@UpdateCounter('n') select 1 from E").attributes
    assert problems_of(E + text, Environment(stage=stage, parent=parent)) == problems


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("select ii from E", "did you mean `i`?"),
        ("select S from E", "did you mean `s`?"),
        ("select e.ss from E as e", "did you mean `s`?"),
        ("select s.lenght() as x from E", "did you mean `length`?"),
        ("select s.substring('a') as x from E", "substring(from: int); substring(from: int, to: int)"),
        ("select cast(i, strin) as x from E", "did you mean `string`?"),
        ("select i from e", "did you mean `E`?"),
        ("select coalsce(i, 1) as x from E", "did you mean `coalesce`?"),
        ("@UpdateCuonter('a') select 1 from E", "did you mean `UpdateCounter`?"),
        ("@UpdateCounter select 1 from E", "write @UpdateCounter('name')"),
        ("select s || i as x from E", "convert it: cast(…, string)"),
        ("select i from E where i = 'a'", "compare it with a number, or cast one side"),
        ("select zzzzzz from E", None),
    ],
)
def test_hints(text: str, hint: str | None) -> None:
    problems = list(checked(E + text).problems)
    assert [problem.hint for problem in problems] == [hint], render(problems)


def test_a_problem_in_a_declared_expression_is_shown_there_once() -> None:
    text = "create expression twice { x => x + x }; select twice(s) as y, twice(s) as z from E"
    assert problems_of(E + text) == ["E301 2:32"]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("@UpdateCounter('n') select 1 from F; @DecorateEvent select session.n as n from E", ["E203 2:35"]),
        ("@UpdateState select ii as n from E; @DecorateEvent select session.n + 1 as n from E", ["E201 2:21"]),
        ("@UpdateState select i + s as n, 1 as m from E(session.n > session.m)", ["E301 2:25"]),
        ("@UpdateCounter('n') selct 1 from E; @DecorateEvent select session.n as n from E", ["E101 2:21"]),
        ("@UpdateCounter('n') select 1 from F; select session.m as n from E", ["E203 2:35", "E209 2:45"]),
        ("@UpdateState select session.b as a, session.a as b from E", ["E209 2:21", "E209 2:37"]),
    ],
)
def test_a_mistake_in_the_rule_that_writes_is_not_one_in_the_rule_that_reads(text: str, problems: list[str]) -> None:
    assert problems_of(E + text) == problems


def test_attributes() -> None:
    """What rules write, with types."""
    found = checked(
        E + "@UpdateState select i, s, xs, null as nothing from E; @UpdateMetadata select s as who from E;"
        "@UpdateCounter('n') select 1 from E; @AppendCounter(name='n', colname='d') select 1.5 as d from E;"
        "@AppendState(name='seen', colname='s') select s from E; @UpdateState select 's' as i from E"
    ).attributes
    shown = {name: sorted(map(str, types)) for name, types in found.state.items()}
    assert shown == {
        "i": ["int", "string"],
        "s": ["string"],
        "xs": ["list"],
        "nothing": [],
        "n": ["double"],
        "seen": ["list"],
    }
    assert found.metadata == {"who": frozenset({STRING})}


def test_rules_have_names() -> None:
    found = checked(E + "@Name('first') select i from E;\n\nselect i from E")
    assert [rule.name for rule in found.program.rules] == ["first", "rules.epl:4"]


def test_types_of_inferred_events() -> None:
    found = checked(E + "insert into F select i, s from E; insert into F select 2L as i, null as s, null as t from E")
    assert {name: str(type_) for name, type_ in found.program.event_types["F"].items()} == {
        "i": "long",
        "s": "string",
        "t": "object",
    }
    assert found.program.event_types["E"]["i"] == INT
