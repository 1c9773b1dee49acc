"""Statements one by one: what parses to what, where it stands, and what a mistake costs."""

from __future__ import annotations

import pytest

from epl import Source, ast, parse
from epl.source import Span

NOWHERE = Span(0, 0)


def problems_of(text: str) -> list[str]:
    """Each problem as `CODE line:column`."""
    source = Source("rules.epl", text)
    found = []
    for problem in parse(source).problems:
        place = source.position(problem.span.start)
        found.append(f"{problem.code.id} {place.line}:{place.column}")
    return found


def messages_of(text: str) -> list[str]:
    return [f"{problem.message} | {problem.hint}" for problem in parse(Source("rules.epl", text)).problems]


def statements_of(text: str) -> tuple[ast.Statement, ...]:
    parsed = parse(Source("rules.epl", text))
    assert not list(parsed.problems), messages_of(text)
    return parsed.statements


def expression(text: str) -> ast.Expression:
    """The only column of a select."""
    (statement,) = statements_of(f"select {text} as x from E")
    assert isinstance(statement, ast.Select)
    (column,) = statement.columns
    assert isinstance(column, ast.Column)
    return column.expression


def name(text: str) -> ast.Name:
    return ast.Name(text, span=NOWHERE)


def ref(text: str) -> ast.Reference:
    return ast.Reference(text, span=NOWHERE)


def number(value: float, kind: ast.NumberKind = "int") -> ast.NumberLiteral:
    return ast.NumberLiteral(value, kind, span=NOWHERE)


def string(value: str) -> ast.StringLiteral:
    return ast.StringLiteral(value, span=NOWHERE)


def binary(operator: str, left: ast.Expression, right: ast.Expression) -> ast.Binary:
    return ast.Binary(operator, left, right, span=NOWHERE)


# ---- statements


def test_a_rule() -> None:
    text = "@UpdateCounter('views') select n as x, e.*, * from E(n > 1, et = 'v') as e where n is not null"
    rule = ast.Select(
        (ast.Annotation("UpdateCounter", (ast.AnnotationArgument(None, "views", span=NOWHERE),), span=NOWHERE),),
        None,
        (
            ast.Column(ref("n"), name("x"), span=NOWHERE),
            ast.Wildcard(name("e"), span=NOWHERE),
            ast.Wildcard(None, span=NOWHERE),
        ),
        ast.Stream(
            name("E"), (binary(">", ref("n"), number(1)), binary("=", ref("et"), string("v"))), name("e"), span=NOWHERE
        ),
        binary("is not", ref("n"), ast.NullLiteral(span=NOWHERE)),
        span=NOWHERE,
    )
    assert statements_of(text) == (rule,)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("insert into T (a, b) select x, y from E", ast.Select),
        ("insert into a.b.T select istream x from a.b.E e", ast.Select),
        ("update istream E as e set n = e.n + 1, s = 'x' where n > 1", ast.Update),
        ("create schema E (a int, b string[], c java.util.Map)", ast.CreateSchema),
        ("create schema E as ()", ast.CreateSchema),
        ("create variable int N", ast.CreateVariable),
        ("create constant variable string[] NAMES = {'a', 'b'}", ast.CreateVariable),
        ("create expression twice { x => x * 2 }", ast.CreateExpression),
        ("create expression plus { (x, y) => x + y }", ast.CreateExpression),
        ("create expression plus(x, y) { x + y }", ast.CreateExpression),
        ("create expression big alias for { n > 10 }", ast.CreateExpression),
    ],
)
def test_kinds_of_statements(text: str, kind: type[ast.Statement]) -> None:
    (statement,) = statements_of(text)
    assert type(statement) is kind


def test_parameters_in_each_spelling() -> None:
    for head in ("f { (x, y) => x + y }", "f(x, y) { x + y }", "f { (x,y)=>x+y }"):
        (statement,) = statements_of(f"create expression {head}")
        assert isinstance(statement, ast.CreateExpression)
        assert [parameter.text for parameter in statement.parameters] == ["x", "y"]


def test_annotation_values() -> None:
    (statement,) = statements_of(
        "@A(i=-1, d=2.5, s=\"x\", b=true, n=null, l={1, 'a'}, c=ON_PURPOSE) @B select 1 from E"
    )
    given = {argument.name: argument.value for argument in statement.annotations[0].arguments}
    assert given == {"i": -1, "d": 2.5, "s": "x", "b": True, "n": None, "l": (1, "a"), "c": "ON_PURPOSE"}
    assert [annotation.name for annotation in statement.annotations] == ["A", "B"]


