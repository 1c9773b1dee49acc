"""CSV rows become JSON lines; what is no row becomes a line that no decoder takes for an event."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epl.types import BIGINT, BOOLEAN, BYTE, DATE, DECIMAL, DOUBLE, INT, LONG, STRING, Type
from runtime.io import Block, SourceError, open_source

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=8)


def rows(text: str | bytes, types: dict[str, Type] | None = None, chunk_bytes: int = 1 << 20) -> list[bytes]:
    """The lines that a CSV text becomes."""
    data = text.encode() if isinstance(text, str) else text
    with open_source("-", format="csv", field_types=types, chunk_bytes=chunk_bytes, stdin=io.BytesIO(data)) as source:
        return [line for block in source for line in block.lines]


def refused(line: bytes) -> bool:
    """True when the line is no JSON object."""
    try:
        msgspec.json.decode(line, type=dict)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return True
    return False


@pytest.mark.parametrize(
    ("type_", "cell", "json"),
    [
        (None, "12", '"12"'),
        (STRING, "12", '"12"'),
        (DATE, "2026-01-05", '"2026-01-05"'),
        (BYTE, "-7", "-7"),
        (INT, " 12 ", "12"),
        (INT, "+5", "5"),
        (INT, "007", "7"),
        (INT, "12.0", "12"),
        (INT, "12.5", '"12.5"'),
        (INT, "1_000", '"1_000"'),
        (INT, "٣", '"٣"'),
        (INT, "twelve", '"twelve"'),
        (LONG, "1767600000000", "1767600000000"),
        (LONG, "9" * 5000, '"' + "9" * 5000 + '"'),
        (BIGINT, "9" * 30, "9" * 30),
        (DOUBLE, "1.50", "1.50"),
        (DOUBLE, ".5", "0.5"),
        (DOUBLE, "5.", "5"),
        (DOUBLE, "+1e3", "1E+3"),
        (DOUBLE, "NaN", '"NaN"'),
        (DOUBLE, "1,5", '"1,5"'),
        (DECIMAL, "0.10000000000000000001", "0.10000000000000000001"),
        (DECIMAL, "007.5", "7.5"),
        (BOOLEAN, "true", "true"),
        (BOOLEAN, "False", "false"),
        (BOOLEAN, "yes", '"yes"'),
        (INT, "", "null"),
        (STRING, "", "null"),
        (BOOLEAN, "", "null"),
        (INT, "0", "0"),
    ],
)
def test_cells(type_: Type | None, cell: str, json: str) -> None:
    """A cell becomes what its column is declared to be, or stays text for the decoder to refuse."""
    assert rows(f'a;b\n"{cell}";x\n', {"a": type_} if type_ else None) == [f'{{"a":{json},"b":"x"}}'.encode()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("a,b\n", [], id="only a header"),
        pytest.param("a,b\n1,2", ['{"a":"1","b":"2"}'], id="no newline at the end"),
        pytest.param("a,b\r\n1,2\r\n", ['{"a":"1","b":"2"}'], id="carriage returns"),
        pytest.param("\ufeffa,b\n1,2\n", ['{"a":"1","b":"2"}'], id="byte order mark"),
        pytest.param(' a ,"b"\n1,2\n', ['{"a":"1","b":"2"}'], id="spaces around names"),
        pytest.param("a\tb\n1\t2\n", ['{"a":"1","b":"2"}'], id="tabs"),
        pytest.param("a;b\n1,5;2\n", ['{"a":"1,5","b":"2"}'], id="semicolons"),
        pytest.param("a,b;c\n1,2\n", ['{"a":"1","b;c":"2"}'], id="a comma wins over a semicolon"),
        pytest.param('a,b\n"x\ny",2\n3,4\n', ['{"a":"x\\ny","b":"2"}', '{"a":"3","b":"4"}'], id="quoted newline"),
        pytest.param('a,b\n"x ""y""",2\n', ['{"a":"x \\"y\\"","b":"2"}'], id="quoted quote"),
        pytest.param('a,b\n5" pipe,2\n', ['{"a":"5\\" pipe","b":"2"}'], id="a quote inside a cell"),
        pytest.param("a,b\n1\n", ['{"a":"1","b":null}'], id="missing cell"),
        pytest.param("a,b\n\n1,2\n", ["", '{"a":"1","b":"2"}'], id="blank row"),
        pytest.param("\n\na;b\n1;2\n", ['{"a":"1","b":"2"}'], id="blank rows before the header"),
        pytest.param(",a,\n0,1,2\n", ['{"a":"1"}'], id="columns without a name"),
        pytest.param("a\u2028b\nx\u2028y\n", ['{"a\u2028b":"x\u2028y"}'], id="only a newline ends a row"),
    ],
)
def test_rows(text: str, expected: list[str]) -> None:
    """One line a row, whatever the file looks like and wherever the chunks end."""
    for chunk_bytes in (1, 5, 1 << 20):
        assert rows(text, chunk_bytes=chunk_bytes) == [line.encode() for line in expected]


