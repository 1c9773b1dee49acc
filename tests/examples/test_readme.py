"""What the README shows works as shown: its tenant, its commands, and the lines that it prints."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from epl import Environment, Source, check, parse
from epl.extend import extension_of
from epl.extend.collect import wrong_examples
from epl.registry import CATALOG
from runtime.cli import main
from runtime.config import load_tenant

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language, without the indentation of the list they may stand in."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", README, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tenant of the README, beside a file with the event that it shows."""
    folder = tmp_path / "my-site"
    folder.mkdir()
    (yaml,) = blocks("yaml")
    _, controller, visit = blocks("sql")
    (folder / "sessionizer.yaml").write_text(yaml)
    (folder / "controller.epl").write_text(controller)
    (folder / "visit.epl").write_text(visit)
    event = next(text for text in blocks("json") if '"page"' in text)
    (tmp_path / "events.ndjson").write_text(event)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_own_events_become_sessions(site: Path) -> None:
    linted = CliRunner().invoke(main, ["lint", "my-site"])
    assert linted.output.strip() in README
    command = re.search(r"\$ sojourn (replay my-site .*)", README)
    assert command is not None
    assert CliRunner().invoke(main, command[1].split()).exit_code == 0
    begin, end = (json.loads(line) for line in (site / "sessions.ndjson").read_text().splitlines())
    assert begin["_type"] == "VisitBegin"
    assert (end["_type"], end["landing"], end["views"]) == ("VisitEnd", "/home", 1)


def test_the_slip_is_shown_as_it_is(site: Path) -> None:
    shown = next(text for text in blocks("text") if text.startswith("error["))
    rules = site / "my-site" / "visit.epl"
    rules.write_text(rules.read_text().replace("kind = 'view'", "knd = 'view'"))
    assert shown.strip() in CliRunner().invoke(main, ["lint", "my-site"]).output


def test_the_explanation_is_real(site: Path) -> None:
    hits = [(0, "view", "/home"), (42_000, "view", "/p/7"), (1_842_000, "click", "/p/7")]
    lines = [{"user": "u1", "at": 1767600000000 + after, "kind": kind, "page": page} for after, kind, page in hits]
    (site / "events.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
    shown = next(text for text in blocks("text") if text.startswith("event 3"))
    assert shown in CliRunner().invoke(main, ["explain", "my-site", "events.ndjson", "--key", "u1"]).output


def test_state_outlives_a_run(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command of the passage, and what `plan` prints."""
    monkeypatch.setenv("NO_COLOR", "1")
    event = json.loads((site / "events.ndjson").read_text())
    for day, name in enumerate(("monday", "tuesday")):
        (site / f"{name}.ndjson").write_text(json.dumps(event | {"at": event["at"] + day * 60_000}))
    passage = README.partition("## State that outlives a run")[2].partition("\n## ")[0]
    shown = "".join(re.findall(r"```console\n(.*?)```", passage, re.DOTALL))
    for command, printed in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", shown, re.MULTILINE):
        program, *arguments = shlex.split(command)
        if program != "sojourn":
            subprocess.run(command, shell=True, check=True)
            continue
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == (1 if printed else 0), result.output
        assert printed in ("", result.output)
    ended = [json.loads(line) for line in (site / "tuesday-out.ndjson").read_text().splitlines()]
    assert [line["at"] for line in ended] == [event["at"] + 60_000]


def test_the_function_is_one() -> None:
    (text,) = blocks("python")
    module = ModuleType("functions")
    exec(text, vars(module))
    extension = extension_of(module)
    environment = Environment(catalog=CATALOG.extended(extension.functions))
    assert list(wrong_examples(extension, environment)) == []
    assert [entry.name for entry in extension.functions] == ["discount"]


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert [target for target in targets if "://" not in target and not (PROJECT / target).exists()] == []


def test_the_rules_on_top_are_sound() -> None:
    shop = load_tenant(PROJECT / "examples" / "shop")
    first, *rest = blocks("sql")[0].split("\n\n")
    landing = "@UpdateMetadata select url as landing from ShopEvent(session.eventCount = 1);\n"
    for text in (first, landing + "\n".join(rest)):
        found = check(parse(Source("README", text)), Environment(event_types=shop.events))
        assert [str(problem.message) for problem in found.problems] == []
