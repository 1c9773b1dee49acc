"""Opening: what is recognised, and what is said when a file cannot be used."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from pathlib import Path

import pytest
import zstandard

from runtime.io import SourceError, open_source

SKIPPED = b"\x50\x2a\x4d\x18\x04\0\0\0data"
"""What some packers begin a file with."""


def lines_of(path: Path) -> list[bytes]:
    """All lines of a file."""
    with open_source(str(path)) as source:
        return [line for block in source for line in block.lines]


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        pytest.param("empty.ndjson", b"", [], id="empty file"),
        pytest.param("a.ndjson", b"\xef\xbb\xbf{}\n", [b"{}"], id="byte order mark"),
        pytest.param("bom.ndjson", b"\xef\xbb\xbf", [], id="nothing but a byte order mark"),
        pytest.param("a.ndjson", gzip.compress(b"{}\n"), [b"{}"], id="gzip under another name"),
        pytest.param("a.ndjson.gz", b"{}\n", [b"{}"], id="plain under a gzip name"),
        pytest.param("a.gz", gzip.compress(b"\xef\xbb\xbf{}"), [b"{}"], id="byte order mark in gzip"),
        pytest.param("a.gz", gzip.compress(b"a\nb") + gzip.compress(b"c\n"), [b"a", b"bc"], id="two members"),
        pytest.param("a.gz", gzip.compress(b"a\n") + bytes(600), [b"a"], id="padding"),
        pytest.param("a.gz", gzip.compress(b""), [], id="gzip of nothing"),
        pytest.param("a.ndjson", zstandard.compress(b"{}\n"), [b"{}"], id="zstd under another name"),
        pytest.param("a.zst", zstandard.compress(b"a\nb") + zstandard.compress(b"c\n"), [b"a", b"bc"], id="two frames"),
        pytest.param("a.zst", SKIPPED + zstandard.compress(b"a\n"), [b"a"], id="a frame without data first"),
        pytest.param("a.zst", zstandard.compress(b""), [], id="zstd of nothing"),
        pytest.param("a.csv.zst", zstandard.compress(b"a\n1\n"), [b'{"a":"1"}'], id="csv in zstd by name"),
        pytest.param("a.csv", b"a\n1\n", [b'{"a":"1"}'], id="csv by name"),
        pytest.param("A.CSV.GZ", gzip.compress(b"a\n1\n"), [b'{"a":"1"}'], id="csv in gzip by name"),
        pytest.param("a.tsv", b"a,b\tc\n1\t2\n", [b'{"a,b":"1","c":"2"}'], id="tsv by name"),
    ],
)
def test_recognised(tmp_path: Path, name: str, data: bytes, expected: list[bytes]) -> None:
    """Compression by content, CSV by name."""
    path = tmp_path / name
    path.write_bytes(data)
    assert lines_of(path) == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param("{}".encode("utf-16"), "UTF-16", id="UTF-16"),
        pytest.param(b"\xfe\xff\x00{", "UTF-16", id="UTF-16, big end first"),
        pytest.param(gzip.compress("{}".encode("utf-16")), "UTF-16", id="UTF-16 in gzip"),
        pytest.param(b"\x28\xb5\x2f\xfd....", "its zstd data is damaged", id="zstd that is none"),
        pytest.param(zstandard.compress(b"a\n") + b"rubbish", "its zstd data is damaged", id="rubbish after zstd"),
        pytest.param(zstandard.compress(b"a\n")[:-1], "its zstd data is cut off", id="zstd without its end"),
        pytest.param(b"\x28\xb5\x2f\xfd", "its zstd data is cut off", id="only the magic of zstd"),
        pytest.param(zstandard.compress("{}".encode("utf-16")), "UTF-16", id="UTF-16 in zstd"),
        pytest.param(b"PK\x03\x04....", "zip archive", id="zip"),
        pytest.param(b"PAR1....", "Parquet", id="parquet"),
        pytest.param(gzip.compress(b"a\n") + b"rubbish", "damaged", id="rubbish after gzip"),
        pytest.param(b"\x1f\x8b", "cut off", id="only the magic"),
    ],
)
def test_refused(tmp_path: Path, data: bytes, message: str) -> None:
    """A file of another kind is named as such."""
    path = tmp_path / "events.ndjson"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=message) as caught:
        lines_of(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_missing_file_and_folder(tmp_path: Path) -> None:
    """Known when it is opened, not when it is read."""
    with pytest.raises(SourceError, match="there is no such file"):
        open_source(str(tmp_path / "none.ndjson"))
    with pytest.raises(SourceError, match="it is a folder"):
        open_source(str(tmp_path))
    with pytest.raises(SourceError, match="it cannot be opened"):
        open_source("a\0b")


def test_damage_in_the_middle(tmp_path: Path) -> None:
    """Everything decoded before the damaged byte is given, although zlib drops it."""
    lines = [b"%d %d" % (number, number * 7919 % 10_007) for number in range(60_000)]
    packed = bytearray(gzip.compress(b"\n".join(lines)))
    middle = len(packed) // 2
    packed[middle : middle + 64] = b"\xff" * 64
    path = tmp_path / "a.gz"
    path.write_bytes(packed)
    got: list[bytes] = []
    with open_source(str(path)) as source, pytest.raises(SourceError, match="damaged"):
        for block in source:
            got += block.lines
    assert len(got) > 20_000
    assert got[:20_000] == lines[:20_000]


def test_a_wrong_checksum_is_damage(tmp_path: Path) -> None:
    """All whole lines come first."""
    packed = bytearray(gzip.compress(b"a\nb\nc"))
    packed[-8] ^= 1
    with open_source("-", stdin=io.BytesIO(packed)) as source, pytest.raises(SourceError, match="damaged"):
        assert next(source).lines == [b"a", b"b"]
        next(source)


def test_a_gzip_bomb_comes_in_pieces() -> None:
    """16 MiB of newlines in 16 KiB."""
    bomb = zlib.compressobj(wbits=31)
    packed = b"".join(bomb.compress(b"\n" * (1 << 20)) for _ in range(16)) + bomb.flush()
    with open_source("-", stdin=io.BytesIO(packed)) as source:
        sizes = [len(b"\n".join(block.lines)) + 1 for block in source]
    assert sum(sizes) == 16 << 20
    assert max(sizes) <= 1 << 20


def test_a_zstd_bomb_comes_in_pieces() -> None:
    """16 MiB of newlines in 1 KiB."""
    with open_source("-", stdin=io.BytesIO(zstandard.compress(b"\n" * (16 << 20)))) as source:
        sizes = [len(b"\n".join(block.lines)) + 1 for block in source]
    assert sum(sizes) == 16 << 20
    assert max(sizes) <= 1 << 20


def test_zstd_that_is_cut_off_gives_what_is_before(tmp_path: Path) -> None:
    """All whole blocks, as for a log whose writer died."""
    lines = [b"%d %d" % (number, number * 7919 % 10_007) for number in range(60_000)]
    packed = zstandard.compress(b"\n".join(lines))
    path = tmp_path / "a.zst"
    path.write_bytes(packed[: len(packed) * 2 // 3])
    got: list[bytes] = []
    with open_source(str(path)) as source, pytest.raises(SourceError, match="cut off"):
        for block in source:
            got += block.lines
    assert len(got) > 20_000
    assert got[:20_000] == lines[:20_000]


def test_without_the_library_zstd_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.ndjson.zst"
    path.write_bytes(zstandard.compress(b"{}\n"))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(SourceError, match=r"pip install 'sojourn\[zstd\]'"):
        lines_of(path)


def test_stdin_is_not_closed_and_has_no_size() -> None:
    """It is not ours."""
    stdin = io.BytesIO(b"{}\n")
    with open_source("-", stdin=stdin) as source:
        assert [line for block in source for line in block.lines] == [b"{}"]
    assert (source.name, source.total_bytes, stdin.closed) == ("stdin", None, False)


def test_csv_from_stdin_is_asked_for() -> None:
    """stdin has no name to tell by; and a name can be overruled."""
    with open_source("-", format="csv", stdin=io.BytesIO(b"a;b\n1;2")) as source:
        assert [line for block in source for line in block.lines] == [b'{"a":"1","b":"2"}']


def test_ndjson_named_csv(tmp_path: Path) -> None:
    """The name is overruled."""
    path = tmp_path / "a.csv"
    path.write_bytes(b'{"a":1}\n')
    with open_source(str(path), format="ndjson") as source:
        assert [line for block in source for line in block.lines] == [b'{"a":1}']