@pytest.mark.parametrize(
    ("row", "line"),
    [
        pytest.param(b"1,2,3", b"1,2,3", id="too many cells"),
        pytest.param(b"caf\xe9,2", b"caf\xe9,2", id="not UTF-8"),
        pytest.param(b'"x"y,2', b'"x"y,2', id="text after a quote"),
        pytest.param(b'"x\ny"z,2', b'"x y"z,2', id="on two lines"),
        pytest.param(b'{"a":1,"b":2,"c":3}', b'"{\\"a\\":1,\\"b\\":2,\\"c\\":3}"', id="JSON in a CSV"),
        pytest.param(b'{"a":"\xff"},2', '"{\\"a\\":\\"\ufffd\\"},2"'.encode(), id="JSON with bad bytes"),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 7, 1 << 20])
def test_refused_rows(row: bytes, line: bytes, chunk_bytes: int) -> None:
    """A bad row keeps its place and its text, and the rows around it are read."""
    good = b'{"a":"0","b":"0"}'
    assert rows(b"a,b\n0,0\n" + row + b"\n0,0\n", chunk_bytes=chunk_bytes) == [good, line, good]
    assert refused(line)


def test_an_open_quote_takes_the_rest_of_the_file() -> None:
    """But it is one refused line, not an event with a giant cell."""
    got = rows('a,b\n1,2\n"3,4\n5,6\n')
    assert got == [b'{"a":"1","b":"2"}', b'"3,4 5,6']
    assert refused(got[1])


def test_an_open_quote_is_given_up_at_the_limit() -> None:
    """What follows is read again as rows; memory is bounded by the limit and one chunk."""
    text = 'a,b\n"1,2\n' + "3,4\n" * 200
    with open_source("-", format="csv", max_line_bytes=100, chunk_bytes=50, stdin=io.BytesIO(text.encode())) as source:
        got = [line for block in source for line in block.lines]
    assert refused(got[0])
    assert len(got[0]) < 200
    assert set(got[1:]) == {b'{"a":"3","b":"4"}'}
    assert len(got) > 150


def test_a_wide_cell_is_no_error() -> None:
    """The csv module's own limit of 128 KiB is lower than ours."""
    assert rows(f"a,b\n{'x' * 300_000},2\n") == [b'{"a":"' + b"x" * 300_000 + b'","b":"2"}']


def test_line_numbers_count_rows() -> None:
    """The header is line 1; a row on three lines is one row."""
    with open_source("-", format="csv", chunk_bytes=6, stdin=io.BytesIO(b'\na\n"1\n2\n3"\n4\n5\n6\n7\n')) as source:
        blocks = list(source)
    assert blocks[0] == Block([b'{"a":"1\\n2\\n3"}'], 3, blocks[0].read_bytes)
    numbers = [block.first_line + offset for block in blocks for offset in range(len(block.lines))]
    assert numbers == [3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(b"a,b,a\n1,2,3\n", "two columns named 'a'", id="same name twice"),
        pytest.param(b"caf\xe9,b\n1,2\n", "not UTF-8", id="Latin-1"),
        pytest.param(b'"a"b,c\n1,2\n', "header is no CSV", id="broken quote"),
        pytest.param(b'"a,c\n1,2\n', "header is no CSV", id="open quote"),
    ],
)
def test_bad_headers(text: bytes, message: str) -> None:
    """Without names there is nothing to read."""
    with pytest.raises(SourceError, match=message):
        rows(text)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=12), st.integers(1, 30), st.sampled_from(",;\t"))
def test_what_csv_writes_is_read(table: list[list[str]], chunk_bytes: int, delimiter: str) -> None:
    """Any text in any cell, whatever the chunk size."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["k", "v"])
    writer.writerows(table)
    got = [msgspec.json.decode(line) for line in rows(text.getvalue(), chunk_bytes=chunk_bytes)]
    assert got == [{"k": key or None, "v": value or None} for key, value in table]


def test_rows_before_the_end_of_a_cut_gzip(tmp_path: Path) -> None:
    """Whole rows come before the error."""
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a\n1\n2\n3")[:-8])
    got: list[bytes] = []
    with open_source(str(path), field_types={"a": INT}) as source, pytest.raises(SourceError, match="cut off"):
        for block in source:
            got += block.lines
    assert got == [b'{"a":1}', b'{"a":2}']
