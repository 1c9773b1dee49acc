"""The dead letters of one tenant: written to a file, the last ones kept to be looked at."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from runtime.event import Refused
from runtime.io import DeadLetter, DeadLetterWriter, MemorySink
from runtime.letters import letter_of
from runtime.service.files import RotatingFile
from runtime.service.numbered import Numbered

RECENT = 200
_SHOWN_BYTES = 2048


class Received(NamedTuple):
    """A dead letter, its event cut to what a page shows, and when it came."""

    at_ms: int
    letter: DeadLetter


class Letters:
    """Takes dead letters; `recent` has the last ones, newest first. `sojourn dlq` reads the file."""

    def __init__(self, tenant: str, file: RotatingFile) -> None:
        self.file = file
        self.sequence = Numbered((file,))
        self.recent: deque[Received] = deque(maxlen=RECENT)
        self._tenant = tenant
        self._gathered = MemorySink()
        self._writer = DeadLetterWriter(self._gathered)

    @property
    def counts(self) -> dict[str, int]:
        """Letters since the tenant began, by code."""
        return dict(self._writer.counts)

    def go_on_from(self, number: int, counts: Mapping[str, int]) -> None:
        """So many letters there were before, and of which codes."""
        self.sequence.number = number
        self._writer.counts.update(counts)

    def refuse(self, refused: Refused, source: str, now_ms: int) -> None:
        """Takes an event that the engine refused."""
        self.write(letter_of(refused, self._tenant, source), now_ms)

    def write(self, letter: DeadLetter, now_ms: int) -> None:
        """Takes a letter, which leaves with the next `flush`."""
        self._writer.write(letter)
        shown = letter
        if len(letter.raw) > _SHOWN_BYTES:
            total = len(letter.raw) if letter.raw_bytes is None else letter.raw_bytes
            shown = replace(letter, raw=letter.raw[:_SHOWN_BYTES], raw_bytes=total)
        self.recent.appendleft(Received(now_ms, shown))

    def flush(self) -> None:
        """Hands on what has gathered."""
        lines = self._gathered.lines
        if lines:
            self._gathered.lines = []
            self.sequence.give(lines)
