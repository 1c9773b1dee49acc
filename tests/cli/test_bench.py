"""`sojourn bench`: what it says and in which form, and how it fails; never how long anything took."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from runtime.bench import PARTS
from runtime.cli.groups import CommandGroup

Run = Callable[..., Result]

TENANT = """\
tenant: clicks
events: {Click: {user: string, at: long, kind: string}}
controller_text: |
  @Name('by user') @Session('Visit') select user as _pk_, at as _timestamp_ from Click(user is not null)
profiles:
  - name: Visit
    type: 1
    gap: 10s
    begin_marker: VisitBegin
    end_marker: VisitEnd
    rules_text: |
      @Name('clicks') @UpdateCounter('clicks') select 1 from Click(kind = 'click');
      @Name('kinds') @AppendState(name='kinds', colname='kind') select kind from Click;
      @Name('split') @SplitSession select 1 from Click(kind = 'login');
      @Name('made') insert into Made select kind from Click(kind = 'click');
      @Name('made counted') @UpdateCounter('made') select 1 from Made;
      @Name('never') @UpdateState select 1 as x from Click(kind = 'no such kind');
      @Name('the end') @DecorateEvent select session.int('clicks') as clicks from VisitEnd;
"""
EVENTS = b"""\
{"user":"a","at":1000,"kind":"click"}
{"user":"b","at":2000,"kind":"view"}
{"user":"a","at":5000,"kind":"click"}
not json
{"at":6000}
{"user":"a","at":7000,"kind":"login"}
{"user":"a","at":60000,"kind":"view"}
"""


@pytest.fixture
def tenant(tmp_path: Path) -> Path:
    (tmp_path / "sessionizer.yaml").write_text(TENANT)
    (tmp_path / "events.ndjson").write_bytes(EVENTS)
    return tmp_path


@pytest.fixture
def bench(sojourn: Run, tenant: Path) -> Run:
    """Benches the tenant of this page with two runs."""

    def run(*options: object) -> Result:
        return sojourn("bench", tenant, tenant / "events.ndjson", "--runs", 1, *options)

    return run


def figures(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_figures_as_json(bench: Run) -> None:
    data = figures(bench("--format", "json"))
    assert (data["tenant"], data["events"], data["runs"]) == ("clicks", 6, 1)
    assert data["events_per_second"] > 0
    assert data["fastest_seconds"] <= data["seconds"] <= data["slowest_seconds"]
    assert data["peak_memory_bytes"] > 1 << 20
    assert "rules" not in data


def test_the_parts_make_the_whole(bench: Run) -> None:
    data = figures(bench("--format", "json"))
    assert {f"{part}_share" for part in PARTS} <= data.keys()
    assert sum(data[f"{part}_share"] for part in PARTS) == pytest.approx(1, abs=0.001)
    per_event = data["cpu_seconds"] / data["events"] * 1e6
    assert sum(data[f"{part}_us_per_event"] for part in PARTS) == pytest.approx(per_event, rel=0.001)


def test_every_rule_is_timed_with_the_calls_it_had(bench: Run) -> None:
    rules = figures(bench("--format", "json", "--profile-rules"))["rules"]
    assert {rule["rule"]: (rule["calls"], rule["matches"]) for rule in rules} == {
        # The first event is asked for its time before it sets the clock.
        "by user": (7, 5),
        # The login is passed twice: it voids the first pass, and is the first event of the next session.
        "clicks": (6, 2),
        "kinds": (6, 5),
        "split": (6, 1),
        "made": (6, 2),
        "made counted": (2, 2),
        "never": (6, 0),
        "the end": (4, 4),
    }
    assert all(isinstance(rule["us_per_event"], float) for rule in rules)


def test_timing_rules_changes_no_answer(bench: Run, tenant: Path, sojourn: Run) -> None:
    """Sessions are copied before rules are called with them, so what is written last is what a replay writes."""
    replayed, benched = tenant / "replayed.ndjson", tenant / "benched.ndjson"
    sojourn("replay", tenant, tenant / "events.ndjson", "--out", replayed)
    figures(bench("--format", "json", "--profile-rules", "--out", benched))
    assert benched.read_bytes() == replayed.read_bytes()


def test_the_shop_has_all_kinds_of_rules(sojourn: Run, project: Path, tmp_path: Path) -> None:
    """Sub-sessions with rules that read their parents, lists, decorations, time from the events."""
    events = tmp_path / "events.ndjson"
    sojourn("generate", "shop", "--events", 300, "--out", events)
    shop = project / "examples" / "shop"
    rules = figures(sojourn("bench", shop, events, "--runs", 1, "--profile-rules", "--format", "json"))["rules"]
    assert {rule["where"].split(":")[0] for rule in rules} == {"controller.epl", "visit.epl", "cart.epl"}


def test_text(bench: Run) -> None:
    result = bench("--profile-rules")
    assert result.exit_code == 0, result.output
    for shown in ("clicks: ", "events/s", "peak memory", "stage 1", "sessions", "stage 2", "the end", "µs/event"):
        assert shown in result.stdout
    assert "\x1b[" not in result.stdout


def test_markers_only_makes_no_events(bench: Run, tenant: Path) -> None:
    out = tenant / "out.ndjson"
    figures(bench("--format", "json", "--markers-only", "--out", out))
    assert all(json.loads(line)["_type"].startswith("Visit") for line in out.read_text().splitlines())


# ---- baselines


def test_several_processes(sojourn: Run, project: Path, tmp_path: Path) -> None:
    events = tmp_path / "shop.ndjson"
    assert sojourn("generate", "shop", "--events", 4000, "--hours", 48, "--out", events).exit_code == 0
    arguments = ("bench", project / "examples" / "shop", events, "--runs", 1, "--workers", 2)
    found = figures(sojourn(*arguments, "--format", "json"))
    assert found["workers"] == 2
    assert found["workers_events_per_second"] == pytest.approx(4000 / found["workers_seconds"], rel=0.01)
    assert "times as fast" in sojourn(*arguments).stdout


def test_several_processes_where_one_does_all(sojourn: Run, tenant: Path) -> None:
    packed = tenant / "events.ndjson.gz"
    packed.write_bytes(gzip.compress((tenant / "events.ndjson").read_bytes()))
    arguments = ("bench", tenant, packed, "--runs", 1, "--workers", 2)
    assert figures(sojourn(*arguments, "--format", "json"))["workers"] == 1
    assert "one does all" in sojourn(*arguments).stdout


def test_compares_with_saved_figures(bench: Run, tenant: Path) -> None:
    saved = tenant / "saved.json"
    before = figures(bench("--format", "json", "--profile-rules", "--save", saved))
    assert json.loads(saved.read_text()) == before
    after = figures(bench("--format", "json", "--profile-rules", "--baseline", saved))
    assert after["baseline"] == str(saved)
    assert after["differences"] == []
    ratio = after["events_per_second"] / before["events_per_second"]
    assert after["ratios"]["events_per_second"] == pytest.approx(ratio, abs=0.001)
    assert {"events_per_cpu_second", "seconds", "peak_memory_bytes"} <= after["ratios"].keys()


def test_text_says_what_is_not_comparable(bench: Run, tenant: Path) -> None:
    saved = tenant / "saved.json"
    bench("--save", saved)
    saved.write_text(json.dumps(json.loads(saved.read_text()) | {"events": 1000}))
    result = bench("--baseline", saved)
    assert result.exit_code == 0
    assert "of the baseline" in result.stdout
    assert "events is 6, was 1000" in result.stdout


def test_fail_under(bench: Run, tenant: Path) -> None:
    saved = tenant / "saved.json"
    bench("--save", saved)
    data = json.loads(saved.read_text())
    saved.write_text(json.dumps(data | {"events_per_cpu_second": 1e15}))
    failed = bench("--baseline", saved, "--fail-under", 0.9)
    assert failed.exit_code == 1
    assert "under 0.9" in failed.stderr
    saved.write_text(json.dumps(data | {"events_per_cpu_second": 1e-9}))
    assert bench("--baseline", saved, "--fail-under", 0.9).exit_code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json", "it is not JSON"),
        ("[1]", "it holds no bench"),
        ('{"events_per_second": "many"}', "it holds no bench"),
        ('{"events_per_second": 0}', "it holds no bench"),
    ],
)
def test_a_baseline_that_is_none(bench: Run, tenant: Path, text: str, said: str) -> None:
    (tenant / "saved.json").write_text(text)
    result = bench("--baseline", tenant / "saved.json")
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_baseline_that_is_not_there(bench: Run, tenant: Path) -> None:
    result = bench("--baseline", tenant / "saved.json")
    assert result.exit_code == 2
    assert "saved.json: it cannot be read" in result.stderr


# ---- wrong usage


def test_fail_under_wants_a_baseline(bench: Run) -> None:
    result = bench("--fail-under", 0.9)
    assert result.exit_code == 2
    assert "--baseline" in result.stderr


def test_stdin_cannot_be_read_twice(sojourn: Run, tenant: Path) -> None:
    result = sojourn("bench", tenant, "-", stdin=EVENTS)
    assert result.exit_code == 2
    assert "several times" in result.stderr


def test_several_tenants(sojourn: Run, tenant: Path) -> None:
    result = sojourn("bench", Path(__file__).parent / "tenants", tenant / "events.ndjson")
    assert result.exit_code == 2
    assert "bench measures one" in result.stderr


def test_no_events(sojourn: Run, tenant: Path) -> None:
    (tenant / "events.ndjson").write_bytes(b"")
    result = sojourn("bench", tenant, tenant / "events.ndjson")
    assert result.exit_code == 2
    assert "no events" in result.stderr


def test_no_such_file(sojourn: Run, tenant: Path) -> None:
    result = sojourn("bench", tenant, tenant / "nothing.ndjson")
    assert result.exit_code == 2
    assert "there is no such file" in result.stderr


def test_no_clock(sojourn: Run, tenant: Path) -> None:
    (tenant / "sessionizer.yaml").write_text(TENANT.replace(", at as _timestamp_", ""))
    result = sojourn("bench", tenant, tenant / "events.ndjson")
    assert result.exit_code == 2
    assert "--time-field" in result.stderr
    assert sojourn("bench", tenant, tenant / "events.ndjson", "--time-field", "at", "--runs", 1).exit_code == 0


# ---- a command that has subcommands as well


@pytest.fixture
def group() -> click.Group:
    """A command `root [--loud] WORDS...` with a subcommand `root other --size N`."""

    @click.group(cls=CommandGroup)
    @click.argument("words", nargs=-1, required=True)
    @click.option("--loud", is_flag=True)
    def root(words: tuple[str, ...], loud: bool) -> None:
        """The command itself."""
        click.echo(f"{words} {loud}")

    @root.command()
    @click.option("--size", type=int, required=True)
    def other(size: int) -> None:
        """Something else."""
        click.echo(f"other {size}")

    return root


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("a b --loud", "('a', 'b') True"),
        ("--loud a", "('a',) True"),
        ("other --size 3", "other 3"),
        ("./other", "('./other',) False"),
        ("a other", "('a', 'other') False"),
    ],
)
def test_the_first_word_tells_a_subcommand(group: click.Group, arguments: str, said: str) -> None:
    assert CliRunner().invoke(group, arguments.split()).stdout == f"{said}\n"


@pytest.mark.parametrize("arguments", ["", "other", "other --size x", "a --quiet"])
def test_wrong_arguments_of_either(group: click.Group, arguments: str) -> None:
    assert CliRunner().invoke(group, arguments.split()).exit_code == 2


def test_help_shows_both(group: click.Group) -> None:
    text = CliRunner().invoke(group, ["--help"]).stdout
    assert "Usage: root [OPTIONS] WORDS...\n" in text
    assert "other  Something else." in text
    assert "Usage: root other [OPTIONS]\n" in CliRunner().invoke(group, ["other", "--help"]).stdout
