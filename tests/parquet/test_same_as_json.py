"""A row gives the event that its line of JSON gives, whatever its columns are and its fields are declared as."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epl import types
from epl.layout import slot_name
from epl.types import Kind, Type
from runtime.event import BAD_LINE, EventDecoder
from runtime.row import RowDecoder, raw_line

pa = pytest.importorskip("pyarrow", reason="Parquet needs the extra parquet")
pq = pytest.importorskip("pyarrow.parquet")

from runtime.parquet import read_lines, read_rows  # noqa: E402 - wants pyarrow

TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))
COLUMNS: dict[Any, st.SearchStrategy[Any]] = {
    pa.string(): st.text(max_size=4),
    pa.large_string(): st.text(max_size=4),
    pa.dictionary(pa.int32(), pa.string()): st.sampled_from(["view", "click", "ü"]),
    # What is no UTF-8 has no line: it is refused, and tested apart.
    pa.binary(): st.text(max_size=3).map(str.encode),
    pa.binary(2): st.text("abc", min_size=2, max_size=2).map(str.encode),
    pa.int8(): st.integers(-(2**7), 2**7 - 1),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float32(): st.floats(width=32),
    pa.float64(): st.floats(),
    pa.bool_(): st.booleans(),
    pa.decimal128(20, 2): st.decimals(-(10**9), 10**9, places=2, allow_nan=False),
    pa.date32(): st.dates(date(1, 1, 1)),
    pa.timestamp("ms"): TIMES.map(lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000)),
    pa.timestamp("us", "UTC"): TIMES.map(lambda time: time.replace(tzinfo=UTC)),
    pa.timestamp("us", "Europe/Berlin"): TIMES.map(lambda time: time.replace(tzinfo=UTC)),
    pa.timestamp("ns"): TIMES,
    pa.list_(pa.int64()): st.lists(st.integers(-5, 5) | st.none(), max_size=2),
    pa.list_(pa.string()): st.lists(st.text(max_size=2), max_size=2),
    pa.struct([("a", pa.int64()), ("b", pa.string())]): st.fixed_dictionaries({"a": st.integers(0, 9), "b": st.none()}),
    pa.map_(pa.string(), pa.float64()): st.dictionaries(st.text(max_size=2), st.floats(0, 1), max_size=2),
    pa.null(): st.none(),
}
KINDS = [Type(kind) for kind in Kind if kind not in (Kind.ARRAY, Kind.NULL, Kind.EVENT)]
DECLARED = [*KINDS, Type(Kind.ARRAY, types.LONG), Type(Kind.ARRAY, types.STRING)]


def events_and_lines(path: Path, fields: dict[str, dict[str, Type]], wants_lines: bool) -> list[tuple[Any, bytes]]:
    """The event of each row as the engine sees it, or why there is none; and the row's line."""
    lines = EventDecoder(fields, "_type")
    decoder = RowDecoder(lines)
    declared = {name: type_ for types_ in fields.values() for name, type_ in types_.items()}
    found = []
    for block in read_rows(str(path), lines, declared, wants_lines=wants_lines):
        for number, row in enumerate(block.rows, block.first_row):
            try:
                event = decoder.decode(row)
            except BAD_LINE as error:
                event = decoder.explain(row, error, number)
            found.append((event, raw_line(row)))
    return found


def of_lines(raw: Sequence[bytes], fields: dict[str, dict[str, Type]]) -> list[Any]:
    """The same of lines."""
    decoder = EventDecoder(fields, "_type")
    found: list[Any] = []
    for number, line in enumerate(raw, 1):
        try:
            found.append(decoder.decode(line))
        except BAD_LINE as error:
            found.append(decoder.explain(line, error, number))
    return found


def shown(events: Sequence[Any]) -> list[str]:
    """Events of two decoders are of two classes that look the same; 1, 1.0 and True do not."""
    return [repr(event) for event in events]


@given(st.data(), st.sampled_from(list(COLUMNS)), st.sampled_from(DECLARED), st.booleans())
def test_an_event_of_a_row_is_that_of_its_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, column: Any, type_: Type, wants_lines: bool
) -> None:
    values = data.draw(st.lists(COLUMNS[column] | st.none(), max_size=5))
    path = tmp_path_factory.mktemp("parquet") / "rows"
    pq.write_table(pa.table({"f": pa.array(values, column), "beside": [*range(len(values))]}), path)
    fields = {"E": {"f": type_}}
    found = events_and_lines(path, fields, wants_lines)
    assert shown([event for event, _ in found]) == shown(of_lines([line for _, line in found], fields))


