"""Blocks are runs of whole lines: whatever the chunks, the lines come out as they were."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.io import LONG_LINE_HEAD, Block, LineCutter, SourceError, open_source

LINES = st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"").rstrip(b"\r")), max_size=30)
LONG_LINES = st.lists(st.integers(0, 60).map(lambda size: b"x" * size), max_size=30)


def read(data: bytes, **options: object) -> list[bytes]:
    """All lines of a source, with the check that the numbers of the blocks fit together."""
    lines: list[bytes] = []
    with open_source("-", stdin=io.BytesIO(data), **options) as source:  # type: ignore[arg-type]
        for block in source:
            assert block.first_line == len(lines) + 1
            lines += block.lines
    return lines


def marked(data: bytes) -> bytes:
    """Bytes that cannot be mistaken for gzip, UTF-16 or a byte order mark."""
    return b"{}\n{}\n" + data


@given(LINES, st.integers(1, 50), st.booleans(), st.sampled_from([b"\n", b"\r\n"]), st.booleans())
def test_every_line_comes_back(lines: list[bytes], chunk_bytes: int, zipped: bool, end: bytes, ended: bool) -> None:
    """Plain or gzip, any chunk size, either line end, with and without the last newline."""
    data = marked(end.join(lines) + (end if lines and ended else b""))
    expected = [b"{}", b"{}", *(lines if ended or not lines or lines[-1] else lines[:-1])]
    assert read(gzip.compress(data) if zipped else data, chunk_bytes=chunk_bytes) == expected


@given(LONG_LINES, st.integers(1, 50), st.integers(2, 40))
def test_long_lines_are_blank_and_reported(lines: list[bytes], chunk_bytes: int, limit: int) -> None:
    """The limit holds exactly, wherever the chunks end."""
    reports: list[tuple[int, int, bytes]] = []
    data = marked(b"".join(line + b"\n" for line in lines))
    got = read(data, chunk_bytes=chunk_bytes, max_line_bytes=limit, on_long_line=lambda *report: reports.append(report))
    whole = [b"{}", b"{}", *lines]
    assert got == [line if len(line) <= limit else b"" for line in whole]
    assert reports == [(number, len(line), line) for number, line in enumerate(whole, 1) if len(line) > limit]


@given(st.binary(max_size=300), st.integers(1, 40), st.data())
def test_a_broken_gzip_gives_all_lines_before(body: bytes, chunk_bytes: int, data: st.DataObject) -> None:
    """Cut off anywhere, the lines are a beginning of the true ones, and then comes the error."""
    text = marked(body)
    packed = gzip.compress(text)
    cut = data.draw(st.integers(4, len(packed) - 1))
    lines: list[bytes] = []
    with (
        pytest.raises(SourceError, match="cut off"),
        open_source("-", stdin=io.BytesIO(packed[:cut]), chunk_bytes=chunk_bytes) as source,
    ):
        for block in source:
            lines += block.lines
    true = text.replace(b"\r\n", b"\n").split(b"\n")
    assert lines == true[: len(lines)]


def test_memory_of_a_long_line_is_bounded() -> None:
    """A gigabyte without a newline must not become a gigabyte of memory: only a head and a count are kept."""
    reports: list[tuple[int, int, bytes]] = []
    cutter = LineCutter(1000, lambda *report: reports.append(report))
    for step in range(5000):
        assert cutter.feed(b"y" * 997, step) is None
        assert sum(map(len, cutter._parts)) <= 1997
    block = cutter.feed(b"\nz\n", 9)
    assert block == Block([b"", b"z"], 1, 9)
    assert reports == [(1, 997 * 5000, b"y" * LONG_LINE_HEAD)]


@pytest.mark.parametrize(
    ("chunks", "blocks"),
    [
        ([], []),
        ([b"\n"], [(b"", 1)]),
        ([b"a"], [(b"a", 1)]),
        ([b"a\n"], [(b"a", 1)]),
        ([b"a\nb"], [(b"a", 1), (b"b", 2)]),
        ([b"a", b"b\n"], [(b"ab", 1)]),
        ([b"a\r", b"\nb\r\n"], [(b"a\nb", 1)]),
        ([b"a\r\r\n"], [(b"a\r", 1)]),
        ([b"a\r"], [(b"a\r", 1)]),
        ([b"\n\na\n", b"\n"], [(b"\n\na", 1), (b"", 4)]),
    ],
)
def test_cutting(chunks: list[bytes], blocks: list[tuple[bytes, int]]) -> None:
    """Blank lines count; a carriage return goes only before a newline."""
    cutter = LineCutter(100)
    got = [cutter.feed(chunk, 0) for chunk in chunks]
    got.append(cutter.finish(0))
    assert [(b"\n".join(block.lines), block.first_line) for block in got if block is not None] == blocks


def test_blocks_of_a_big_file(tmp_path: Path) -> None:
    """About 1 MiB each, and the progress ends at the size of the file."""
    path = tmp_path / "big.ndjson"
    path.write_bytes(b"".join(b'{"n":%d}\n' % number for number in range(400_000)))
    with open_source(str(path)) as source:
        blocks = list(source)
    assert source.total_bytes == path.stat().st_size == blocks[-1].read_bytes
    assert 4 <= len(blocks) <= 7
    assert all(sum(map(len, block.lines)) < 1.2 * (1 << 20) for block in blocks)
    assert [block.read_bytes for block in blocks] == sorted({block.read_bytes for block in blocks})
