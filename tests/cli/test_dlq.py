"""`sojourn dlq`: letters counted, shown with the place that the reason names, explained, and replayed."""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st

from runtime.cli.offending import offending
from runtime.io import CODES

Run = Callable[..., Result]

TENANT = """\
tenant: clicks
events: {Click: {user: string, at: long, n: int}}
controller_text: "@Session('Visit') select user as _pk_, at as _timestamp_ from Click;"
profiles:
  - {name: Visit, type: 1, gap: 10s, end_marker: End, rules_text: "@DecorateEvent select n as m from Click;"}
"""
EVENTS = b"""\
{"user":"a","at":1000}
{"user":"a","at":2000,"n":"7"}
{"user":"b","at":2500,"n":{"much":1}}
nonsense
{"user":"\xff","at":4000}
"""


def letter(**more: Any) -> bytes:
    """A line of a file of dead letters."""
    common = {"reason": "why", "code": "bad_type", "tenant": "clicks", "source": "in.ndjson", "line": 3, "raw": "{}"}
    return json.dumps({**common, **more}).encode() + b"\n"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def folder(sojourn: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a tenant in `clicks/`, and the dead letters of a replay in `dead.ndjson`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clicks").mkdir()
    (tmp_path / "clicks" / "sessionizer.yaml").write_text(TENANT)
    (tmp_path / "events.ndjson").write_bytes(EVENTS)
    result = sojourn("replay", "clicks", "events.ndjson", "--dead-letters", "dead.ndjson")
    assert "sojourn dlq show dead.ndjson" in result.stdout
    return tmp_path


def mend(folder: Path) -> None:
    """Declares the field as it comes."""
    path = folder / "clicks" / "sessionizer.yaml"
    path.write_text(path.read_text().replace("n: int", "n: object"))


# ---- ls


def test_ls(sojourn: Run, folder: Path) -> None:
    result = sojourn("dlq", "ls", "dead.ndjson")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["tenant", "code", "source", "letters", "first", "line", "last", "line"],
        ["clicks", "bad_json", "events.ndjson", "2", "4", "5"],
        ["clicks", "bad_type", "events.ndjson", "2", "2", "3"],
    ]


def test_ls_as_json(sojourn: Run, folder: Path) -> None:
    (folder / "more.ndjson.gz").write_bytes(gzip.compress(letter() + letter(line=9)))
    found = json.loads(sojourn("dlq", "ls", "dead.ndjson", "more.ndjson.gz", "--format", "json").stdout)
    assert found[-1] == {
        "tenant": "clicks",
        "code": "bad_type",
        "source": "in.ndjson",
        "letters": 2,
        "first_line": 3,
        "last_line": 9,
    }
    assert sum(each["letters"] for each in found) == 6


@pytest.mark.parametrize("command", ["ls", "show"])
def test_a_torn_line(sojourn: Run, folder: Path, command: str) -> None:
    (folder / "torn.ndjson").write_bytes(letter() + letter()[:40])
    result = sojourn("dlq", command, "torn.ndjson")
    assert result.exit_code == 1
    assert "torn.ndjson:2: it is no dead letter: Input data was truncated (was its writer stopped?)" in result.stderr
    assert "in.ndjson" in result.stdout


def test_a_file_of_something_else(sojourn: Run, folder: Path) -> None:
    result = sojourn("dlq", "ls", "events.ndjson")
    assert result.exit_code == 2
    assert "events.ndjson:1: it is no dead letter" in result.stderr
    assert "and 2 more lines" in result.stderr
    assert "no dead letters; they are what --dead-letters FILE writes" in result.stderr


def test_no_letters(sojourn: Run, folder: Path) -> None:
    (folder / "none.ndjson").write_bytes(b"")
    for command in ("ls", "show"):
        result = sojourn("dlq", command, "none.ndjson")
        assert (result.exit_code, "dead letters" in result.stdout) == (0, True)


# ---- show


def test_show_marks_the_place(sojourn: Run, folder: Path) -> None:
    result = sojourn("dlq", "show", "dead.ndjson", "--line", "2")
    assert result.stdout.splitlines() == [
        "events.ndjson:2  bad_type  clicks",
        "  Expected `int | null`, got `str` - at `$.n`",
        '    {"user":"a","at":2000,"n":"7"}',
        "                              ^^^",
    ]


def test_show_chooses(sojourn: Run, folder: Path) -> None:
    (folder / "more.ndjson").write_bytes(b"".join(letter(line=n, tenant=f"t{n % 2}") for n in range(50)))
    shown = sojourn("dlq", "show", "more.ndjson").stdout
    assert (shown.count("in.ndjson:"), "30 more" in shown) == (20, True)
    assert sojourn("dlq", "show", "more.ndjson", "--tenant", "t1", "--limit", "0").stdout.count("in.ndjson:") == 25
    assert sojourn("dlq", "show", "dead.ndjson", "--code", "late").stdout == "no such dead letters\n"
    found = json.loads(sojourn("dlq", "show", "dead.ndjson", "--line", "3", "--format", "json").stdout)
    assert [(each["event"], each["place"]) for each in found] == [
        ('{"user":"b","at":2500,"n":{"much":1}}', {"from": 26, "to": 36})
    ]