NAMES = st.sampled_from(["A", "B", "C", None])


@given(st.lists(st.tuples(NAMES, st.integers(-9, 9) | st.none()), max_size=30), st.sets(st.sampled_from("AB")))
def test_rows_of_several_types(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str | None, int | None]], declared: set[str]
) -> None:
    path = tmp_path_factory.mktemp("parquet") / "rows"
    table = {
        "x": pa.array([x for _, x in rows], pa.int64()),
        "_type": pa.array([name for name, _ in rows], pa.string()),
    }
    pq.write_table(pa.table(table), path, row_group_size=7)
    every = {"A": {"x": types.LONG, "_type": types.STRING}, "B": {"x": types.STRING, "z": types.DATE}}
    fields = {name: every[name] for name in sorted(declared)}
    found = events_and_lines(path, fields, False) if fields else []
    assert shown([event for event, _ in found]) == shown(of_lines([line for _, line in found], fields))


def test_times_are_epoch_ms_where_the_field_is_a_number(tmp_path: Path) -> None:
    for unit in ("ms", "us", "ns"):
        just_before_1970 = pa.array([-1, None]).cast(pa.timestamp(unit))
        pq.write_table(pa.table({"at": just_before_1970}), tmp_path / unit)
        ((event, line), (none, _)) = events_and_lines(tmp_path / unit, {"E": {"at": types.LONG}}, True)
        assert (event.at, line, none.at) == (-1, b'{"at":-1}', None)


def test_a_day_is_its_midnight_where_the_field_is_a_number(tmp_path: Path) -> None:
    pq.write_table(pa.table({"day": [date(1970, 1, 2), None]}), tmp_path / "days")
    events = events_and_lines(tmp_path / "days", {"E": {"day": types.LONG}}, False)
    assert [event.day for event, _ in events] == [86_400_000, None]


def test_text_that_is_none_is_refused_where_rules_read_it(tmp_path: Path) -> None:
    raw = pa.array([b"ok", b"\xff"]).view(pa.string())
    pq.write_table(pa.table({"a": raw, "b": ["x", "y"]}), tmp_path / "rows")
    read, unread = ({"E": {name: types.STRING}} for name in ("a", "b"))
    (fine, _), (refused, line) = events_and_lines(tmp_path / "rows", read, False)
    assert (fine.a, refused.code, refused.line) == ("ok", "bad_type", 2)
    assert refused.raw == line == '{"a":"\ufffd","b":"y"}'.encode()
    assert [event.b for event, _ in events_and_lines(tmp_path / "rows", unread, True)] == ["x", "y"]


def test_a_time_beyond_all_dates_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"at": pa.array([2**62, 0]).cast(pa.timestamp("us"))}), tmp_path / "rows")
    (refused, line), (fine, _) = events_and_lines(tmp_path / "rows", {"E": {"at": types.DATE}}, False)
    assert (refused.code, line, fine.at) == ("bad_type", b"{}", datetime(1970, 1, 1, tzinfo=UTC))


def test_decimals_keep_their_digits(tmp_path: Path) -> None:
    pq.write_table(pa.table({"price": [Decimal("1.50")]}), tmp_path / "rows")
    ((event, line),) = events_and_lines(tmp_path / "rows", {"E": {"price": types.DECIMAL}}, False)
    assert (str(event.price), line) == ("1.50", b'{"price":1.50}')


def test_lines_of_all_columns_in_their_order(tmp_path: Path) -> None:
    pq.write_table(pa.table({"b.c": ["x", None], "a": [1, 2]}), tmp_path / "rows")
    ((lines, block),) = read_lines(str(tmp_path / "rows"), {})
    assert (lines, block.first_row) == ([b'{"b.c":"x","a":1}', b'{"a":2}'], 1)


def test_a_column_that_no_rule_reads_is_not_read(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1], "b.c": ["x"]}), tmp_path / "rows")
    ((event, line),) = events_and_lines(tmp_path / "rows", {"E": {"b.c": types.STRING}}, False)
    assert (getattr(event, slot_name("b.c")), line) == ("x", b'{"a":1,"b.c":"x"}')
