"""`sojourn replay`: what it prints and writes, and how it fails."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from click.testing import Result

from runtime.io import open_source

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
      @Name('clicks') @UpdateCounter('clicks') select 1 from Click(kind = 'click');
      @DecorateEvent select session.int('clicks') as clicks from VisitEnd;
"""
EVENTS = b"""\
{"user":"a","at":1000,"kind":"click"}
{"user":"b","at":2000}
{"user":"a","at":5000,"kind":"click"}
{"at":6000}
{"user":"a","at":60000}
"""


@pytest.fixture
def tenant(tmp_path: Path) -> Path:
    (tmp_path / "sessionizer.yaml").write_text(TENANT)
    (tmp_path / "events.ndjson").write_bytes(EVENTS)
    return tmp_path


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_writes_events_and_markers_in_order(sojourn: Run, tenant: Path) -> None:
    out = tenant / "out.ndjson"
    result = sojourn("replay", tenant, tenant / "events.ndjson", "--out", out)
    assert result.exit_code == 0, result.output
    assert [line.get("_type", "event") for line in lines(out)] == [
        *("VisitBegin", "event", "VisitBegin", "event", "event", "event"),
        *("VisitEnd", "VisitEnd", "VisitBegin", "event", "VisitEnd"),
    ]
    ends = [line for line in lines(out) if line.get("_type") == "VisitEnd"]
    assert [(end["_snst"], end["_snet"], end["_snec"], end.get("clicks")) for end in ends] == [
        (2000, 2000, 1, None),
        (1000, 5000, 2, 2),
        (60000, 60000, 1, None),
    ]


def test_markers_only(sojourn: Run, tenant: Path) -> None:
    out = tenant / "out.ndjson.gz"
    assert sojourn("replay", tenant, tenant / "events.ndjson", "--out", out, "--markers-only").exit_code == 0
    found = [json.loads(line)["_type"] for line in gzip.decompress(out.read_bytes()).splitlines()]
    assert found == ["VisitBegin", "VisitBegin", "VisitEnd", "VisitEnd", "VisitBegin", "VisitEnd"]


def test_stdin_to_stdout_keeps_the_summary_apart(sojourn: Run, tenant: Path) -> None:
    result = sojourn("replay", tenant, "-", "--out", "-", stdin=EVENTS)
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 11
    assert all(line.startswith("{") for line in result.stdout.splitlines())
    assert "sessions of Visit" in result.stderr


def test_summary(sojourn: Run, tenant: Path) -> None:
    result = sojourn("replay", tenant, tenant / "events.ndjson")
    assert result.exit_code == 0
    for shown in ("clicks: 5 events", "ok", "bypassed", "3 by gap", "one event", "clicks", "events/s"):
        assert shown in result.stdout
    assert "\x1b[" not in result.stdout


def test_summary_as_json(sojourn: Run, tenant: Path) -> None:
    summary = json.loads(sojourn("replay", tenant, tenant / "events.ndjson", "--format", "json").stdout)
    assert summary["events"] == {"ok": 4, "bypassed": 1}
    assert summary["sessions"]["Visit"]["created"] == 3
    assert summary["sessions"]["Visit"]["ended"] == {"gap": 3}
    assert summary["sessions"]["Visit"]["max_interval_ms"] == 4_000
    assert {"rule": "clicks", "matches": 2} in summary["rules"]


def test_summary_of_events_that_arrive_late(sojourn: Run, tenant: Path) -> None:
    arrived = b'{"user":"a","at":1000,"now":31000}\n{"user":"b","at":52000,"now":62000}\n'
    options = ("replay", tenant, "-", "--now-field", "now")
    assert "mean 20.0 s, longest 30.0 s" in sojourn(*options, stdin=arrived).stdout
    (visit,) = json.loads(sojourn(*options, "--format", "json", stdin=arrived).stdout)["sessions"].values()
    assert (visit["total_lag_ms"], visit["max_lag_ms"]) == (40_000, 30_000)
    # Due at 41 s and 72 s, ended by the tick after it.
    assert (visit["total_expiry_delay_ms"], visit["max_expiry_delay_ms"]) == (2_000, 1_000)


