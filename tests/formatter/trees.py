"""Made-up syntax trees: every kind of statement and expression, names and texts of every sort."""

from __future__ import annotations

from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from epl import ast
from epl.java.arithmetic import to_float32
from epl.source import Span

Strategy = SearchStrategy[Any]

_NOWHERE = Span(0, 0)
_PLAIN = ["a", "item", "größe", "$x", "count", "schema", "variable", "constant", "alias", "expression", "_pk_"]
_ODD = ["select", "OR", "two words", "1st", "x.y", "..", "a-b", "//", "'"]
_MAX_LONG = 2**63 - 1


def node(kind: type[ast.Node], *parts: Strategy) -> Strategy:
    """Nodes of one kind from strategies for their fields."""
    return st.builds(partial(kind, span=_NOWHERE), *parts)


def several(items: Strategy, least: int = 0, most: int = 3) -> Strategy:
    return st.lists(items, min_size=least, max_size=most).map(tuple)


name_texts = st.sampled_from([*_PLAIN, *_ODD])
dotted_texts = st.lists(st.sampled_from([*_PLAIN, "from", "a b"]), min_size=1, max_size=3).map(".".join)
texts = st.one_of(st.sampled_from(["", "view", "it's", 'say "so"', "\\d\n\t", "// no */", "\x00\u200b😀"]), st.text())
doubles = st.floats(min_value=0, allow_infinity=False, allow_nan=False)
floats = st.floats(min_value=0, max_value=3e38).map(to_float32)
integers = st.integers(0, _MAX_LONG)
flags = st.booleans()

names = node(ast.Name, name_texts)
dotted_names = node(ast.Name, dotted_texts)
type_names = node(
    ast.TypeName, st.one_of(dotted_texts, dotted_texts.map("{}[]".format), st.sampled_from(["from[]", "[]", "x[][]"]))
)

# ---- expressions

LEAVES: dict[type[ast.Expression], Strategy] = {
    ast.NumberLiteral: st.one_of(
        node(ast.NumberLiteral, st.integers(-(2**31), 2**31 - 1), st.just("int")),
        node(ast.NumberLiteral, integers, st.just("long")),
        node(ast.NumberLiteral, doubles, st.just("double")),
        node(ast.NumberLiteral, floats, st.just("float")),
    ),
    ast.StringLiteral: node(ast.StringLiteral, texts),
    ast.BooleanLiteral: node(ast.BooleanLiteral, flags),
    ast.NullLiteral: node(ast.NullLiteral),
    ast.Reference: node(ast.Reference, name_texts),
}


def compound(inner: Strategy) -> dict[type[ast.Expression], Strategy]:
    """Every kind of expression that has others inside."""
    arguments = several(st.one_of(inner, node(ast.Star)))
    branches = several(node(ast.Branch, inner, inner), least=1)
    comparisons = st.sampled_from(["=", "!=", "is", "is not", "<", "<=", ">", ">="])
    operators = st.one_of(comparisons, st.sampled_from([*"+-*/%&|^"]))
    quantifiers = st.sampled_from(["any", "some", "all"])
    return {
        ast.Member: node(ast.Member, inner, name_texts),
        ast.Index: node(ast.Index, inner, inner),
        ast.Dynamic: node(ast.Dynamic, inner),
        ast.Call: node(ast.Call, name_texts, arguments),
        ast.MethodCall: node(ast.MethodCall, inner, name_texts, arguments),
        ast.Negate: node(ast.Negate, inner),
        ast.Minus: node(ast.Minus, inner),
        ast.Plus: node(ast.Plus, inner),
        ast.Binary: node(ast.Binary, operators, inner, inner),
        ast.Chain: node(ast.Chain, st.sampled_from(["and", "or", "||"]), several(inner, least=2, most=4)),
        ast.Quantified: node(ast.Quantified, comparisons, quantifiers, inner, several(inner)),
        ast.Contained: node(ast.Contained, inner, several(inner), flags),
        ast.InRange: node(ast.InRange, inner, inner, inner, flags, flags, flags),
        ast.Between: node(ast.Between, inner, inner, inner, flags),
        ast.Like: node(ast.Like, inner, inner, st.none() | texts, flags),
        ast.Regexp: node(ast.Regexp, inner, inner, flags),
        ast.Case: node(ast.Case, st.none() | inner, branches, st.none() | inner),
        ast.Cast: node(ast.Cast, inner, type_names),
        ast.InstanceOf: node(ast.InstanceOf, inner, several(type_names, least=1)),
        ast.ArrayLiteral: node(ast.ArrayLiteral, several(inner)),
    }


_leaves = st.one_of(*LEAVES.values())
_shallow = st.one_of(_leaves, *compound(_leaves).values())
expressions = st.one_of(_shallow, *compound(_shallow).values())

# ---- annotations

_numbers = st.one_of(st.integers(-_MAX_LONG, _MAX_LONG), doubles, doubles.map(float.__neg__))
_scalars = st.one_of(flags, _numbers, texts, st.none(), dotted_texts)
_values = st.one_of(_scalars, several(_scalars))
_bare = several(node(ast.AnnotationArgument, st.none(), _values), most=1)
_named = several(node(ast.AnnotationArgument, name_texts, _values))
annotations = several(node(ast.Annotation, dotted_texts, st.one_of(_bare, _named)), most=2)

# ---- statements

_columns = several(
    st.one_of(node(ast.Column, expressions, st.none() | names), node(ast.Wildcard, st.none() | names)), least=1
)
_inserts = node(ast.InsertInto, dotted_names, st.none() | several(names, least=1))
_streams = node(ast.Stream, dotted_names, several(expressions), st.none() | names)
_assignments = several(node(ast.Assignment, names, expressions), least=1)
_fields = several(node(ast.FieldDeclaration, names, type_names))

STATEMENTS: dict[type[ast.Statement], Strategy] = {
    ast.Select: node(ast.Select, annotations, st.none() | _inserts, _columns, _streams, st.none() | expressions),
    ast.Update: node(ast.Update, annotations, dotted_names, st.none() | names, _assignments, st.none() | expressions),
    ast.CreateSchema: node(ast.CreateSchema, annotations, names, _fields),
    ast.CreateVariable: node(ast.CreateVariable, annotations, flags, type_names, names, st.none() | expressions),
    ast.CreateExpression: st.one_of(
        node(ast.CreateExpression, annotations, names, several(names), expressions, st.just(False)),
        node(ast.CreateExpression, annotations, names, st.just(()), expressions, st.just(True)),
    ),
}
statements = st.one_of(*STATEMENTS.values())
