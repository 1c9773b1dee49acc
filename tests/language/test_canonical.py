"""The names of columns that have none, as the reference engine writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epl import Source, ast, parse
from epl.canonical import canonical


def expression(text: str) -> ast.Expression:
    parsed = parse(Source("", f"select {text} as x from E"))
    (statement,) = parsed.statements
    assert isinstance(statement, ast.Select)
    (column,) = statement.columns
    assert isinstance(column, ast.Column)
    return column.expression


TEXTS = [
    ("i  +  1", "i+1"),
    ("s||'q'", 's||"q"'),
    ("i = 7 and (b or c)", "i=7 and (b or c)"),
    ("(i = 7) and b", "i=7 and b"),
    ("i in ( 1, 7 )", "i in (1,7)"),
    ("i not in (1)", "i not in (1)"),
    ("i in [1 : 5)", "i in [1:5)"),
    ("i BETWEEN 1 AND 2", "i between 1 and 2"),
    ("cast(i as string)", "cast(i,string)"),
    ("p ( 'k' )", 'p("k")'),
    ("10L", "10"),
    ("1.50", "1.5"),
    ("1e7", "1.0E7"),
    ("1.5f", "1.5"),
    ("a <> b", "a!=b"),
    ("a is  not null", "a is not null"),
    ("not (a or b)", "not (a or b)"),
    ("not a = b", "not a=b"),
    ("-(a + b)", "-(a+b)"),
    ("a-(b-c)", "a-(b-c)"),
    ("(a-b)-c", "a-b-c"),
    ("a*(b+c)", "a*(b+c)"),
    ("s like 'a%' escape '!'", 's like "a%" escape "!"'),
    ("s not regexp \"a\"", 's not regexp "a"'),
    ("i = any (1, 2)", "i=any(1,2)"),
    ("case when a then 1 when b then 2 else 3 end", "case when a then 1 when b then 2 else 3 end"),
    ("case i when 1 then 'x' end", 'case i when 1 then "x" end'),
    ("{1, 2}", "{1,2}"),
    ("xs [ 0 ] . f ?", "xs[0].f?"),
    ("s.substring( 1 , 2 ).length()", "s.substring(1,2).length()"),
    ("instanceof(a, int, string)", "instanceof(a,int,string)"),
    ("count(*)", "count(*)"),
    ("'it\\'s \"so\"'", '"it\'s \\"so\\""'),
    ("TRUE", "true"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name"), TEXTS)
def test_canonical(text: str, name: str) -> None:
    assert canonical(expression(text)) == name


@pytest.mark.parametrize("text", [text for text, _ in TEXTS if "L" not in text and "f" not in text])
def test_canonical_text_means_the_same(text: str) -> None:
    """Long and float literals lose their letter; everything else reads back as the same tree."""
    tree = expression(text)
    assert expression(canonical(tree)) == tree


OPERATORS = ["or", "and", "&", "|", "^", "=", "!=", "is", "<", ">=", "||", "+", "-", "*", "/", "%"]
TREES = st.recursive(
    st.sampled_from(["a", "b", "7", "'x'", "null"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(lambda each: f"({each[0]}) {each[1]} ({each[2]})"),
        inner.map(lambda each: f"not ({each})"),
        inner.map(lambda each: f"-({each})"),
        inner.map(lambda each: f"f({each}).g"),
        st.tuples(inner, inner).map(lambda each: f"({each[0]}) in ({each[1]}, 1)"),
        st.tuples(inner, inner, inner).map(lambda each: f"({each[0]}) not between ({each[1]}) and ({each[2]})"),
        st.tuples(inner, inner).map(lambda each: f"({each[0]}) like ({each[1]})"),
        st.tuples(inner, inner).map(lambda each: f"case when {each[0]} then {each[1]} end"),
    ),
    max_leaves=12,
)


@given(TREES)
def test_parentheses_are_where_they_are_needed(text: str) -> None:
    tree = expression(text)
    assert canonical(expression(canonical(tree))) == canonical(tree)
