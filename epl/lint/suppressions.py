"""`// noqa: W601 reason`: a comment that silences a code for one statement; one that silences nothing is reported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from epl.diagnostics import Code, Diagnostic
from epl.lint.context import LintContext
from epl.lint.model import example_code
from epl.source import Span

UNUSED_NOQA = example_code(
    "W814",
    "suppression that suppresses nothing",
    "{reason}",
    "What was wrong has been mended, or the code is misspelt: either way the comment misleads.",
    "@Name('views') @UpdateCounter('views') select 1 from PageView(et = 'view'); // noqa: W601",
    "@Name('views') @UpdateCounter('views') select 1 from PageView(n = 1, n = 2); // noqa: W601 waits for the new app",
    "remove it",
)

_TOKENS = re.compile(r"'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`[^`\n]*`|/\*.*?\*/|//[^\n]*", re.DOTALL)
_NOQA = re.compile(r"//\s*noqa(?::\s*(?P<codes>[A-Z]\d+(?:\s*,\s*[A-Z]\d+)*))?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Noqa:
    """One code of a comment: the range of text that it is about, None when it is beside no statement."""

    code: str | None
    span: Span
    about: Span | None


def suppressed(context: LintContext, found: Iterable[Diagnostic]) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """The diagnostics that no comment silences, and those about comments that silence nothing."""
    comments = list(_comments(context))
    used: set[int] = set()
    kept = []
    for diagnostic in found:
        silencing = [number for number, noqa in enumerate(comments) if _silences(noqa, diagnostic)]
        used.update(silencing)
        if not silencing:
            kept.append(diagnostic)
    unused = [_unused(context, noqa) for number, noqa in enumerate(comments) if number not in used]
    return kept, unused


def _silences(noqa: _Noqa, diagnostic: Diagnostic) -> bool:
    about = noqa.about
    inside = about is not None and about.start <= diagnostic.span.start < about.end
    return inside and diagnostic.code.id == noqa.code


def _unused(context: LintContext, noqa: _Noqa) -> Diagnostic:
    if noqa.code is None:
        reason = "`noqa` needs the codes that it is about: `// noqa: W601`"
    elif noqa.code.startswith("E"):
        reason = f"errors cannot be suppressed: `{noqa.code}`"
    elif noqa.about is None:
        reason = f"`{noqa.code}`: a suppression stands on a line of its statement, or on the line above"
    else:
        reason = f"the statement has no `{noqa.code}`"
    code: Code = UNUSED_NOQA
    return Diagnostic(code, context.source, noqa.span, code.message.format(reason=reason), code.advice)


def _comments(context: LintContext) -> Iterator[_Noqa]:
    source = context.source
    ranges = [
        (source.position(each.span.start).line, source.position(each.span.end).line, each.span)
        for each in context.statements
    ]
    for token in _TOKENS.finditer(source.text):
        match = _NOQA.match(token.group())
        if match is None:
            continue
        span = Span(token.start() + match.start(), token.start() + match.end())
        line = source.position(span.start).line
        # On a line of a statement: the last one that is there. On a line of its own: the one that begins below.
        on_line = [about for first, last, about in ranges if first <= line <= last]
        below = [about for first, _, about in ranges if first == line + 1]
        about = on_line[-1] if on_line else below[0] if below else None
        codes = match.group("codes")
        for code in re.split(r"\s*,\s*", codes) if codes else [None]:
            yield _Noqa(None if code is None else code.upper(), span, about)
