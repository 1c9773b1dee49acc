"""`// noqa: W601 reason`: a comment that silences a code for one statement; one that silences nothing is reported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from epl.diagnostics import Code, Diagnostic, Fix
from epl.lint.comments import comments
from epl.lint.context import LintContext
from epl.lint.model import example_code
from epl.lint.rewrites import between, removal
from epl.source import Source, Span

UNUSED_NOQA = example_code(
    "W814",
    "suppression that suppresses nothing",
    "{reason}",
    "What was wrong has been mended, or the code is misspelt: either way the comment misleads.",
    "@Name('views') @UpdateCounter('views') select 1 from PageView(et = 'view'); // noqa: W601",
    "@Name('views') @UpdateCounter('views') select 1 from PageView(n = 1, n = 2); // noqa: W601 waits for the new app",
    "remove it",
)

_CODE = re.compile(r"[A-Z]\d+", re.IGNORECASE)
_NOQA = re.compile(r"//\s*noqa(?::\s*(?P<codes>[A-Z]\d+(?:\s*,\s*[A-Z]\d+)*))?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Noqa:
    """One code of a comment: the range of text that it is about, None when it is beside no statement.

    `span` is the comment up to its codes, `comment` all of it.
    """

    code: str | None
    span: Span
    about: Span | None
    comment: Span


def suppressed(
    context: LintContext, found: Iterable[Diagnostic], known: frozenset[str]
) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """The diagnostics that no comment silences, and those about comments that silence nothing.

    `known` are the codes that a comment may name.
    """
    noqas = list(_noqas(context))
    used: set[int] = set()
    kept = []
    for diagnostic in found:
        silencing = [number for number, noqa in enumerate(noqas) if _silences(noqa, diagnostic)]
        used.update(silencing)
        if not silencing:
            kept.append(diagnostic)
    unused = [_unused(context, noqa, known) for number, noqa in enumerate(noqas) if number not in used]
    return kept, unused


def _silences(noqa: _Noqa, diagnostic: Diagnostic) -> bool:
    about = noqa.about
    inside = about is not None and about.start <= diagnostic.span.start < about.end
    return inside and diagnostic.code.id == noqa.code


def _unused(context: LintContext, noqa: _Noqa, known: frozenset[str]) -> Diagnostic:
    fix = None
    if noqa.code is None:
        reason = "`noqa` needs the codes that it is about: `// noqa: W601`"
    elif noqa.code.startswith("E"):
        reason = f"errors cannot be suppressed: `{noqa.code}`"
    elif noqa.about is None:
        reason = f"`{noqa.code}`: a suppression stands on a line of its statement, or on the line above"
    else:
        reason = f"the statement has no `{noqa.code}`"
        # A code that is misspelt, or a comment that stands in the wrong place, is for its author to mend.
        fix = _removed(context.source, noqa, noqa.code) if noqa.code in known else None
    code: Code = UNUSED_NOQA
    return Diagnostic(code, context.source, noqa.span, code.message.format(reason=reason), code.advice, fix)


def _removed(source: Source, noqa: _Noqa, code: str) -> Fix:
    """Takes the comment away with its reason; of several codes, only the one."""
    text = source.slice(noqa.span)
    codes = list(_CODE.finditer(text))
    if len(codes) == 1:
        return Fix("remove the suppression", (removal(source, noqa.comment),))
    number = next(number for number, match in enumerate(codes) if match[0].upper() == code)
    # With the comma before it, or for the first one the comma behind it.
    start, end = (codes[number - 1].end(), codes[number].end()) if number else (codes[0].start(), codes[1].start())
    return Fix(f"remove `{code}`", (between(noqa.span.start + start, noqa.span.start + end),))


def _noqas(context: LintContext) -> Iterator[_Noqa]:
    source = context.source
    ranges = [
        (source.position(each.span.start).line, source.position(each.span.end).line, each.span)
        for each in context.statements
    ]
    for comment in comments(source):
        match = _NOQA.match(source.text, comment.start, comment.end)
        if match is None:
            continue
        span = Span(match.start(), match.end())
        line = source.position(span.start).line
        # On a line of a statement: the last one that is there. On a line of its own: the one that begins below.
        on_line = [about for first, last, about in ranges if first <= line <= last]
        below = [about for first, _, about in ranges if first == line + 1]
        about = on_line[-1] if on_line else below[0] if below else None
        codes = match.group("codes")
        for code in re.split(r"\s*,\s*", codes) if codes else [None]:
            yield _Noqa(None if code is None else code.upper(), span, about, comment)