# ---- expressions


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("a or b and c", "a or (b and c)"),
        ("not a = b", "not (a = b)"),
        ("not a and b", "(not a) and b"),
        ("a and b & c", "a and (b & c)"),
        ("not a & b", "(not a) & b"),
        ("a = b < c", "a = (b < c)"),
        ("a < b || c", "a < (b || c)"),
        ("a || b + c", "a || (b + c)"),
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a * -b", "a * (-b)"),
        ("-a.b", "-(a.b)"),
        ("a between 1 and 2 and b", "(a between 1 and 2) and b"),
        ("a <> b", "a != b"),
        ("A.B.c", "(A.B).c"),
        ("a in (1) = b", "(a in (1)) = b"),
        ("a is not null or b", "(a is not null) or b"),
        ("not not a", "not (not a)"),
        ("'a' || 'b' || 'c'", "('a') || 'b' || ('c')"),
        ("CASE WHEN a THEN b END", "case when a then b end"),
    ],
)
def test_precedence(text: str, same_as: str) -> None:
    assert expression(text) == expression(same_as)


@pytest.mark.parametrize("operator", ["and", "or", "||"])
def test_chains_are_flat(operator: str) -> None:
    found = expression(f" {operator} ".join("abcd"))
    assert found == ast.Chain(operator, tuple(map(ref, "abcd")), span=NOWHERE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("7", 7, "int"),
        ("010", 10, "int"),
        ("2147483647", 2**31 - 1, "int"),
        ("2147483648", 2**31, "long"),
        ("7L", 7, "long"),
        ("0x1F", 31, "int"),
        ("0xFFFFFFFF", -1, "int"),
        ("0xFFFFFFFFL", 2**32 - 1, "long"),
        ("1.5", 1.5, "double"),
        (".5", 0.5, "double"),
        ("1e3", 1000.0, "double"),
        ("1d", 1.0, "double"),
        ("1.5f", 1.5, "float"),
        ("0.1f", 0.10000000149011612, "float"),
    ],
)
def test_numbers(text: str, value: float, kind: ast.NumberKind) -> None:
    found = expression(text)
    assert found == number(value, kind)
    assert isinstance(found, ast.NumberLiteral)
    assert type(found.value) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'a'", "a"),
        ('"a"', "a"),
        ("''", ""),
        ("'it\\'s'", "it's"),
        ('"it\'s"', "it's"),
        ("'a\\\\d'", "a\\d"),
        ("'\\n\\t\\r\\b\\f\\\"'", '\n\t\r\b\f"'),
        ("'\\u00fc'", "ü"),
        ("'\\uD83D\\uDE00'", "\U0001f600"),
        ("'a;b -- // /* c'", "a;b -- // /* c"),
        ("'日本'", "日本"),
    ],
)
def test_strings(text: str, value: str) -> None:
    assert expression(text) == string(value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("'\\d+'", "`\\d` is no escape | write `\\\\d` for a backslash and `d`"),
        ("'\\u12'", "`\\u` is no escape | write `\\\\u` for a backslash and `u`"),
        ("'\\uD83D'", "`\\uD83D` is no escape | write the whole pair, or the character itself"),
    ],
)
def test_bad_escapes(text: str, problem: str) -> None:
    assert messages_of(f"select {text} as x from E") == [problem]


NAMES = (
    "count first last events min max coalesce typeof exists schema variable expression context pattern join window "
    "alias for constant timestamp x1 _x $x"
)


@pytest.mark.parametrize("word", NAMES.split())
def test_words_that_stay_names(word: str) -> None:
    assert expression(word) == ref(word)
    assert expression(f"e.{word}") == ast.Member(ref("e"), word, span=NOWHERE)


def test_reserved_words_in_back_ticks() -> None:
    assert expression("`order`") == ref("order")
    assert expression("`two words`.`select`") == ast.Member(ref("two words"), "select", span=NOWHERE)


def test_names_keep_their_case() -> None:
    assert expression("Session") != expression("session")


# ---- places


