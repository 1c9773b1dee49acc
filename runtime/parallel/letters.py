"""The dead letters of a part, whose lines are numbered when it is known how many there are before."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from heapq import merge
from operator import attrgetter
from pathlib import Path

from runtime.config import TenantConfig
from runtime.event import Refused
from runtime.io import DeadLetter, DeadLetterWriter, FileSink
from runtime.letters import letter_of, source_label, too_long_letter
from runtime.parallel.cuts import Piece
from runtime.parallel.spool import Spool
from runtime.reorder import Refuse
from runtime.replay import Refusals


class Letters:
    """Keeps what is refused in a part; lines are counted from 1 over all of its pieces."""

    def __init__(self, config: TenantConfig, pieces: Sequence[Piece], folder: Path) -> None:
        self._config = config
        self._pieces = pieces
        self._folder = folder
        self._begins: list[int] = []
        """The number of the first line of each piece."""
        self._spools: list[Spool[DeadLetter]] = []
        self._too_long: Spool[DeadLetter] = Spool(folder)
        self.next_line = 1
        """The number of the line behind those that have been read."""

    def begin_piece(self) -> int:
        """How many lines are before those of the next piece."""
        self._begins.append(self.next_line)
        return self.next_line - 1

    def refuser(self) -> Refuse:
        """Takes what one engine refuses, in the order of lines."""
        spool: Spool[DeadLetter] = Spool(self._folder)
        self._spools.append(spool)

        def refuse(refused: Refused) -> None:
            spool.add([letter_of(refused, self._config.tenant, "")])

        return refuse

    def refuse_long(self, line: int, size: int, head: bytes) -> None:
        """Takes a line of `size` bytes, counted in the piece that has been begun last."""
        number = self._begins[-1] + line - 1
        limit = self._config.limits.max_line_bytes
        self._too_long.add([too_long_letter(self._config.tenant, "", number, size, head, limit)])

    def lines_behind(self, lines_before: int) -> int:
        """How many lines of its file the last piece ends behind; a first that begins within its own, behind so many."""
        read = self.next_line - self._begins[-1]
        return read + lines_before if len(self._begins) == 1 and self._pieces[0].start else read

    def finish(self, lines_before: int, refusals: Refusals, path: Path | None) -> None:
        """Counts all letters, and writes them where that is wanted, in the order of lines. Raises SinkError."""
        if path is None:
            for letter in self._placed(lines_before):
                refusals.count_refused(letter)
            return
        with FileSink(path) as sink:
            writer = DeadLetterWriter(sink)
            for letter in self._placed(lines_before):
                refusals.count_refused(letter)
                writer.write(letter)

    def _placed(self, lines_before: int) -> Iterator[DeadLetter]:
        for letter in merge(self._too_long, *self._spools, key=attrgetter("line")):
            number = bisect_right(self._begins, letter.line) - 1
            line = letter.line - self._begins[number] + 1
            if number == 0 and self._pieces[0].start:
                line += lines_before
            yield replace(letter, source=source_label(self._pieces[number].name), line=line)
