"""The lines of a worker, on their way from one or two engines to its file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import merge
from operator import itemgetter
from pathlib import Path

from runtime.io import FileSink
from runtime.output import LineOutput
from runtime.parallel.place import PlacedLine, PlacedOutput
from runtime.parallel.spool import Spool, batches


class Lines:
    """What leaves one engine: written at once, or kept with its place until `write_in_order`."""

    def __init__(self, sink: FileSink | None, folder: Path, *, wants_events: bool, keeps_order: bool) -> None:
        self.output = (PlacedOutput if keeps_order else LineOutput)(wants_events=wants_events)
        self.count = 0
        self._sink = sink
        self._kept: Spool[PlacedLine] = Spool(folder)

    def take(self) -> None:
        """Takes from the output what has left the engine. Raises SinkError and OSError."""
        lines = self.output.take()
        self.count += len(lines)
        if isinstance(self.output, PlacedOutput):
            self._kept.add(zip(self.output.take_places(), lines, strict=True))
        elif self._sink is not None:
            self._sink.write(lines)

    @property
    def kept(self) -> Iterable[PlacedLine]:
        """The lines that have not been written, in their order."""
        return self._kept


def write_in_order(engines: Sequence[Lines], sink: FileSink) -> None:
    """Writes what has been kept of the lines of several engines, in the order of one. Raises SinkError."""
    merged = map(itemgetter(1), merge(*(lines.kept for lines in engines), key=itemgetter(0)))
    for batch in batches(merged):
        sink.write(batch)
