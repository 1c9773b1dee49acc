"""Excerpts: cut to a window, carets right under the place."""

from __future__ import annotations

import pytest

from epl import Diagnostic, Source
from epl.diagnostics import as_data, as_text, render
from epl.diagnostics.name_codes import UNKNOWN_NAME
from epl.source import Span


def problem(text: str, marked: str, *, name: str = "rules.epl", hint: str | None = None) -> Diagnostic:
    """A diagnostic at the first occurrence of a text."""
    start = text.index(marked)
    return Diagnostic(UNKNOWN_NAME, Source(name, text), Span(start, start + len(marked)), "what is this?", hint)


def excerpt(text: str, marked: str) -> tuple[str, str]:
    """The line shown, and the line of carets below it, without the gutter."""
    lines = as_text(problem(text, marked)).splitlines()
    return lines[3].partition(" | ")[2], lines[4].partition(" | ")[2]


def test_whole_text() -> None:
    assert as_text(problem("select N\nfrom E", "N", hint="did you mean `n`?")) == (
        "error[E201]: what is this?\n --> rules.epl:1:8\n  |\n1 | select N\n  |        ^\n  = hint: did you mean `n`?\n"
    )


def test_the_gutter_is_as_wide_as_the_number() -> None:
    text = as_text(problem("\n" * 99 + "select N", "N"))
    assert text.splitlines()[1:5] == ["   --> rules.epl:100:8", "    |", "100 | select N", "    |        ^"]


def test_several_have_a_blank_line_between() -> None:
    assert render([problem("a", "a"), problem("a", "a")]).count("\n\n") == 1


@pytest.mark.parametrize(
    ("line", "marked", "carets"),
    [
        ("\tselect N", "N", "\t       ^"),
        ("select 'ü' N", "N", "           ^"),
        ("select '日本' N", "N", "              ^"),
        ("select '日本' x", "'日本'", "       ^^^^^^"),
        ("select 'e\u0301' N", "N", "           ^"),
        ("select 'a\x1b' N", "N", "            ^"),
    ],
    ids=["tab", "narrow", "wide before", "wide marked", "combining", "control"],
)
def test_carets_stand_under_the_place(line: str, marked: str, carets: str) -> None:
    assert excerpt(line, marked)[1] == carets


def test_control_characters_are_not_sent_to_the_terminal() -> None:
    assert excerpt("select 'a\x1b[2J' N", "N")[0] == "select 'a�[2J' N"


def test_a_span_over_lines_is_underlined_on_the_first() -> None:
    assert excerpt("select (a\n+ b) from E", "(a\n+ b)") == ("select (a", "       ^^")


def test_an_empty_span_at_the_end_of_the_text() -> None:
    source = Source("rules.epl", "select")
    lines = as_text(Diagnostic(UNKNOWN_NAME, source, Span(6, 6), "more?")).splitlines()
    assert lines[3:5] == ["1 | select", "  |       ^"]


@pytest.mark.parametrize("before", [0, 30, 59, 60, 61, 500])
@pytest.mark.parametrize("after", [0, 30, 39, 40, 500])
def test_a_long_line_is_cut_round_the_place(before: int, after: int) -> None:
    text, carets = excerpt("a" * before + "N" + "b" * after, "N")
    assert len(text) <= 102
    assert text[len(carets) - 1] == "N"
    assert text.startswith("…") is (before > 60)
    assert text.endswith("…") is (min(before, 60) + 1 + after > 100)


def test_a_long_span_is_marked_as_far_as_it_is_shown() -> None:
    text, carets = excerpt("x " + "N" * 500, "N" * 500)
    assert text == "x " + "N" * 98 + "…"
    assert carets == "  " + "^" * 98


def test_a_window_counts_columns() -> None:
    text, carets = excerpt("日" * 200 + "N" + "本" * 200, "N")
    assert text == "…" + "日" * 30 + "N" + "本" * 19 + "…"
    assert carets == " " * 61 + "^"


def test_data() -> None:
    assert as_data(problem("select\n  N", "N")) == {
        "code": "E201",
        "severity": "error",
        "message": "what is this?",
        "hint": None,
        "file": "rules.epl",
        "line": 2,
        "column": 3,
        "end_line": 2,
        "end_column": 4,
    }
