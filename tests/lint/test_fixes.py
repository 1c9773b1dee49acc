"""Laws of fixes: a fix removes what it is for, adds no error, keeps comments, and once made leaves nothing to make."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import pytest

from epl import Diagnostic, Environment, Severity, Source, check, parse
from epl.diagnostics import Code, Edit, edited
from epl.diagnostics.codes import LANGUAGE_CODES
from epl.lint import ERROR_FIXES, LINT_CODES, LintContext, lint_program, with_fixes
from epl.lint.comments import comments

FIXABLE = (
    *("W604", "W605", "W610", "W701", "W801", "W802", "W803", "W804", "W808", "W809"),
    *("W810", "W811", "W812", "W814", "W901", "W906"),
    *("E105", "E108", "E126", "E136"),
)
CODES = {code.id: code for code in (*LINT_CODES, *LANGUAGE_CODES)}
SCHEMA = (
    "create schema E (user string, et string, url string, n int, total long, price double, paid boolean, "
    "tags string[]);\n"
)


@lru_cache(maxsize=8)
def found(text: str) -> list[Diagnostic]:
    """Errors and warnings of a text that stands alone. Tests ask again of what they have just asked."""
    checked = check(parse(Source("rules.epl", text)), Environment())
    return with_fixes([*checked.problems, *lint_program(LintContext.of(checked))])


def fixed(text: str, code: str | None = None) -> str:
    """A text after all fixes of a code, or of all codes, in rounds."""
    for _ in range(100):
        chosen: list[Diagnostic] = []
        for each in found(text):
            wanted = each.fix is not None and code in (None, each.code.id)
            if wanted and not any(each.fix and one.fix and overlap(each.fix.edits, one.fix.edits) for one in chosen):
                chosen.append(each)
        if not chosen:
            return text
        text = edited(text, [edit for each in chosen if each.fix for edit in each.fix.edits])
    raise AssertionError(f"fixes without an end: {text}")


def overlap(one: tuple[Edit, ...], other: tuple[Edit, ...]) -> bool:
    """True when two fixes change the same text, or meet."""
    return any(a.span.start <= b.span.end and b.span.start <= a.span.end for a in one for b in other)


def rule(condition: str) -> str:
    """A rule with a condition."""
    return SCHEMA + f"@Name('r') @UpdateCounter('c') select 1 from E({condition});\n"


def test_the_list_is_complete() -> None:
    """What has a fix is listed here; the errors' fixes are a table of their own."""
    own = {code.id for code in CODES.values() for each in found(code.bad) if each.fix and each.code == code}
    assert own == set(FIXABLE)
    assert {code.id for code in ERROR_FIXES} == {code for code in FIXABLE if code.startswith("E")}


@pytest.mark.parametrize("id_", FIXABLE)
def test_the_bad_example_is_mended(id_: str) -> None:
    code: Code = CODES[id_]
    after = fixed(code.bad, id_)
    left = found(after)
    assert id_ not in {each.code.id for each in left}
    assert not [each for each in left if each.severity is Severity.ERROR]
    assert fixed(after, id_) == after


@pytest.mark.parametrize("id_", FIXABLE)
def test_comments_are_kept(id_: str) -> None:
    """Comments at every place where one may stand: each is still there, unless it is the suppression itself."""
    for text in commented(CODES[id_].bad):
        before = [each for each in comment_texts(text) if "noqa" not in each]
        assert [each for each in comment_texts(fixed(text)) if "noqa" not in each] == before


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.id)
def test_fixing_everything_adds_no_error(code: Code) -> None:
    errors = sum(each.severity is Severity.ERROR for each in found(code.bad))
    after = fixed(code.bad)
    assert sum(each.severity is Severity.ERROR for each in found(after)) <= errors
    assert fixed(after) == after


def commented(text: str) -> Iterator[str]:
    """The text with a comment at each blank between words, outside of strings and comments."""
    start = text.index("\n") + 1
    inside = [range(span.start, span.end + 1) for span in comments(Source("x", text))]
    for at in range(start, len(text)):
        quoted = text[start:at].count("'") % 2 or text[start:at].count('"') % 2
        if text[at] in " \n" and not quoted and not any(at in span for span in inside):
            yield f"{text[:at]} /* why {at} */ {text[at:]}"


