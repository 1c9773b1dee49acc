"""Patterns of `like` and `regexp` that mean something else than they look, or cost more than they need."""

from __future__ import annotations

import re
from collections.abc import Iterator

from epl import ast
from epl.diagnostics import Edit, Fix
from epl.lint.context import LintContext
from epl.lint.model import Finding, LintRule, example_code, found
from epl.lint.rewrites import between, operator_edit, rewritten
from epl.structs import replace

OTHER_WILDCARDS = example_code(
    "W613",
    "wildcards of the other operator",
    "`{found}` means itself in `{operator}`: its wildcards are {wildcards}",
    "`like` knows `%` (any text) and `_` (one character), `regexp` the usual regular expressions.",
    "@UpdateCounter('shop') select 1 from PageView(url like '/shop.*');",
    "@UpdateCounter('shop') select 1 from PageView(url like '/shop%');",
)
PLAIN_REGEXP = example_code(
    "W614",
    "regexp that matches one text only",
    "the whole text must match, so this is true for `{text}` and nothing else",
    "`regexp` does not search: the pattern stands for the whole text, with or without `^` and `$`.",
    "@UpdateCounter('shop') select 1 from PageView(url regexp 'checkout');",
    "@UpdateCounter('shop') select 1 from PageView(url like '%checkout%');",
    "to search, write like '%…%'; for one text, `=`",
)
SEARCH_BY_REGEXP = example_code(
    "W701",
    "regexp where `like` would do",
    "`like '{like}'` says the same and is several times faster",
    "A `like` of a common shape becomes one call of a string method; a leading `.*` makes a regular expression try "
    "every place of the text.",
    "@UpdateCounter('shop') select 1 from PageView(url regexp '.*checkout.*');",
    "@UpdateCounter('shop') select 1 from PageView(url like '%checkout%');",
)
ANCHORS = example_code(
    "W801",
    "anchors that say nothing",
    "`^` and `$` say nothing here: the whole text must match anyway",
    "They suggest that a pattern without them would search.",
    "@UpdateCounter('items') select 1 from PageView(url regexp '^/item/[0-9]+$');",
    "@UpdateCounter('items') select 1 from PageView(url regexp '/item/[0-9]+');",
)
LIKE_WITHOUT_WILDCARD = example_code(
    "W802",
    "`like` without a wildcard",
    "without `%` or `_`, `like` is `=`",
    "Either a wildcard is missing, or `=` is what is meant.",
    "@UpdateCounter('views') select 1 from PageView(et like 'view');",
    "@UpdateCounter('views') select 1 from PageView(et = 'view');",
)

_SPECIAL = re.compile(r"[.\\*+?\[\](){}|^$]")


def _regexps(context: LintContext) -> Iterator[tuple[ast.Statement, ast.Regexp, str]]:
    for statement, node in context.nodes:
        if isinstance(node, ast.Regexp) and isinstance(node.pattern, ast.StringLiteral):
            yield statement, node, node.pattern.value


def _likes(context: LintContext) -> Iterator[tuple[ast.Statement, ast.Like, str]]:
    for statement, node in context.nodes:
        if isinstance(node, ast.Like) and isinstance(node.pattern, ast.StringLiteral):
            yield statement, node, node.pattern.value


def _other_wildcards(context: LintContext) -> Iterator[Finding]:
    for _, like, pattern in _likes(context):
        if ".*" in pattern or (pattern.endswith("*") and "%" not in pattern):
            shown = ".*" if ".*" in pattern else "*"
            yield found(like.pattern.span, found=shown, operator="like", wildcards="`%` and `_`")
    for _, regexp, pattern in _regexps(context):
        if not _SPECIAL.search(pattern) and (pattern.startswith("%") or pattern.endswith("%")):
            yield found(regexp.pattern.span, found="%", operator="regexp", wildcards="`.*` and `.`")


def _plain_regexp(context: LintContext) -> Iterator[Finding]:
    for _, regexp, pattern in _regexps(context):
        text = pattern.removeprefix("^").removesuffix("$")
        if text and not _SPECIAL.search(text) and "%" not in text and not (pattern[:1] == "^" and pattern[-1:] == "$"):
            yield found(regexp.pattern.span, text=text)


def _search_by_regexp(context: LintContext) -> Iterator[Finding]:
    for statement, regexp, pattern in _regexps(context):
        text = pattern.removeprefix("^").removesuffix("$")
        core = text.removeprefix(".*").removesuffix(".*")
        # `.` does not match a line break and `%` does: the same for every text that has none.
        if text.startswith(".*") and core and not _SPECIAL.search(core) and not re.search("[%_]", core):
            like = f"%{core}%" if text.endswith(".*") else f"%{core}"
            yield found(regexp.pattern.span, fix=_as_like(context, statement, regexp, like), like=like)


def _as_like(context: LintContext, statement: ast.Statement, regexp: ast.Regexp, pattern: str) -> Fix | None:
    """`regexp '.*shop.*'` to `like '%shop%'`."""
    quote = context.source.text[regexp.pattern.span.start]
    new = ast.Like(
        regexp.value,
        ast.StringLiteral(pattern, span=regexp.pattern.span),
        None,
        regexp.negated,
        span=regexp.span,
    )
    edits = [
        operator_edit(context, regexp.value, regexp.pattern, "not like" if regexp.negated else "like"),
        Edit(regexp.pattern.span, f"{quote}{pattern}{quote}"),
    ]
    return rewritten(context, statement, regexp, new, f"write `like '{pattern}'`", edits)


def _anchors(context: LintContext) -> Iterator[Finding]:
    for statement, regexp, pattern in _regexps(context):
        anchored = pattern.startswith("^") and pattern.endswith("$") and not pattern.endswith("\\$")
        # With `|`, the anchors belong to the outer branches only.
        if anchored and "|" not in pattern and len(pattern) > 2:
            yield found(regexp.pattern.span, fix=_without_anchors(context, statement, regexp, pattern))


def _without_anchors(context: LintContext, statement: ast.Statement, regexp: ast.Regexp, pattern: str) -> Fix | None:
    literal = regexp.pattern
    new = replace(regexp, pattern=ast.StringLiteral(pattern[1:-1], span=literal.span))
    # A quote and an anchor at either end; an anchor that is written as an escape does not parse to what is meant.
    start, end = literal.span.start + 1, literal.span.end - 1
    edits = [between(start, start + 1), between(end - 1, end)]
    return rewritten(context, statement, regexp, new, "remove the anchors", edits)


def _like_without_wildcard(context: LintContext) -> Iterator[Finding]:
    for statement, like, pattern in _likes(context):
        if not re.search("[%_*]", pattern) and like.escape is None:
            operator = "!=" if like.negated else "="
            new = ast.Binary(operator, like.value, like.pattern, span=like.span)
            edits = [operator_edit(context, like.value, like.pattern, operator)]
            fix = rewritten(context, statement, like, new, f"write `{operator}`", edits)
            yield found(like.pattern.span, fix=fix)


PATTERN_RULES = (
    LintRule(OTHER_WILDCARDS, _other_wildcards),
    LintRule(PLAIN_REGEXP, _plain_regexp),
    LintRule(SEARCH_BY_REGEXP, _search_by_regexp),
    LintRule(ANCHORS, _anchors),
    LintRule(LIKE_WITHOUT_WILDCARD, _like_without_wildcard),
)
