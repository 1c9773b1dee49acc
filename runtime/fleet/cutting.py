"""A slice of a batch, cut into what each worker gets of it. Nothing comes of a cut until it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.fleet.clocks import Clocks, Judged
from runtime.fleet.ring import Ring
from runtime.fleet.routes import Routes
from runtime.service.host import SLICE
from runtime.service.records import LetterRecord, Share


@dataclass(frozen=True, slots=True)
class Cut:
    """What workers get; the numbers of parts are still to come. `judged` is for `Clocks.keep`, once it is given."""

    shares: list[Share]
    judged: Judged | None = None


def cut(
    routes: Routes,
    ring: Ring,
    clocks: Clocks,
    lines: Sequence[bytes],
    letters: Sequence[LetterRecord],
    *,
    first_line: int,
    partition: int,
    wall_ms: int,
) -> Cut:
    """Cuts lines, and letters of events that came with them; parts have at most `SLICE` lines."""
    if not routes.has_clock:
        owners = routes.owners(lines)
        if isinstance(owners, int):
            return Cut(_whole(owners, lines, letters, first_line))
        return Cut(_spread(owners, ring, lines, letters, first_line, None))
    owners, times = routes.owners_and_times(lines)
    judged = clocks.judge(routes.rules.config.time, partition, times, owners, wall_ms) if lines else None
    return Cut(_spread(owners, ring, lines, letters, first_line, judged), judged)


def _whole(owner: int, lines: Sequence[bytes], letters: Sequence[LetterRecord], first_line: int) -> list[Share]:
    return [
        Share(owner, 0, first_line + at, list(lines[at : at + SLICE]), None, [] if at else list(letters))
        for at in range(0, max(len(lines), bool(letters)), SLICE)
    ]


def _spread(
    owners: Sequence[int],
    ring: Ring,
    lines: Sequence[bytes],
    letters: Sequence[LetterRecord],
    first_line: int,
    judged: Judged | None,
) -> list[Share]:
    cuts: dict[int, tuple[list[bytes], list[int], list[LetterRecord]]] = {}
    for number, (line, owner) in enumerate(zip(lines, owners, strict=True), first_line):
        own = cuts.get(owner)
        if own is None:
            own = cuts[owner] = [], [], []
        own[0].append(line)
        own[1].append(number)
    for letter in letters:
        cuts.setdefault(ring.owner(letter.raw), ([], [], []))[2].append(letter)
    return [
        Share(
            owner,
            0,
            first_line,
            own[at : at + SLICE],
            numbers[at : at + SLICE],
            [] if at else refused,
            None if judged is None else judged.heard(owner, at, len(own[at : at + SLICE]), at + SLICE >= len(own)),
        )
        for owner, (own, numbers, refused) in cuts.items()
        for at in range(0, max(len(own), 1), SLICE)
    ]