def comment_texts(text: str) -> list[str]:
    source = Source("x", text)
    return [source.slice(span) for span in comments(source)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("user=null", "user is null"),
        ("(user) != null and n = 1", "(user) is not null and n = 1"),
        ("null = user", "null = user"),
        ("et in ('a', null)", "et in ('a', null)"),
        ("n = 1 or (n = 2) or ((n = 1))", "n = 1 or (n = 2)"),
        ("(n = 1 and n = 1) and n > 0", "(n = 1) and n > 0"),
        ("n between 10 and -1", "n between -1 and 10"),
        ("n in [10:1]", "n in [1:10]"),
        ("n in (10:1]", "n in (10:1]"),
        ("url not regexp '^.*shop$'", "url not like '%shop'"),
        ('url regexp "^a+$"', 'url regexp "a+"'),
        ("url regexp '\\u005ea+$'", "url regexp '\\u005ea+$'"),
        ("et not like 'a'", "et != 'a'"),
        ("paid = (et like 'a')", "paid = (et = 'a')"),
        ("paid = et like 'a'", "paid = (et = 'a')"),
        ("paid = true", "paid"),
        ("(paid) != true", "not (paid)"),
        ("false = paid and n > 1", "not paid and n > 1"),
        ("(paid = false) = (n > 1)", "(not paid) = (n > 1)"),
        ("n > cast(n, int)", "n > n"),
        ("not (et = 'a') and n > 1", "et != 'a' and n > 1"),
        ("not n < 5", "n >= 5"),
        ("not price < 5.0", "not price < 5.0"),
        ("not et in ('a', 'b')", "et not in ('a', 'b')"),
        ("not et like 'a%'", "et not like 'a%'"),
        ("(et)in('a')", "(et) = 'a'"),
        ("paid = et in ('a')", "paid = (et = 'a')"),
        ("et not in (('a'))", "et != 'a'"),
        ("et in ('a', ('b'), 'a', ('b'))", "et in ('a', ('b'))"),
        ("et = any ('a', 'b', 'a')", "et = any ('a', 'b')"),
        ("total > -n * 2", "total > (0 - n) * 2"),
        ("total > -(n + 1)", "total > 0 - (n + 1)"),
    ],
)
def test_conditions(before: str, after: str) -> None:
    """Precedence, parentheses and spacing; what cannot be mended safely stays."""
    assert fixed(rule(before)) == rule(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("create variable int x = 1;\nA", "A"),
        ("A create variable int x = 1 ;\nA", "A\nA"),
        ("A\n// how many\ncreate variable int x = 1;\n", "A\n// how many\ncreate variable int x = 1;\n"),
        ("A\ncreate variable int x = 1; // how many\n", "A\ncreate variable int x = 1; // how many\n"),
        ("// about A\n\ncreate variable int x = 1;\n\nA", "// about A\n\n\nA"),
        ("create variable int x = 1;\ncreate expression y alias for { x };\nA\ncreate variable int z = 2", "A\n"),
        ("A // noqa: W601\n", "A\n"),
        ("A // noqa: W601, W602 because\n", "A\n"),
        ("// noqa: W601 because\nA\n", "A\n"),
        ("B // noqa: W602, W601, W604 because\n", "B // noqa: W601 because\n"),
        ("A // noqa: W999\n", "A // noqa: W999\n"),
        ("A // noqa\n", "A // noqa\n"),
        ("@Priority(1)\nA @Hint('x') @Name('s')\n@Priority(2) C", "A @Name('s')\nC"),
    ],
)
def test_statements(before: str, after: str) -> None:
    """Whole lines go; what shares its line leaves the rest of it."""
    names = {
        "A": "@Name('a') @UpdateCounter('a') select 1 from E;",
        "B": "@Name('b') @UpdateCounter('b') select 1 from E(n = 1, n = 2);",
        "C": "@UpdateCounter('c') select 1 from E;",
    }

    def whole(text: str) -> str:
        return SCHEMA + re.sub(r"\b[ABC]\b(?=[ \n]|$)", lambda match: names[match[0]], text)

    assert fixed(whole(before)) == whole(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("select n from E(et regexp '\\d+\\.\\w')", "select n from E(et regexp '\\\\d+\\\\.\\\\w')"),
        ("select n as order, et as group from E", "select n as `order`, et as `group` from E"),
        ("select n from E where n > 1 having n > 5", "select n from E where n > 1 having n > 5"),
        ("select n from E unidirectional where n > 1", "select n from E where n > 1"),
        ("select nn from E", "select nn from E"),
    ],
)
def test_errors(before: str, after: str) -> None:
    assert fixed(SCHEMA + before + ";\n") == SCHEMA + after + ";\n"


def test_what_nobody_selected_is_not_proven() -> None:
    checked = check(parse(Source("rules.epl", rule("not n = 1, user = null"))), Environment())
    warnings = lint_program(LintContext.of(checked), lambda code: code.id == "W605")
    assert {each.code.id for each in warnings if each.fix} == {"W605"}
    assert "W810" in {each.code.id for each in warnings}


def test_names_of_columns_are_kept() -> None:
    """A column without a name is named by its text, so that no fix may change that."""
    text = SCHEMA + "@Name('r') @DecorateEvent select paid = true, cast(n, int), -n from E;\n"
    assert fixed(text) == text