def test_refused_lines_are_counted_and_written(sojourn: Run, tenant: Path) -> None:
    letters = tenant / "dead.ndjson"
    bad = b'{"user":"a","at":1}\n{"user":1,"at":2}\nnot json\n\n{"user":"a","at":3}\n'
    result = sojourn("replay", tenant, "-", "--dead-letters", letters, stdin=bad)
    assert result.exit_code == 0
    assert "2 events refused" in result.stdout
    summary = json.loads(sojourn("replay", tenant, "-", "--format", "json", stdin=bad).stdout)
    assert summary["events"] == {"ok": 2, "invalid": 2}
    assert [(line["line"], line["code"]) for line in lines(letters)] == [(2, "bad_type"), (3, "bad_json")]
    assert lines(letters)[1]["raw"] == "not json"


def test_events_out_of_order(sojourn: Run, tenant: Path) -> None:
    shuffled = b"".join(reversed(EVENTS.splitlines(keepends=True)))
    result = sojourn("replay", tenant, "-", stdin=shuffled)
    assert "--sort" in result.stdout
    sorted_ = json.loads(sojourn("replay", tenant, "-", "--sort", "--format", "json", stdin=shuffled).stdout)
    assert sorted_["sessions"]["Visit"]["created"] == 3


def test_now_field(sojourn: Run, tenant: Path) -> None:
    """All events arrive within one gap, whatever their own times say."""
    arrived = b'{"user":"a","at":1000,"now":50}\n{"user":"a","at":99000,"now":60}\n'
    result = sojourn("replay", tenant, "-", "--now-field", "now", "--format", "json", stdin=arrived)
    assert json.loads(result.stdout)["sessions"]["Visit"]["created"] == 1


def test_several_files_are_one_stream(sojourn: Run, tenant: Path) -> None:
    first, second = tenant / "1.ndjson", tenant / "2.csv"
    first.write_bytes(b'{"user":"a","at":1000}\n')
    second.write_text("user,at,kind\na,2000,click\n")
    result = sojourn("replay", tenant, first, second, "--format", "json")
    assert json.loads(result.stdout)["sessions"]["Visit"]["created"] == 1


def test_a_pattern_takes_files_in_the_order_of_their_numbers(sojourn: Run, tenant: Path) -> None:
    for day, at in ((2, 1000), (10, 9000)):
        (tenant / f"day-{day}.ndjson.zst").write_bytes(zstandard.compress(b'{"user":"a","at":%d}\n' % at))
    out = tenant / "out.ndjson.zst"
    result = sojourn("replay", tenant, tenant / "day-*.zst", "--out", out, "--markers-only", "--format", "json")
    summary = json.loads(result.stdout)
    assert (summary["sessions"]["Visit"]["created"], summary["sessions"]["Visit"]["max_interval_ms"]) == (1, 8000)
    with open_source(str(out)) as source:
        assert [json.loads(line)["_type"] for block in source for line in block.lines] == ["VisitBegin", "VisitEnd"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["replay"], "Missing argument"),
        (["replay", "no-such-tenant", "-"], "no-such-tenant"),
        (["replay", "{tenant}", "no-such-file.ndjson"], "no-such-file.ndjson"),
        (["replay", "{tenant}", "-", "--now-field", "user"], "`Click.user` is string; a clock is a long"),
        (["replay", "{tenant}", "{tenant}/events.ndjson", "--out", "/no/such/folder/out"], "/no/such/folder/out"),
    ],
)
def test_usage_errors(sojourn: Run, tenant: Path, arguments: list[str], message: str) -> None:
    result = sojourn(*(argument.format(tenant=tenant) for argument in arguments), stdin=b"")
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_rules_without_a_time(sojourn: Run, tenant: Path) -> None:
    yaml = (tenant / "sessionizer.yaml").read_text().replace(", at as _timestamp_", "")
    (tenant / "sessionizer.yaml").write_text(yaml)
    result = sojourn("replay", tenant, tenant / "events.ndjson")
    assert result.exit_code == 2
    assert "--time-field" in result.stderr
    assert sojourn("replay", tenant, tenant / "events.ndjson", "--time-field", "at").exit_code == 0


def test_rules_with_mistakes(sojourn: Run, tenant: Path) -> None:
    yaml = (tenant / "sessionizer.yaml").read_text().replace("kind = 'click'", "kin = 'click'")
    (tenant / "sessionizer.yaml").write_text(yaml)
    result = sojourn("replay", tenant, tenant / "events.ndjson")
    assert result.exit_code == 1
    assert "did you mean `kind`?" in result.stderr


def test_a_defect_of_ours_is_a_message(sojourn: Run, tenant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("oops")

    monkeypatch.setattr("runtime.cli.replay.load_tenant", broken)
    result = sojourn("replay", tenant, "-", stdin=b"")
    assert result.exit_code == 2
    assert "internal error: KeyError" in result.stderr
    assert "Traceback" not in result.stderr
