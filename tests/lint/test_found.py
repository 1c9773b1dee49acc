"""What else each rule finds, beside its example."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from epl import Diagnostic

FOUND = {
    "W601": [
        "@UpdateCounter('a') select 1 from PageView(n = 1, n = 2);",
        "@UpdateCounter('a') select 1 from PageView(et = 'a') where et = 'b';",
        "@UpdateCounter('a') select 1 from PageView(n > 1 and n < 2);",  # whole numbers only
        "@UpdateCounter('a') select 1 from PageView(et in ('a', 'b'), et in ('c', 'd'));",
        "@UpdateCounter('a') select 1 from PageView(et in ('a', 'b'), et not in ('b', 'a'));",
        "@UpdateCounter('a') select 1 from PageView(et is null, et = 'a');",
        "@UpdateCounter('a') select 1 from PageView(session.eventCount < 1);",
        "@UpdateCounter('a') select 1 from PageView(n between 1 and 3, 5 < n);",
        "@UpdateCounter('a') select 1 from PageView(paid, not paid);",
        "@UpdateCounter('a') select 1 from PageView(et = 'a' or et = 'b', et = 'c');",
        "@UpdateCounter('a') select 1 from PageView(user = url, user != url);",
        "@UpdateCounter('a') select 1 from PageView(false);",
        "@UpdateCounter('a') select 1 from PageView(1 = 2);",
        "@UpdateCounter('a') select 1 from PageView(not (n = 1 or n != 1));",
    ],
    "W602": [
        "@UpdateCounter('a') select 1 from PageView(true);",
        "@UpdateCounter('a') select 1 from PageView(session.eventCount >= 1);",
        "@UpdateCounter('a') select 1 from PageView(session.sessionId is not null);",
        "@UpdateCounter('a') select 1 from PageView(exists(et));",
        "@UpdateCounter('a') select 1 from PageView(n > 5 or n < 6);",
    ],
    "W605": [
        "@UpdateCounter('a') select 1 from PageView(et in ('a', null));",
        "@UpdateState select case when null != et then 1 else 2 end as x from PageView;",
    ],
    "W606": [
        "@UpdateState select et as x from PageView(session.string('x') not in ('a', 'b'));",
    ],
    "W615": [
        "@UpdateState select 'a' as x from PageView;\n@UpdateState select 'b' as x from PageView;",
        "@UpdateState select 'b' as x from PageView(n > 1);\n@UpdateState select 'a' as x from PageView;",  # dead
    ],
    "W618": [
        "@UpdateCounter('x') select 1 from PageView;\n"
        "@AppendState(name='x', colname='et', maxlength=3) select et from PageView;",
    ],
    "W619": [
        "@UpdateMetadata select url as x from PageView;\n@DecorateEvent select session.string('x') as y from PageView;",
        "@DecorateEvent select session.int('eventCount') as y from PageView;",
    ],
    "W620": [
        "@AppendState(name='x', colname='et', maxlength=3) select et from PageView;\n"
        "@DecorateEvent select session.string('x') as y from PageView;",
        "@UpdateState select total as x from PageView;\n@DecorateEvent select session.int('x') as y from PageView;",
    ],
    "W628": [
        "@SplitSession select 1 from PageView(session.eventCount > 1);",
        "@EndSession select 1 from PageView;",
    ],
    "W630": [
        "@Session('A') select user as _pk_, 0 as _duration_ from PageView;",
        "@SubSession('A') select user as _pk_, 3000000 as _duration_ from PageView;",
    ],
    "W703": [
        "@DebugSession(counter='c', colname='x') select session.sessionId as x from PageView;",
        "@DebugSession(counter='c', colname='x') select cast(total, string) as x from PageView(total > 1);\n"
        "@DebugSession(counter='c', colname='price') select price from PageView;",
    ],
}
CASES = [(code, rules) for code, texts in FOUND.items() for rules in texts]


@pytest.mark.parametrize(("code", "rules"), CASES, ids=lambda value: value if len(value) == 4 else "")
def test_found(code: str, rules: str, codes: Callable[..., list[str]]) -> None:
    assert set(codes(rules)) == {code}


def test_places_and_hints(lint: Callable[[str], list[Diagnostic]]) -> None:
    text = (
        "create schema E (a string, n int);\n"
        "@UpdateMetadata select a from E;\n"
        "@DecorateEvent select session.string('a') as x, session.int('eventCount') as y from E(n > 3, a = 'x', n < 2);"
    )
    found = [each for each in lint(text) if each.code.id in ("W601", "W619")]
    shown = [(each.code.id, each.source.slice(each.span), each.message, each.hint) for each in found]
    assert shown == [
        (
            "W619",
            "session.string('a')",
            "no rule writes `a` to the session's state, so this is always null",
            "`a` is metadata: read it by `metadata.string('a')`",
        ),
        (
            "W619",
            "session.int('eventCount')",
            "no rule writes `eventCount` to the session's state, so this is always null",
            "write `session.eventCount`",
        ),
        ("W601", "n < 2", "this is never true where `n > 3`", None),
    ]
