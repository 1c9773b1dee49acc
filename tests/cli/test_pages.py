"""`sojourn rule`, `function` and `annotation`: one page for each name, colours on a terminal only."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from epl.registry import BUILTINS, ENTRIES
from epl.registry.annotations import ANNOTATIONS
from runtime.cli import main
from runtime.cli.annotation import annotation_pages
from runtime.cli.function import function_pages
from runtime.cli.rule import code_pages
from runtime.config.service_codes import SERVICE_CODES
from runtime.lint import CODES

Run = Callable[..., Result]

W601 = """\
W601 condition that is never true

The rule gives no row, whatever comes. Mostly an `and` that should be an `or`, or a bound the wrong 
way round.

Instead of

    create schema PageView (user string, et string, url string, n int, total long, price double, paid boolean, tags string[], props map);
    @UpdateCounter('few') select 1 from PageView(n > 5 and n < 3);

write

    create schema PageView (user string, et string, url string, n int, total long, price double, paid boolean, tags string[], props map);
    @UpdateCounter('few') select 1 from PageView(n > 3 and n < 5);
"""  # noqa: E501, W291

SUBSTRING = """\
string.substring

How to call it

    substring(from: int): string
    substring(from: int, to: int): string

The text from one index up to, and not with, another (or the end); null when they are not in the 
text.

example                 gives
'abc'.substring(1)      'bc'
'abcd'.substring(1, 3)  'bc'
'abc'.substring(10)     null
"""  # noqa: W291

APPEND_COUNTER = """\
@AppendCounter

Adds a column's number to a counter: a sum. Without `colname` the same as @UpdateCounter.
where: the rules of a profile and the rules of a sub-session.

Example

    @AppendCounter(name='spent', colname='n') select n from PageView(et = 'buy');

parameter  type    default        meaning
name       string  must be given  the counter
colname    string  –              the column to add; null adds nothing
"""


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("rule", "W601"), W601),
        (("rule", " w601 "), W601),
        (("function", "string.substring"), SUBSTRING),
        (("function", "Substring()"), SUBSTRING),
        (("annotation", "AppendCounter"), APPEND_COUNTER),
        (("annotation", "@appendcounter"), APPEND_COUNTER),
    ],
)
def test_a_page(sojourn: Run, arguments: tuple[str, ...], text: str) -> None:
    result = sojourn(*arguments)
    assert result.exit_code == 0
    assert result.stdout == text


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("coalesce", ["coalesce"]),
        ("Math.abs", ["Math.abs"]),
        ("java.lang.Math.abs", ["Math.abs"]),
        ("length", ["string.length"]),
        ("size", ["list.size", "map.size"]),
        ("min", ["min"]),
        ("currentTimeMillis", ["System.currentTimeMillis"]),
    ],
)
def test_functions_by_any_of_their_names(sojourn: Run, name: str, titles: list[str]) -> None:
    found = json.loads(sojourn("function", name, "--format", "json").stdout)
    assert [page["name"] for page in found] == titles


def test_several_names_each_once(sojourn: Run) -> None:
    output = sojourn("rule", "E101", "w601", "E101").stdout
    assert output.count("Instead of") == 2
    assert output.index("E101") < output.index("W601")


def test_examples_of_configuration_are_yaml() -> None:
    languages = {page.name: page.parts[-1].language for page in code_pages()}  # type: ignore[union-attr]
    assert languages["E501"] == "yaml"
    assert languages["E101"] == languages["W601"] == "sql"


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("rule", [code.id for code in (*CODES, *SERVICE_CODES)]),
        ("function", [*(each.name for each in BUILTINS), *(each.title for each in ENTRIES)]),
        ("annotation", [each.name for each in ANNOTATIONS]),
    ],
)
def test_lists_have_everything(sojourn: Run, command: str, names: list[str]) -> None:
    lines = sojourn(command).stdout.splitlines()
    assert len(lines) == len(names)
    pages = json.loads(sojourn(command, "--format", "json").stdout)
    assert [page.get("code", page.get("name")) for page in pages] == names


def test_every_page_can_be_drawn(sojourn: Run) -> None:
    for command, pages in (("rule", code_pages()), ("function", function_pages()), ("annotation", annotation_pages())):
        result = sojourn(command, *(page.name for page in pages))
        assert result.exit_code == 0
        assert all(page.name in result.stdout for page in pages)


def test_names_mean_one_page_each() -> None:
    for pages in (code_pages(), function_pages(), annotation_pages()):
        assert len({page.name for page in pages}) == len(pages)


def test_search(sojourn: Run) -> None:
    lines = sojourn("annotation", "--search", "METADATA").stdout.splitlines()
    assert any(line.startswith("@UpdateMetadata ") for line in lines)
    assert len(lines) < len(ANNOTATIONS)
    assert [page["name"] for page in json.loads(sojourn("function", "--search", "'12'", "--format", "json").stdout)]
    nothing = sojourn("function", "--search", "xyzzy")
    assert (nothing.exit_code, nothing.stdout) == (1, "")
    assert "no function speaks of `xyzzy`" in nothing.stderr


@pytest.mark.parametrize(
    ("command", "name", "hint"),
    [
        ("rule", "W6O1", "there is no code `W6O1`: did you mean"),
        ("function", "lenght", "there is no function `lenght`: did you mean `length`?"),
        ("function", "Math.abz", "did you mean `Math.abs`?"),
        ("annotation", "UpdateCountr", "there is no annotation `UpdateCountr`: did you mean `UpdateCounter`?"),
        ("annotation", "qqqq", "there is no annotation `qqqq`\n"),
    ],
)
def test_wrong_names(sojourn: Run, command: str, name: str, hint: str) -> None:
    result = sojourn(command, name)
    assert result.exit_code == 2
    assert hint in result.stderr


@pytest.mark.parametrize(
    ("command", "start", "name"),
    [("rule", "w60", "W601"), ("function", "math.a", "Math.abs"), ("annotation", "@upd", "@UpdateCounter")],
)
def test_names_are_completed(command: str, start: str, name: str) -> None:
    completions = ShellComplete(main, {}, "sojourn", "_SOJOURN_COMPLETE").get_completions([command], start)
    assert name in [item.value for item in completions]
    assert all(item.help for item in completions)


@pytest.mark.parametrize("arguments", [("rule", "W601"), ("function", "length"), ("annotation", "Session"), ("rule",)])
def test_colours_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    assert "\x1b" not in CliRunner().invoke(main, arguments).output
    monkeypatch.setenv("FORCE_COLOR", "1")  # what rich takes for a terminal
    assert "\x1b" in CliRunner().invoke(main, arguments).output or len(arguments) == 1
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in CliRunner().invoke(main, arguments).output
