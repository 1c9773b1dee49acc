"""Each rule's bad example triggers its code and no other of weight; its good example does not trigger it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from epl import Diagnostic
from epl.diagnostics import Code, Severity
from epl.diagnostics.codes import LANGUAGE_CODES
from epl.lint import LINT_CODES, RULES

FAMILIES = ("W6", "W7", "W8", "W9")
# What examples that fit in a line do not bother with: state that is read, a name.
BESIDE = frozenset({"W708"})


@pytest.mark.parametrize("code", LINT_CODES, ids=lambda code: code.id)
def test_bad_example(code: Code, lint: Callable[[str], list[Diagnostic]]) -> None:
    found = codes_of(code, code.bad, lint)
    assert code.id in found
    others = {other for other in found if other[:2] not in ("W8", "W9") and other not in BESIDE}
    assert others <= {code.id}


@pytest.mark.parametrize("code", LINT_CODES, ids=lambda code: code.id)
def test_good_example(code: Code, lint: Callable[[str], list[Diagnostic]]) -> None:
    found = codes_of(code, code.good, lint)
    assert code.id not in found
    assert {other for other in found if other[:2] not in ("W8", "W9") and other not in BESIDE} == set()


def codes_of(code: Code, text: str, lint: Callable[..., list[Diagnostic]]) -> set[str]:
    """The codes of an example. Only the example about the size of blocks has one: long lists are over it, too."""
    given = {"block_size": 512} if code.id == "W709" else {}
    return {each.code.id for each in lint(text, **given)}


def test_codes_are_unique_and_documented() -> None:
    ids = [code.id for code in (*LINT_CODES, *LANGUAGE_CODES)]
    assert [id_ for id_, count in Counter(ids).items() if count > 1] == []
    for code in LINT_CODES:
        assert code.severity is Severity.WARNING
        assert code.id[:2] in FAMILIES
        assert code.title
        assert code.why.endswith(".")
        assert code.bad != code.good


def test_codes_are_numbered_without_gaps() -> None:
    for family in FAMILIES:
        ids = [code.id for code in LINT_CODES if code.id.startswith(family)]
        assert ids == [f"{family}{number:02}" for number in range(1, len(ids) + 1)]


def test_every_rule_has_a_code_of_its_own() -> None:
    assert len({rule.code.id for rule in RULES}) == len(RULES) == len(LINT_CODES) - 1
