"""Sinks: a file is there when it is whole, and a reader that leaves is no disaster."""

from __future__ import annotations

import gzip
import io
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.io import FileSink, MemorySink, SinkClosed, SinkError, open_source

LINES = st.lists(st.lists(st.binary(max_size=20).map(lambda line: b"#" + line.translate(None, b"\r\n")), max_size=5))


MAGIC = {".ndjson": b"", ".ndjson.gz": b"\x1f\x8b", ".ndjson.zst": b"\x28\xb5\x2f\xfd"}


@given(LINES, st.sampled_from(sorted(MAGIC)))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, lists: list[list[bytes]], suffix: str
) -> None:
    """Lines in, the same lines out, packed or not."""
    path = tmp_path_factory.mktemp("sinks") / f"a{suffix}"
    with FileSink(path) as sink:
        for lines in lists:
            sink.write(lines)
    assert path.read_bytes().startswith(MAGIC[suffix])
    with open_source(str(path)) as source:
        got = [line for block in source for line in block.lines]
    assert got == [line for lines in lists for line in lines]


def test_the_file_appears_when_it_is_closed(tmp_path: Path) -> None:
    """Until then the old one stays."""
    path = tmp_path / "out.ndjson"
    path.write_bytes(b"old\n")
    sink = FileSink(path)
    sink.write([b"new", b"lines"])
    assert path.read_bytes() == b"old\n"
    sink.close()
    sink.close()
    assert path.read_bytes() == b"new\nlines\n"
    assert os.listdir(tmp_path) == ["out.ndjson"]


def test_a_failure_leaves_the_part(tmp_path: Path) -> None:
    """The old file stays, and what was written is there to look at."""
    path = tmp_path / "out.ndjson.gz"
    with pytest.raises(ZeroDivisionError), FileSink(path) as sink:
        sink.write([b"a"])
        _ = 1 // 0
    assert os.listdir(tmp_path) == ["out.ndjson.gz.part"]
    assert gzip.decompress((tmp_path / "out.ndjson.gz.part").read_bytes()) == b"a\n"


def test_without_the_library_no_zstd_file_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(SinkError, match=r"pip install 'sojourn\[zstd\]'"):
        FileSink(tmp_path / "a.zst")
    assert not os.listdir(tmp_path)


def test_the_same_lines_are_the_same_gzip_bytes(tmp_path: Path) -> None:
    """No file name and no time in the header."""
    for name in ("a.gz", "b.gz"):
        with FileSink(tmp_path / name) as sink:
            sink.write([b"x"])
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file behind it is replaced."""
    (tmp_path / "real").write_bytes(b"old\n")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with FileSink(tmp_path / "link") as sink:
        sink.write([b"new"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new\n"


def test_a_pipe_is_written_directly() -> None:
    """It must not be replaced by a file: as root that would be the end of /dev/null."""
    read_end, write_end = os.pipe()
    with FileSink(f"/dev/fd/{write_end}") as sink:
        sink.write([b"a"])
    os.close(write_end)
    with open(read_end, "rb") as pipe:
        assert pipe.read() == b"a\n"


@pytest.mark.parametrize(("name", "message"), [("none/out", "does not exist"), (".", "it is a folder")])
def test_files_that_cannot_be_made(tmp_path: Path, name: str, message: str) -> None:
    """Known before any work is done."""
    with pytest.raises(SinkError, match=message):
        FileSink(tmp_path / name)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk() -> None:
    """A message, not a traceback, wherever the buffer gives way."""
    with pytest.raises(SinkError, match="No space left"), FileSink("/dev/full") as sink:
        sink.write([b"x" * 10])


def test_stdout_is_flushed_and_stays_open() -> None:
    """Every list is seen at once by who reads."""
    read_end, write_end = os.pipe()
    with open(read_end, "rb", buffering=0) as pipe, open(write_end, "wb") as stdout:
        with FileSink("-", stdout=stdout) as sink:
            sink.write([])
            sink.write([b"a", b"b"])
            assert pipe.read(100) == b"a\nb\n"
        assert not stdout.closed
    assert sink.name == "stdout"


def test_a_reader_that_leaves() -> None:
    """SinkClosed, and the stream can still be closed in peace, as the interpreter does with stdout at exit."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    with open(write_end, "wb") as stdout:
        sink = FileSink("-", stdout=stdout)
        with pytest.raises(SinkClosed):
            sink.write([b"a"])
        stdout.flush()


def test_memory_sink() -> None:
    """Keeps the lines."""
    sink = MemorySink()
    sink.write([b"a"])
    sink.write([b"b", b"c"])
    sink.close()
    assert (sink.lines, sink.closed) == ([b"a", b"b", b"c"], True)


def test_a_stream_without_a_file_behind_it() -> None:
    """Such as the one that a test puts in the place of stdout."""
    stdout = io.BytesIO()
    with FileSink("-", stdout=stdout) as sink:
        sink.write([b"a"])
    assert stdout.getvalue() == b"a\n"
