"""Lists that may be longer than memory: what a worker keeps until its predecessor is done."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
_MOST_IN_MEMORY = 50_000
_BATCH = 1000


class Spool(Generic[Item]):
    """Takes items, and gives them again in their order, once. Raises OSError when a disk is full.

    What is beyond some ten thousands goes to a file without a name in `folder`, which is gone with the process.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._items: list[Item] = []
        self._file: Any = None

    def add(self, items: Iterable[Item]) -> None:
        """Appends items."""
        self._items += items
        if len(self._items) >= _MOST_IN_MEMORY:
            if self._file is None:
                self._file = TemporaryFile(dir=self._folder)  # noqa: SIM115 - it is closed when it has been read
            pickle.dump(self._items, self._file, pickle.HIGHEST_PROTOCOL)
            self._items = []

    def __iter__(self) -> Iterator[Item]:
        if self._file is not None:
            self._file.seek(0)
            while True:
                try:
                    items = pickle.load(self._file)
                except EOFError:
                    break
                yield from items
            self._file.close()
        yield from self._items


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in lists of many."""
    rest = iter(items)
    while batch := list(islice(rest, _BATCH)):
        yield batch
