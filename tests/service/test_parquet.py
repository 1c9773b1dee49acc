"""Ended sessions as Parquet files: typed, by day, each session in exactly one of them, also after a crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from runtime.config import load_tenant
from runtime.config.connectors import ParquetConfig
from runtime.rules import TenantRules, compile_tenant
from runtime.service.columns import ColumnKind, Tables, fitting
from runtime.service.parquet_delivery import ParquetDelivery
from runtime.service.parquet_files import ParquetFiles

from .running import START_MS, TENANT, Running, click, wait_for

RULES = """\
@UpdateCounter('clicks') select 1 from Click;
@UpdateMetadata select page as landing from Click(session.eventCount = 1);
@DecorateEvent select session.int('clicks') as clicks, session.int('clicks') > 1 as many, 0.5 as half from VisitEnd;
"""
SHOP: dict[str, Any] = {**TENANT, "profiles": [{**TENANT["profiles"][0], "rules_text": RULES, "sub_sessions": []}]}


@pytest.fixture
def writing(serve: Callable[..., Running]) -> Callable[..., Running]:
    """Starts a service that writes Parquet."""

    def start(how: str = "rows: 2") -> Running:
        return serve(SHOP, service=f"tenants: [{{name: shop, parquet: {{{how}}}}}]")

    return start


@pytest.fixture
def rules(tmp_path: Path) -> TenantRules:
    folder = tmp_path / "tenant"
    folder.mkdir()
    (folder / "sessionizer.yaml").write_text(json.dumps(SHOP))
    return compile_tenant(load_tenant(folder))


def files_of(running: Running, table: str = "VisitEnd") -> list[Path]:
    """The files of a table."""
    return sorted((running.state / "parquet" / "shop" / table).rglob("*.parquet"))


def test_one_line_of_duckdb(writing: Callable[..., Running]) -> None:
    running = writing()
    running.send([click("ann", page="home"), click("ann"), click("bob", page="shop")])
    running.now_ms += 60_000
    wait_for(lambda: files_of(running))
    table = running.state / "parquet" / "shop" / "VisitEnd"
    found = duckdb.sql(
        f"select landing, _snec, clicks, many, half, _sndn, _snrs, epoch_ms(_snst), day::text "
        f"from '{table}/**/*.parquet' order by landing"
    ).fetchall()
    assert found == [
        ("home", 2, 2, True, 0.5, 0, "gap", START_MS, "2026-01-05"),
        ("shop", 1, 1, False, 0.5, 0, "gap", START_MS, "2026-01-05"),
    ]


def test_columns_have_types(writing: Callable[..., Running]) -> None:
    running = writing()
    running.send([click("ann"), click("bob")])
    running.now_ms += 60_000
    (file,) = wait_for(lambda: files_of(running))
    types = {field.name: str(field.type) for field in pq.read_schema(file)}
    assert types == {
        "_snid": "string",
        "_snst": "timestamp[ms, tz=UTC]",
        "_snmk": "string",
        "_snet": "timestamp[ms, tz=UTC]",
        "_sndn": "int64",
        "_snec": "int64",
        "_snrs": "string",
        "_snut": "timestamp[ms, tz=UTC]",
        "landing": "string",
        "clicks": "int64",
        "many": "bool",
        "half": "double",
        "_rest": "string",
    }


def test_events_too(writing: Callable[..., Running]) -> None:
    running = writing("events: true")
    running.send([click("ann", n=7, more=[1, 2]), click("bob", n=None), {"_type": "Unknown", "a": 1}])
    running.stop()
    (events,) = files_of(running, "Click")
    rows = pq.read_table(events, partitioning=None).to_pylist()
    assert [(row["user"], row["n"], row["_rest"]) for row in rows] == [
        ("ann", 7, '{"more":[1,2]}'),
        ("bob", None, None),
    ]
    (other,) = files_of(running, "_other")
    assert json.loads(pq.read_table(other, partitioning=None).to_pylist()[0]["line"])["a"] == 1
    assert len(files_of(running, "VisitBegin")) == 1


def test_a_few_lines_wait_and_a_stop_writes_them(writing: Callable[..., Running]) -> None:
    running = writing()
    running.send([click("ann")])
    running.now_ms += 60_000
    wait_for(lambda: running.get("")["ended_sessions"] == 1)
    assert files_of(running) == []
    assert running.stop() == 0
    assert len(files_of(running)) == 1


def test_an_old_line_is_written(writing: Callable[..., Running]) -> None:
    running = writing("age: 50ms")
    running.send([click("ann")])
    running.now_ms += 60_000
    wait_for(lambda: files_of(running))


def test_a_disk_that_takes_nothing_is_tried_again(writing: Callable[..., Running]) -> None:
    running = writing()
    folder = running.state / "parquet"
    folder.write_text("in the way")
    running.send([click("ann"), click("bob")])
    running.now_ms += 60_000
    wait_for(lambda: "it cannot be written" in (running.get("")["problem"] or ""))
    folder.unlink()
    wait_for(lambda: files_of(running))
    wait_for(lambda: running.get("")["state"] == "running")


# ---- exactly once


def marker(user: str) -> bytes:
    """A line that ends a session."""
    return json.dumps({"_type": "VisitEnd", "_snid": user, "_snst": START_MS}).encode()


def sessions(folder: Path) -> list[str]:
    """The sessions of all files."""
    files = sorted(folder.rglob("*.parquet"))
    return [row["_snid"] for file in files for row in pq.read_table(file, partitioning=None).to_pylist()]


def test_files_that_are_half_written_are_not_there(rules: TenantRules, tmp_path: Path) -> None:
    folder = tmp_path / "parquet"
    folder.mkdir()
    (folder / "0.part").write_bytes(b"PAR1, and then it was killed")
    delivery = ParquetDelivery(rules, ParquetConfig(), folder, lambda: None)
    assert delivery.resume(5) == 5
    assert list(folder.iterdir()) == []


def test_files_that_are_whole_get_their_names(
    rules: TenantRules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "parquet"
    files = ParquetFiles(folder, Tables(rules, events=False))

    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("runtime.service.parquet_files.os.rename", killed)
        files.write([marker("ann"), marker("bob")], 12)
    assert sessions(folder) == []
    delivery = ParquetDelivery(rules, ParquetConfig(), folder, lambda: None)
    assert sessions(folder) == ["ann", "bob"]
    assert delivery.resume(10) == 12, "they are not wanted again"
    assert delivery.taken == 12


def test_what_was_written_is_not_written_again(rules: TenantRules, tmp_path: Path) -> None:
    files = ParquetFiles(tmp_path, Tables(rules, events=False))
    files.write([marker("ann")], 1)
    files.write([marker("bob")], 2)
    assert sessions(tmp_path) == ["ann", "bob"]
    assert ParquetFiles(tmp_path, Tables(rules, events=False)).finish() == 2
    assert sessions(tmp_path) == ["ann", "bob"]


def test_lines_that_go_to_no_table_wait_for_nobody(writing: Callable[..., Running]) -> None:
    running = writing()
    running.send([click("ann"), click("bob")])
    (delivery, _) = running.service.host.tenants["shop"].deliveries
    assert (delivery.waiting_bytes, delivery.taken, delivery.waiting_lines()) == (0, 4, [])
    running.now_ms += 15_000
    wait_for(lambda: delivery.taken == 6)
    assert len(files_of(running)) == 1


# ---- values


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("a", ColumnKind.TEXT, "a"),
        (1, ColumnKind.TEXT, None),
        (True, ColumnKind.WHOLE, None),
        (1 << 63, ColumnKind.WHOLE, None),
        (1, ColumnKind.FRACTION, 1.0),
        (10**400, ColumnKind.FRACTION, None),
        (1, ColumnKind.SWITCH, None),
        (START_MS, ColumnKind.TIME, START_MS),
        ("2026-01-05T08:00:00Z", ColumnKind.TIME, START_MS),
        ("2026-01-05T08:00:00", ColumnKind.TIME, START_MS),
        (1 << 60, ColumnKind.TIME, None),
        ("soon", ColumnKind.TIME, None),
        ({"a": [1]}, ColumnKind.JSON, '{"a":[1]}'),
    ],
)
def test_a_value_of_another_kind_does_not_fit(value: Any, kind: ColumnKind, expected: Any) -> None:
    assert fitting(value, kind) == expected


def test_what_does_not_fit_stands_in_the_rest(rules: TenantRules) -> None:
    tables = Tables(rules, events=True)
    row = tables.row("Click", {"user": 7, "n": 1, "cart": None, "odd": "x"})
    assert row == {"n": 1, "_rest": '{"user":7,"odd":"x"}'}
