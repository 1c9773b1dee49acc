"""Problems: all at once, at the right places, with hints; and no text that ends in another exception."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_regressions.file_regression import FileRegressionFixture

from epl.diagnostics import Diagnostic, InvalidInput, render
from runtime.config import KEYS, TenantConfig, load_tenant

ProblemsOf = Callable[[str], list[Diagnostic]]

WRONG = """\
tenant: 2024
tenent: x
events: {Click: {url: strin, at: [long]}, Other: 7}
unknown_events: ignore
imports: [good.name, 1bad, 3]
limits: {max_idle: 3h, max_events: many, rate: -1}
cache: {block_size: 1KiB, page_size: 16MB, memory: 32, memory: 64}
time: [processing]
store: {kind: valky}
profiles:
  - name: A
    gap: 4h
    max_active: 1h
    begin_marker: Began
    rules: sesion.epl
    max_idle: 30m
    sub_sessions:
      - {name: B, gap: 5h, begin_marker: Began}
      - {name: B, gap: 0, keys: {id: _snrs}}
      - null
  - name: A
    type: 1
    rules: session.epl
    rules_text: |
      select
  - name: ""
    type: 1
    gap: 1800
"""


def test_all_problems_are_found_in_one_run(problems_of: ProblemsOf, file_regression: FileRegressionFixture) -> None:
    file_regression.check(render(problems_of(WRONG)), basename="all_problems", extension=".err")


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a:\n\tb: 1\n", 2, 1, "found character '\\t' that cannot start any token"),
        ("a: [1\n", 2, 1, "expected ',' or ']', but got '<stream end>'"),
        ("a: \x00\n", 1, 4, "the character U+0000 is not allowed"),
        ("a: 1\n---\nb: 2\n", 2, 1, "but found another document"),
        ("a: *gone\n", 1, 4, "found undefined alias 'gone'"),
        ("a: &x {b: *x}\n", 1, 11, "an alias of the block that it stands in"),
        ("[" * 5_000, 1, 33, "nested deeper than 32 levels"),
        ('a: "\\Uffffffff"\n', 1, 7, "a number is out of range"),
        ('a: "\\ud800"\n', 1, 4, "an escape of half a character"),
        ("events: {E: {tags: string[]}}\n", 1, 26, "expected ',' or '}', but got '['"),
    ],
)
def test_what_is_no_yaml(problems_of: ProblemsOf, text: str, line: int, column: int, message: str) -> None:
    (found,) = problems_of(text)
    assert found.code.id == "E502"
    assert found.message.endswith(message)
    place = found.source.position(found.span.start)
    assert (place.line, place.column) == (line, column)
    assert render([found])


def test_aliases_of_aliases_do_not_explode(problems_of: ProblemsOf) -> None:
    lines = ["a0: &a0 [" + ",".join("1" * 10) + "]"]
    lines += [f"a{n}: &a{n} [" + ",".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 30)]
    (found,) = problems_of("\n".join(lines))
    assert found.message.endswith("more than 100000 values")


def test_a_problem_in_a_block_used_twice_is_reported_once(problems_of: ProblemsOf) -> None:
    text = "profiles:\n  - {name: A, type: 1, keys: &k {idd: x}}\n  - {name: B, type: 2, keys: *k}\n"
    (found,) = problems_of("tenant: t\ncontroller_text: ''\n" + text)
    assert found.hint == "did you mean `id`?"


def test_a_list_in_place_of_everything_is_one_problem(problems_of: ProblemsOf) -> None:
    assert [found.message for found in problems_of("- tenant: shop\n")] == [
        "`sessionizer.yaml` wants a mapping, not a list"
    ]


def test_an_empty_file_lacks_what_is_required(problems_of: ProblemsOf) -> None:
    missing = {found.message for found in problems_of("")}
    assert missing == {f"`{key}` is missing at the top" for key in ("tenant", "controller", "profiles")}


def test_texts_are_quoted_short_and_harmless(problems_of: ProblemsOf) -> None:
    text = f'tenant: t\ncontroller_text: ""\nprofiles: [{{name: A, type: 1, gap: "\\e[31m{"x" * 99}"}}]\n'
    (found,) = problems_of(text)
    assert found.message.endswith("not `·[31m" + "x" * 34 + "…`")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nowhere", "there is no such file"),
        ("folder", "there is no such file"),
        ("latin1.yaml", "it is not UTF-8 (byte 8)"),
        ("nul\0", "there is no such file"),
        ("x" * 5_000, "file name too long"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, reason: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("folder/sessionizer.yml").touch()
    Path("latin1.yaml").write_bytes(b"tenant: \xe9\n")
    with pytest.raises(InvalidInput) as invalid:
        load_tenant(Path(path))
    (found,) = invalid.value.diagnostics
    assert (found.code.id, found.source.text) == ("E501", "")
    assert found.message.endswith(reason)
    assert render([found])
    if path == "folder":
        assert found.hint == "did you mean `sessionizer.yml`?"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.epl", "there is no such file"),
        ("folder.epl", "it is a folder"),
        ("latin1.epl", "it is not UTF-8 (byte 3)"),
        ("x" * 5_000, "file name too long"),
    ],
)
def test_rule_files_that_cannot_be_read(problems_of: ProblemsOf, name: str, reason: str) -> None:
    Path("shop/folder.epl").mkdir()
    Path("shop/latin1.epl").write_bytes(b"// \xe9")
    (found,) = problems_of(f"tenant: t\ncontroller: {name}\nprofiles: [{{name: A, type: 1}}]\n")
    assert (found.code.id, found.source.position(found.span.start).line) == ("E501", 2)
    assert found.message.endswith(reason)


_words = st.sampled_from(
    [key.name for key in KEYS]
    + [
        "30m",
        "0",
        "16MiB",
        "null",
        "A",
        "true",
        "- ",
        "\n",
        "\n  ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "&a ",
        "*a",
        "|",
        ">",
    ]
    + ["'", '"', "# ", "\t", "!!str ", "? ", "%YAML ", "---", "\\u", "\x85", "\u2028", "\ufeff", "controller.epl"]
)
_documents = st.one_of(
    st.text(max_size=80),
    st.lists(_words, max_size=30).map("".join),
    # A configuration that loads, with one piece of it replaced.
    st.tuples(st.integers(0, 200), st.integers(0, 40), st.one_of(_words, st.text(max_size=5))).map(
        lambda cut: SMALL[: cut[0]] + cut[2] + SMALL[cut[0] + cut[1] :]
    ),
)
SMALL = """\
tenant: t
controller: controller.epl
events: {E: {a: int}}
limits: {max_idle: 30m}
profiles:
  - name: A
    type: 1
    gap: 10m
    keys: {id: sid}
    rules_text: |
      select
    sub_sessions: [{name: B, gap: 5m}]
"""


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=_documents)
def test_any_text_ends_in_a_configuration_or_in_problems(problems_of: ProblemsOf, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    # Whatever is found can be shown: each span lies within its source.
    render(problems_of(text))


def test_the_small_example_loads(load: Callable[[str], TenantConfig]) -> None:
    assert load(SMALL).profiles[0].keys.id == "sid"