def test_show_what_is_long_or_cut(sojourn: Run, folder: Path) -> None:
    raw = '{"n":"' + "x" * 5000 + '","m":true}'
    far = letter(raw=raw, reason="Expected `int`, got `bool` - at `$.m`")
    (folder / "long.ndjson").write_bytes(far + letter(raw="{", raw_bytes=70_000, code="too_long"))
    shown = sojourn("dlq", "show", "long.ndjson").stdout
    assert "characters before" in shown
    assert "^^^^" in shown
    assert "cut: the event has 70,000 bytes, the letter 1" in shown


@pytest.mark.parametrize(
    ("reason", "raw", "marked"),
    [
        ("Expected `int`, got `str` - at `$.n`", b'{"m":1, "n" : "7" }', b'"7"'),
        ("x - at `$.p.q`", b'{"q":1,"p":{"x":[{}],"q":[1,2]}}', b"[1,2]"),
        ("x - at `$.a[...]`", b'{"a":[1,"2"]}', b'[1,"2"]'),
        ("x - at `$.a[0].b`", b'{"a":[{"b":1}]}', b'[{"b":1}]'),
        ("x - at `$.n`", b'{"n":1,"n":2}', b"2"),
        ("x - at `$.n`", b'{"\\"n":1,"s":"}","n":null}', b"null"),
        ("JSON is malformed: invalid character (byte 2)", b"{ x}", b"x"),
        ("'utf-8' codec can't decode byte 0xff in position 0: invalid start byte", b'{"a":"\xff"}', b"\xff"),
        ("Input data was truncated", b'{"a":', b":"),
        ("x - at `$.n`", b'{"m":1}', None),
        ("x - at `$.n`", b'{"n":', None),
        ("x (byte 70)", b"{}", None),
        ("no place", b"{}", None),
    ],
)
def test_offending(reason: str, raw: bytes, marked: bytes | None) -> None:
    place = offending(reason, raw)
    assert (None if place is None else raw[slice(*place)]) == marked


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5), lambda v: st.lists(v) | st.dictionaries(st.text(max_size=3), v)
)


@given(st.dictionaries(st.sampled_from(["a", "b", "n"]), JSON), st.sampled_from([None, 2]))
def test_the_place_is_the_value(event: dict[str, Any], indent: int | None) -> None:
    raw = json.dumps(event, indent=indent, ensure_ascii=False).encode()
    for name, value in event.items():
        place = offending(f"x - at `$.{name}`", raw)
        assert place is not None
        assert json.loads(raw[slice(*place)]) == value


@given(st.text(), st.binary())
def test_any_reason_and_event(reason: str, raw: bytes) -> None:
    for each in (reason, f"at `$.{reason}`", f"(byte {len(reason)})"):
        place = offending(each, raw)
        assert place is None or 0 <= place[0] < place[1] <= len(raw)


# ---- codes


def test_codes(sojourn: Run) -> None:
    text = sojourn("dlq", "codes").stdout
    assert all(each.code in text and each.meaning in text for each in CODES)
    found = json.loads(sojourn("dlq", "codes", "--format", "json").stdout)
    assert [each["code"] for each in found] == [each.code for each in CODES]


def test_reference(sojourn: Run, tmp_path: Path) -> None:
    assert sojourn("reference", "--out", tmp_path).exit_code == 0
    assert all(f"`{each.code}`" in (tmp_path / "dead-letters.md").read_text() for each in CODES)
    assert "## sojourn dlq replay\n" in (tmp_path / "cli.md").read_text()


# ---- replay


def test_replay_after_mending(sojourn: Run, folder: Path) -> None:
    """What is accepted leaves; what is refused again keeps its source and line."""
    before = lines(folder / "dead.ndjson")
    mend(folder)
    arguments = ("dlq", "replay", "dead.ndjson", "clicks", "--out", "out.ndjson", "--dead-letters", "still.ndjson")
    result = sojourn(*arguments)
    assert result.exit_code == 1
    assert "2 events accepted of 4 replayed" in result.stdout
    assert "2 refused again" in result.stdout
    assert "sojourn dlq show still.ndjson" in result.stdout
    assert lines(folder / "still.ndjson") == [each for each in before if each["line"] in (4, 5)]
    assert [each["at"] for each in lines(folder / "out.ndjson") if "at" in each] == [2000, 2500]


