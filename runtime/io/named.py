"""The files that are meant by names: patterns that the shell has left alone, and folders.

Files are taken in the order in which people count, so that a stream that was cut into `day-2` and `day-10` stays in its
order: an event that comes before its time counts as late.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from glob import glob, has_magic

from runtime.io.errors import SourceError

_KINDS = (".ndjson", ".jsonl", ".json", ".csv", ".tsv")
_SUFFIXES = (*(f"{kind}{packed}" for kind in _KINDS for packed in ("", ".gz", ".zst", ".zstd")), ".parquet")
"""By what a file of events is known in a folder, which may hold others."""
_DIGITS = re.compile(r"([0-9]+)")


def files_named(names: Sequence[str]) -> list[str]:
    """The files of all names, in the order of the names, and those of one name in `natural` order.

    A pattern such as `logs/*.gz` or `logs/**/*.csv` stands for the files that it matches, a folder for all files of
    events in it and below, but for those whose name begins with `.` or `_`, as table writers name what is no data. Any
    other name, and `-`, stands for itself. Raises SourceError when a pattern or folder has no file.
    """
    return [file for name in names for file in _files(name)]


def natural(path: str) -> list[tuple[int, str | int]]:
    """A key by which paths sort as people count: numbers as numbers, folder by folder."""
    parts = (part for folder in path.split(os.sep) for part in (*_DIGITS.split(folder), os.sep))
    return [(1, int(part)) if part.isdecimal() else (0, part) for part in parts]


def _files(name: str) -> list[str]:
    if os.path.isdir(name):
        found = list(_below(name))
        advice = f"there are no files of events in this folder: {', '.join(_KINDS)} or .parquet, packed or not"
    elif has_magic(name) and not os.path.lexists(name):
        found = [path for path in glob(name, recursive=True) if not os.path.isdir(path)]
        advice = "no file is named like this"
    else:
        return [name]
    if not found:
        raise SourceError(name, advice)
    return sorted(found, key=lambda path: (natural(path), path))


def _below(folder: str) -> Iterator[str]:
    for at, folders, files in os.walk(folder):
        folders[:] = _shown(folders)
        yield from (os.path.join(at, file) for file in _shown(files) if file.lower().endswith(_SUFFIXES))


def _shown(names: Iterable[str]) -> list[str]:
    return [name for name in names if not name.startswith((".", "_"))]
