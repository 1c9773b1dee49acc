"""`sojourn replay --workers`: as one process would do it, and what happens when a process is lost."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]

TENANT = """\
tenant: clicks
events: {Click: {user: string, at: long, kind: string}}
controller_text: "@Session('Visit') select user as _pk_, at as _timestamp_ from Click(user is not null)"
limits: {max_line: 200}
profiles:
  - name: Visit
    type: 1
    gap: 10s
    end_marker: VisitEnd
    rules_text: |
      @Name('clicks') @UpdateCounter('clicks') select 1 from Click(kind = 'click');
      @DecorateEvent select session.int('clicks') as clicks from VisitEnd;
"""
LINES = 4000


def event(number: int) -> bytes:
    if number % 997 == 0:
        return b"{nonsense"
    if number % 1009 == 0:
        return json.dumps({"user": "long" * 100}).encode()
    user = f"user {number * 7 % 101 % (1 + number % 13)}"
    return json.dumps({"user": user, "at": 1_000_000 + number * 500, "kind": "click"}).encode()


@pytest.fixture
def tenant(tmp_path: Path) -> Path:
    (tmp_path / "sessionizer.yaml").write_text(TENANT)
    (tmp_path / "events.ndjson").write_bytes(b"".join(event(number) + b"\n" for number in range(1, LINES)))
    return tmp_path


def summary(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.output)
    for name in ("seconds", "events_per_second"):
        del found[name]
    return found


def test_all_is_as_from_one_process(sojourn: Run, tenant: Path) -> None:
    options = ("--format", "json", "--dead-letters", tenant / "letters.ndjson", "--out", tenant / "out.ndjson")
    found = []
    for workers in ("1", "2", "3"):
        source = tenant / "events.ndjson"
        told = summary(sojourn("replay", tenant, source, *options, "--workers", workers, "--ordered"))
        expected = {"asked": int(workers), "used": int(workers), "why": None, "redone": 0}
        assert told.pop("workers") == (None if workers == "1" else expected)
        letters = sorted((tenant / "letters.ndjson").read_bytes().splitlines())
        found.append((told, letters, (tenant / "out.ndjson").read_bytes()))
    assert found[0] == found[1] == found[2]
    assert not list(tenant.glob(".sojourn-*"))


def test_lines_in_any_order_are_the_same_lines(sojourn: Run, tenant: Path) -> None:
    one, two = tenant / "one.ndjson.gz", tenant / "two.ndjson.gz"
    for out, workers in ((one, "1"), (two, "2")):
        result = sojourn("replay", tenant, tenant / "events.ndjson", "--out", out, "--workers", workers)
        assert result.exit_code == 0, result.output
    lines = [gzip.decompress(out.read_bytes()).splitlines() for out in (one, two)]
    assert sorted(lines[0]) == sorted(lines[1])


def test_packed_files_are_shared_out(sojourn: Run, tenant: Path) -> None:
    lines = (tenant / "events.ndjson").read_bytes().splitlines(keepends=True)
    files = [tenant / f"{number}.ndjson.gz" for number in range(4)]
    for number, file in enumerate(files):
        file.write_bytes(gzip.compress(b"".join(lines[number * 1000 : number * 1000 + 1000])))
    options = ("--format", "json", "--dead-letters", tenant / "letters.ndjson", "--out", tenant / "out.ndjson")
    one = summary(sojourn("replay", tenant, *files, *options))
    of_one = [sorted((tenant / name).read_bytes().splitlines()) for name in ("letters.ndjson", "out.ndjson")]
    two = summary(sojourn("replay", tenant, *files, *options, "--workers", "2"))
    assert [sorted((tenant / name).read_bytes().splitlines()) for name in ("letters.ndjson", "out.ndjson")] == of_one
    assert two == {**one, "workers": {"asked": 2, "used": 2, "why": None, "redone": 0}}


def test_why_there_is_one_process(sojourn: Run, tenant: Path) -> None:
    (tenant / "sessionizer.yaml").write_text(TENANT.replace("max_line: 200", "rate: 100"))
    result = sojourn("replay", tenant, tenant / "events.ndjson", "--workers", "4")
    assert "one process, not 4: `limits.rate` counts the events of all sessions" in result.output
    result = sojourn("replay", tenant, tenant / "events.ndjson", "--workers", "4", "--sort")
    assert "one process, not 4: --sort puts all events into one order first" in result.output


def test_a_damaged_file_is_told_of_once(sojourn: Run, tenant: Path) -> None:
    lines = (tenant / "events.ndjson").read_bytes()
    whole, torn = tenant / "1.ndjson.gz", tenant / "2.ndjson.gz"
    whole.write_bytes(gzip.compress(lines))
    torn.write_bytes(gzip.compress(lines.replace(b'"at": 1', b'"at": 2').replace(b'"at": 2', b'"at": 4'))[:-400])
    result = sojourn("replay", tenant, whole, torn, "--workers", "2", "--out", tenant / "out.ndjson")
    assert result.exit_code == 2
    assert "2.ndjson.gz" in result.output
    assert "Traceback" not in result.output
    assert not (tenant / "out.ndjson").exists()
    assert not list(tenant.glob(".sojourn-*"))


def test_a_rule_that_fails_is_told_of_once(sojourn: Run, tenant: Path, caplog: pytest.LogCaptureFixture) -> None:
    failing = "@Name('fails') @UpdateState select 1 % (at % 500) as rest from Click;"
    (tenant / "sessionizer.yaml").write_text(TENANT.replace("rules_text: |\n", f"rules_text: |\n      {failing}\n"))
    result = sojourn("replay", tenant, tenant / "events.ndjson", "--workers", "3")
    assert "3 processes" in result.output
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["rule fails gave no row"]


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="nothing says who started a process")


@pytest.fixture
def endless(tenant: Path) -> Iterator[subprocess.Popen[str]]:
    """A replay by two workers that is at work as long as one wants: it has a lot to do."""
    lines = [b'{"user":"a","at":%d,"kind":"click"}\n' % number for number in range(0, 400_000_000, 500)]
    (tenant / "events.ndjson").write_bytes(b"".join(lines))
    # Who starts a process in the background may have it pass over an interrupt.
    start = "import signal as s; s.signal(s.SIGINT, s.default_int_handler); from runtime.cli import main; main()"
    command = [sys.executable, "-c", start, "replay", tenant, tenant / "events.ndjson", "--workers", "2"]
    process = subprocess.Popen(
        [*command, "--out", tenant / "out.ndjson"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.wait()


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """The two workers of a replay, once they are there."""
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None:
        found = [int(each) for each in path.read_text().split()]
        if len(found) == 2:
            return found
        time.sleep(0.01)
    raise AssertionError(process.communicate()[0])


@needs_proc
def test_a_worker_that_dies_is_an_error(endless: subprocess.Popen[str], tenant: Path) -> None:
    first, second = workers_of(endless)
    os.kill(second, signal.SIGKILL)
    told, _ = endless.communicate(timeout=60)
    assert endless.returncode == 2
    assert "the worker of part 2 of 2 is gone: signal SIGKILL ended it" in told
    assert "Traceback" not in told
    assert not Path(f"/proc/{first}").exists()
    assert not list(tenant.glob(".sojourn-*"))


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_the_command_stops_its_workers(
    endless: subprocess.Popen[str], tenant: Path, number: signal.Signals
) -> None:
    workers = workers_of(endless)
    os.killpg(endless.pid, number)
    told, _ = endless.communicate(timeout=60)
    assert endless.returncode != 0
    assert "Traceback" not in told
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    assert not list(tenant.glob(".sojourn-*"))


@pytest.mark.parametrize("out", ["out.ndjson", "-"])
def test_there_is_one_process_where_memory_is_short(sojourn: Run, tenant: Path, out: str) -> None:
    small = "cache: {block_size: 64, page_size: 4KiB, memory: 4KiB, hot: 10}\n"
    (tenant / "sessionizer.yaml").write_text(TENANT + small)
    place = out if out == "-" else tenant / out
    found = []
    for workers in ("1", "2"):
        result = sojourn("replay", tenant, tenant / "events.ndjson", "--out", place, "--quiet", "--workers", workers)
        assert result.exit_code == 0, result.output
        found.append(result.stdout_bytes if out == "-" else (tenant / out).read_bytes())
    assert found[0] == found[1]
    told = sojourn("replay", tenant, tenant / "events.ndjson", "--workers", "2")
    assert "one process, not 2: there are more sessions than there is memory for" in told.output