def test_spans_cover_the_text() -> None:
    source = Source("rules.epl", "create schema E (n int);\n\n  select n  +  1 as x\n  from E where not n = 2 ;")
    parsed = parse(source)
    rule = parsed.statements[1]
    assert isinstance(rule, ast.Select)
    assert isinstance(rule.columns[0], ast.Column)
    assert isinstance(rule.where, ast.Negate)
    assert source.slice(rule.span) == "select n  +  1 as x\n  from E where not n = 2"
    assert source.slice(rule.columns[0].expression.span) == "n  +  1"
    assert source.slice(rule.where.operand.span) == "n = 2"
    assert source.slice(rule.stream.type_name.span) == "E"
    assert source.position(rule.span.start).line == 3


# ---- recovery


def test_a_mistake_costs_its_own_statement() -> None:
    text = "select a from E;\nselect from E;\nselect b from E;\nselect c form E;\nselect d from E"
    assert problems_of(text) == ["E101 2:8", "E101 4:15"]
    assert len(parse(Source("rules.epl", text)).statements) == 3


def test_semicolons_that_do_not_separate() -> None:
    text = (
        "select 'a;b' as x, `c;d` as y from E // no; not here\n/* nor; here */ where n = 1; select \";\" as x from E;;"
    )
    assert len(statements_of(text)) == 2


@pytest.mark.parametrize("text", ["", " \n\t", ";", ";;\n;", "// only a comment", "/* a */ ; // b"])
def test_nothing(text: str) -> None:
    assert statements_of(text) == ()


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("select 'a as x from E; select b from E", ["E104 1:8"]),
        ("select 'a as x from E\n; select b from E", ["E104 1:8"]),
        ("select `a from E;\nselect c d e from E", ["E104 1:8", "E101 2:12"]),
        ("select a from E; /* and so on; select b from E", ["E104 1:18"]),
        ("select a # b from E; select b from E", ["E103 1:10"]),
        ("select a", ["E102 1:8"]),
        ("select a from E(b = 1; select b from E", ["E102 1:21"]),
        ("@Name('x')", ["E102 1:10"]),
        ("select 99999999999999999999 as x, '\\d' as y from E", ["E106 1:8", "E105 1:36"]),
    ],
)
def test_places_of_mistakes(text: str, problems: list[str]) -> None:
    assert problems_of(text) == problems


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a from E", "unexpected `a`; expected `@`, `create`, `insert`, `select` or `update` | None"),
        ("select a form E", "unexpected `E`; expected `,` or `from` | `form`: did you mean `from`?"),
        ("select a as order from E", "`order` is a reserved word | write `` `order` `` to use it as a name"),
        ("select a from E where", "the statement ends here; expected an expression | None"),
        ("select a 'x' from E", "unexpected string 'x'; expected an operator, a name, `,`, `as` or `from` | None"),
    ],
)  # fmt: skip
def test_messages(text: str, message: str) -> None:
    assert messages_of(text) == [message]


# ---- constructs that are refused by name


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("select a from E.win:time(30 sec)", "E120"),
        ("select a from E(b = 1).std:unique(a)", "E120"),
        ("select a from E#length(3)", "E120"),
        ("select a from pattern [every x=E -> y=F]", "E121"),
        ("select a from E, F", "E122"),
        ("select a from E as x, F as y where x.a = y.a", "E122"),
        ("select a from E inner join F on E.a = F.a", "E122"),
        ("select a from E x left outer join F y on x.a = y.a", "E122"),
        ("select (select b from F) as x from E", "E123"),
        ("select a from E where exists (select * from F)", "E123"),
        ("select a from E where a in (select b from F)", "E123"),
        ("select a from E group by a", "E125"),
        ("select a from E where b group by a", "E125"),
        ("select a from E having a > 1", "E126"),
        ("select a from E order by a", "E127"),
        ("select a from E as e order by a desc", "E127"),
        ("select a from E limit 1", "E128"),
        ("select a from E output every 2 events", "E129"),
        ("select distinct a from E", "E130"),
        ("select rstream a from E", "E131"),
        ("select irstream a from E", "E131"),
        ("context C select a from E", "E132"),
        ("create context C partition by a from E", "E132"),
        ("create window W as E", "E133"),
        ("create table T (a int)", "E133"),
        ("create index I on W (a)", "E133"),
        ("on E select a", "E134"),
        ("on E delete from W", "E134"),
        ("@Name('x') on E set n = 1", "E134"),
        ("select a from E match_recognize (measures A.a as x pattern (A))", "E135"),
        ("select a from E unidirectional", "E136"),
        ("delete from E", "E137"),
        ("merge into E", "E137"),
    ],
)
def test_unsupported(text: str, code: str) -> None:
    assert [problem.split()[0] for problem in problems_of(text + "; select a from E")] == [code]
