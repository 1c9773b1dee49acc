"""`sojourn replay --snapshot` and `--resume`: files one by one give what they give in one run."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from itertools import islice, pairwise
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from runtime.contents import read_contents

Run = Callable[..., Result]

TENANT = """\
tenant: clicks
events: {Click: {user: string, at: long, kind: string}}
controller_text: "@Session('Visit') select user as _pk_, at as _timestamp_ from Click(user is not null)"
profiles:
  - name: Visit
    type: 1
    gap: 10s
    begin_marker: VisitBegin
    end_marker: VisitEnd
    rules_text: |
      @UpdateCounter('clicks') select 1 from Click(kind = 'click');
      @UpdateMetadata select kind as first_kind from Click(session.eventCount = 1);
      @DecorateEvent select session.int('clicks') as clicks from VisitEnd;
"""
MONDAY = b'{"user":"a","at":1000,"kind":"click"}\n{"user":"b","at":2000}\n'
TUESDAY = b'{"user":"a","at":9000,"kind":"click"}\nno event\n'
COLD = {"hot": 0, "block_size": 64, "page_size": "4KiB", "hash_capacity": 1}
RECORDED = ["examples/shop", "examples/app-pings", "profiles/openreplay", "profiles/ua", "profiles/snowplow"]


@pytest.fixture
def tenant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tenant and the events of two days, in the folder at work."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "clicks"
    folder.mkdir()
    (folder / "sessionizer.yaml").write_text(TENANT)
    Path("monday.ndjson").write_bytes(MONDAY)
    Path("tuesday.ndjson").write_bytes(TUESDAY)
    return folder


def recorded(folder: Path) -> list[bytes]:
    """The first of the events that are in a folder."""
    file = next(folder.glob("events.ndjson*"))
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
        return list(islice(lines, 3000))


def change(tenant: Path, old: str, new: str) -> None:
    file = tenant / "sessionizer.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("cache", [{}, COLD], ids=["hot", "cold"])
def test_in_parts_as_in_one_run(
    sojourn: Run, project: Path, tmp_path: Path, name: str, cache: dict[str, object]
) -> None:
    folder = tmp_path / "tenant"
    shutil.copytree(project / name, folder)
    config = yaml.safe_load((folder / "sessionizer.yaml").read_text())
    config["cache"] = config.get("cache", {}) | cache
    (folder / "sessionizer.yaml").write_text(yaml.safe_dump(config))
    lines = recorded(folder)
    run = ("replay", folder, "-", "-q", "--out")
    assert sojourn(*run, tmp_path / "whole", stdin=b"".join(lines)).exit_code == 0
    snapshot = tmp_path / "open.snap"
    parts = b""
    cuts = [0, len(lines) // 3, len(lines) // 2, len(lines)]
    for number, (start, end) in enumerate(pairwise(cuts)):
        resume = ("--resume", snapshot) if start else ()
        save = ("--snapshot", snapshot) if end < len(lines) else ()
        result = sojourn(*run, tmp_path / f"{number}", *resume, *save, stdin=b"".join(lines[start:end]))
        assert result.exit_code == 0, result.output
        parts += (tmp_path / f"{number}").read_bytes()
    assert parts == (tmp_path / "whole").read_bytes()


def test_what_waits_for_its_turn_waits_on(sojourn: Run, tenant: Path) -> None:
    """Events that came early in one file take their turn among those of the next."""
    change(tenant, "controller_text", "time: {domain: event, allowed_lateness: 5s}\ncontroller_text")
    lines = [json.dumps({"user": "a", "at": at}) + "\n" for at in (1000, 4000, 2000, 3000, 12_900, 7000)]
    first, second = "".join(lines[:3]).encode(), "".join(lines[3:]).encode()
    sojourn("replay", tenant, "-", "-q", "--out", "whole", stdin=first + second)
    sojourn("replay", tenant, "-", "-q", "--out", "1", "--snapshot", "open.snap", stdin=first)
    assert read_contents(Path("open.snap")).events_waiting == 3
    sojourn("replay", tenant, "-", "-q", "--out", "2", "--resume", "open.snap", stdin=second)
    assert Path("1").read_bytes() + Path("2").read_bytes() == Path("whole").read_bytes()


def test_the_summary_goes_on(sojourn: Run, tenant: Path) -> None:
    monday = sojourn("replay", tenant, "monday.ndjson", "--snapshot", "open.snap")
    assert "2 open sessions in open.snap" in monday.stdout
    tuesday = sojourn("replay", tenant, "tuesday.ndjson", "--resume", "open.snap")
    assert tuesday.stdout.startswith("clicks: 1 events in")
    assert "after 2 before, which the counts below include" in tuesday.stdout
    assert "warning" not in tuesday.stderr
    data = json.loads(sojourn("replay", tenant, "tuesday.ndjson", "--resume", "open.snap", "--format", "json").stdout)
    assert data["events"] == {"ok": 3, "invalid": 1}
    assert data["sessions"]["Visit"]["created"] == 2
    assert data["resumed"] == {"open_sessions": 2, "events_before": 2, "dropped_sessions": 0, "dropped_values": 0}


def test_other_rules_warn_of_what_was_dropped(sojourn: Run, tenant: Path) -> None:
    sojourn("replay", tenant, "monday.ndjson", "-q", "--snapshot", "open.snap")
    change(tenant, "kind as first_kind", "at as first_kind")
    change(tenant, "profiles:", "profiles:\n  - {name: Day, type: 2, rules_text: ''}")
    result = sojourn("replay", tenant, "tuesday.ndjson", "-q", "--resume", "open.snap", "--snapshot", "open.snap")
    assert result.exit_code == 0
    assert "warning: open.snap is of other rules; dropped: 1 value that" in result.stderr
    assert f"sojourn plan open.snap {tenant} says so beforehand" in result.stderr
    change(tenant, "name: Visit", "name: Stay")
    change(tenant, "@Session('Visit')", "@Session('Stay')")
    result = sojourn("replay", tenant, "tuesday.ndjson", "-q", "--resume", "open.snap")
    assert "dropped: 2 open sessions of profiles that are gone" in result.stderr


def test_other_rules_that_lose_nothing_say_nothing(sojourn: Run, tenant: Path) -> None:
    sojourn("replay", tenant, "monday.ndjson", "-q", "--snapshot", "open.snap")
    change(tenant, "select 1 from Click", "select 1, 'x' as y from Click")
    result = sojourn("replay", tenant, "tuesday.ndjson", "-q", "--resume", "open.snap", "--out", "-")
    ends = [json.loads(line) for line in result.stdout.splitlines() if '"VisitEnd"' in line]
    assert [(end["_snid"][0], end.get("clicks")) for end in ends] == [("b", None), ("a", 2)]
    assert result.stderr == ""


def test_a_failure_leaves_the_snapshot_before(sojourn: Run, tenant: Path) -> None:
    sojourn("replay", tenant, "monday.ndjson", "-q", "--snapshot", "open.snap")
    before = Path("open.snap").read_bytes()
    again = ("-q", "--resume", "open.snap", "--snapshot", "open.snap")
    assert sojourn("replay", tenant, "monday.ndjson", "no-such-file.ndjson", *again).exit_code == 2
    assert Path("open.snap").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--resume", "nowhere.snap"], "nowhere.snap: there is no such file; the first run has no --resume"),
        (["--resume", "monday.ndjson"], "monday.ndjson: it is no file of Sojourn's"),
        (["--resume", "torn.snap"], "torn.snap: it ends within frame"),
        (["--resume", "of-taps.snap"], "of-taps.snap: its sessions are of tenant `taps`, not of `clicks`"),
        (["--resume", "of-ender.snap"], "its sessions are of `time.policy: ender`, and mean nothing to `gap`"),
        (["--snapshot", "no/such/folder/open.snap"], "no/such/folder/open.snap: the snapshot was not written: No such"),
    ],
)
def test_usage_errors(sojourn: Run, tenant: Path, options: list[str], message: str) -> None:
    for name, other in {
        "clicks": TENANT,
        "taps": TENANT.replace("clicks", "taps", 1),
        "ender": TENANT.replace("profiles:", "time: {policy: ender}\nprofiles:"),
    }.items():
        Path(f"{name}.yaml").write_text(other)
        sojourn("replay", f"{name}.yaml", "monday.ndjson", "-q", "--snapshot", f"of-{name}.snap")
    Path("torn.snap").write_bytes(Path("of-clicks.snap").read_bytes()[:-100])
    result = sojourn("replay", tenant, "tuesday.ndjson", *options)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize("option", ["--snapshot", "--resume"])
def test_several_tenants_are_refused(sojourn: Run, project: Path, option: str) -> None:
    result = sojourn("replay", project / "tests" / "cli" / "tenants", "-", option, "open.snap", stdin=b"")
    assert result.exit_code == 2
    assert "--snapshot and --resume are for one tenant" in result.stderr