def test_replay_without_mending_changes_nothing(sojourn: Run, folder: Path) -> None:
    assert sojourn("dlq", "replay", "dead.ndjson", "clicks", "--dead-letters", "still.ndjson").exit_code == 1
    assert (folder / "still.ndjson").read_bytes() == (folder / "dead.ndjson").read_bytes()


def test_replay_of_bytes(sojourn: Run, folder: Path) -> None:
    raw = json.dumps({"user": "é", "at": 1}).encode()
    packed = letter(raw=None, raw_base64=base64.b64encode(raw).decode())
    several_lines = letter(raw='{\n  "user": "a",\r\n  "at": 2\n}')
    (folder / "bytes.ndjson").write_bytes(packed + several_lines)
    result = sojourn("dlq", "replay", "bytes.ndjson", "clicks", "--out", "out.ndjson")
    assert result.exit_code == 0, result.output
    assert [each["user"] for each in lines(folder / "out.ndjson") if "at" in each] == ["é", "a"]


def test_replay_keeps_what_cannot_be_replayed(sojourn: Run, folder: Path) -> None:
    refused = letter(raw="{", line=1)
    cut, other = letter(raw="{", raw_bytes=70_000, code="too_long"), letter(tenant="shop", line=8)
    (folder / "some.ndjson").write_bytes(refused + cut + other + letter(raw='{"user":"a","at":1}'))
    arguments = ("dlq", "replay", "some.ndjson", "clicks", "--dead-letters", "still.ndjson")
    result = sojourn(*arguments)
    assert result.exit_code == 1
    assert "1 events accepted of 2 replayed" in result.stdout
    assert "1 cannot be replayed: the letter holds only the head" in result.stdout
    assert "in.ndjson:8: bad_type of shop" in result.stdout
    assert [each["line"] for each in lines(folder / "still.ndjson")] == [1, 3, 8]
    found = json.loads(sojourn(*arguments, "--format", "json").stdout)
    assert (found["accepted"], found["refused_again"]) == (1, 1)
    assert found["cut"] == [{"source": "in.ndjson", "line": 3, "code": "too_long"}]
    assert [each["tenant"] for each in found["of_other_tenants"]] == ["shop"]


def test_replay_of_events_without_a_tenant(sojourn: Run, folder: Path) -> None:
    """A tenant that was added since, and an event that still names none."""
    raw = '{"tenant":"clicks","user":"a","at":1}'
    unknown = {"code": "unknown_tenant"}
    added = letter(tenant="clicks", raw=raw, **unknown) + letter(tenant="", raw=raw, **unknown)
    still = letter(tenant="", raw='{"user":"a"}', line=5, **unknown) + letter(tenant="", raw="{", line=6)
    (folder / "some.ndjson").write_bytes(added + still)
    result = sojourn("dlq", "replay", "some.ndjson", ".", "--dead-letters", "still.ndjson")
    assert result.exit_code == 1
    assert "2 events accepted of 4 replayed" in result.stdout
    remain = [(each["line"], each["code"]) for each in lines(folder / "still.ndjson")]
    assert remain == [(5, "unknown_tenant"), (6, "bad_json")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ls"], "Missing argument"),
        (["ls", "no-such-file"], "no-such-file: there is no such file"),
        (["replay", "dead.ndjson", "clicks", "--dead-letters", "dead.ndjson"], "write to another file"),
        (["replay", "dead.ndjson", "clicks", "--out", "./dead.ndjson"], "write to another file"),
        (["replay", "dead.ndjson", "clicks", "--now-field", "user"], "a clock is a long"),
        (["show", "dead.ndjson", "--limit", "-1"], "--limit"),
    ],
)
def test_usage_errors(sojourn: Run, folder: Path, arguments: list[str], message: str) -> None:
    result = sojourn("dlq", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["ls", "show", "replay", "codes"])
def test_help_has_examples(sojourn: Run, command: str) -> None:
    result = sojourn("dlq", command, "--help")
    assert f"sojourn dlq {command}" in result.stdout.split("Examples:")[1]


def test_letters_of_any_bytes_are_refused_again_as_they_were(sojourn: Run, folder: Path) -> None:
    raws = [os.urandom(20).replace(b"\n", b"x").replace(b"\r", b"x") for _ in range(50)]
    (folder / "raw.ndjson").write_bytes(b"\n".join(b"\xff" + raw for raw in raws))
    sojourn("replay", "clicks", "raw.ndjson", "--dead-letters", "first.ndjson")
    sojourn("dlq", "replay", "first.ndjson", "clicks", "--dead-letters", "second.ndjson")
    assert (folder / "second.ndjson").read_bytes() == (folder / "first.ndjson").read_bytes()
    assert len([msgspec.json.decode(line) for line in (folder / "first.ndjson").read_bytes().splitlines()]) == 50
