"""Where files are cut: into parts of about the same size, each of which begins later than all before it.

A cut is a place before a line, or between two files, whose first event is later than every event shortly before it.
Whether it is later than *all* before it, the worker before it knows when it is done; a part for which it is not so is
then gone through once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from runtime.config import format_duration
from runtime.event import BAD_LINE
from runtime.io import read_bytes, size_if_plain, size_if_regular

_LOOK_BYTES = 256 * 1024
"""How far to look for events before a cut, and for one to begin with behind it."""
_WORTH_IT = 2
"""A part should span so many of the longest pauses: in the first, all events wait for the worker before."""

TimeOf = Callable[[bytes], int | None]
"""The time of an event, None without one. Raises one of BAD_LINE."""
FirstLine = Callable[[str], bytes | None]
"""The first line of a file, None when it has none. Raises SourceError."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A file, or its lines from byte `start` to `end`."""

    name: str
    start: int = 0
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What one worker goes through. `first_ms` is the time of its first line; None where nothing is before it."""

    pieces: tuple[Piece, ...]
    first_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Cuts:
    """The parts; `why` says why there is one, or fewer than were asked for."""

    parts: tuple[Part, ...]
    why: str | None = None
    total_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Cut:
    """A place: byte `start` of file number `file`, with a line of time `first_ms`."""

    file: int
    start: int
    first_ms: int


def cut(sources: Sequence[str], parts: int, longest_pause_ms: int, time_of: TimeOf, first_line: FirstLine) -> Cuts:
    """Cuts files that are one stream into at most so many parts. Raises SourceError."""
    whole = (Part(tuple(map(Piece, sources))),)
    sizes = []
    for name in sources:
        size = size_if_regular(name)
        if size is None:
            called = "stdin" if name == "-" else name
            return Cuts(whole, f"{called} is no file that several processes can read")
        sizes.append(size)
    total = sum(sizes)
    ends = _Ends(sources, time_of, first_line)
    few = f"a part would span less than twice {format_duration(longest_pause_ms)}, for which a session may be quiet"
    most = _most_parts(ends, longest_pause_ms)
    why = few if most is not None and most < parts else None
    parts = parts if most is None else min(parts, most)
    places = [round(total * number / parts) for number in range(1, parts)]
    found = {cut for place in places if (cut := _cut_near(place, sources, sizes, time_of, first_line)) is not None}
    cuts = _worth_it(sorted(found, key=lambda cut: (cut.file, cut.start)), ends, longest_pause_ms)
    if len(cuts) < len(places) and why is None:
        why = _NOWHERE if len(found) < len(places) else few
    return Cuts(tuple(_parts(sources, cuts)), why, total)


_NOWHERE = "there are too few places with an event that is later than all before it"


def _most_parts(ends: _Ends, longest_pause_ms: int) -> int | None:
    """How many parts there can be that span enough time; None where nobody knows."""
    first_ms, last_ms = ends.first_ms(), ends.last_ms()
    if first_ms is None or last_ms is None or last_ms <= first_ms:
        return None
    return max(1, (last_ms - first_ms) // (_WORTH_IT * longest_pause_ms))


@dataclass(frozen=True, slots=True)
class _Ends:
    """Looks up the first and the last time of the files."""

    sources: Sequence[str]
    time_of: TimeOf
    first_line: FirstLine

    def first_ms(self) -> int | None:
        """The time of the very first line."""
        line = self.first_line(self.sources[0])
        return None if line is None else _time(self.time_of, line)

    def last_ms(self) -> int | None:
        """The latest time among the last lines; None where that cannot be seen."""
        size = size_if_plain(self.sources[-1])
        if size is None:
            return None
        tail = read_bytes(self.sources[-1], max(0, size - _LOOK_BYTES), _LOOK_BYTES)
        times = [time for line in tail.split(b"\n") if (time := _time(self.time_of, line)) is not None]
        return max(times, default=None)


def _worth_it(cuts: list[_Cut], ends: _Ends, longest_pause_ms: int) -> list[_Cut]:
    """The cuts behind which there is enough time, and which are later than those before."""
    least_ms = _WORTH_IT * longest_pause_ms
    kept: list[_Cut] = []
    before_ms = ends.first_ms()
    last_ms = ends.last_ms()
    for each, following in pairwise([*cuts, None]):
        assert each is not None
        until_ms = last_ms if following is None else following.first_ms
        if before_ms is not None and each.first_ms <= before_ms:
            continue
        if until_ms is not None and until_ms - each.first_ms < least_ms:
            continue
        kept.append(each)
        before_ms = each.first_ms
    return kept


def _cut_near(
    place: int, sources: Sequence[str], sizes: Sequence[int], time_of: TimeOf, first_line: FirstLine
) -> _Cut | None:
    """A cut near a byte of all files; None where there is none."""
    file, offset = 0, place
    while offset >= sizes[file] and file + 1 < len(sizes):
        offset -= sizes[file]
        file += 1
    if offset and size_if_plain(sources[file]) is not None:
        return _cut_within(file, sources[file], offset, time_of)
    # Only whole files: the nearer end of this one.
    if offset * 2 >= sizes[file]:
        file += 1
    if not 0 < file < len(sources):
        return None
    line = first_line(sources[file])
    first_ms = None if line is None else _time(time_of, line)
    return None if first_ms is None else _Cut(file, 0, first_ms)


def _cut_within(file: int, name: str, offset: int, time_of: TimeOf) -> _Cut | None:
    """The first line behind a byte that is later than all before it, as far as one looks."""
    start = max(0, offset - _LOOK_BYTES)
    text = read_bytes(name, start, offset - start + _LOOK_BYTES)
    latest_ms = None
    at = text.find(b"\n") + 1 if start else 0
    while (end := text.find(b"\n", at)) >= 0:
        time_ms = _time(time_of, text[at:end])
        if time_ms is not None:
            if start + at >= offset and latest_ms is not None and time_ms > latest_ms:
                return _Cut(file, start + at, time_ms)
            latest_ms = time_ms if latest_ms is None else max(latest_ms, time_ms)
        at = end + 1
    return None


def _time(time_of: TimeOf, line: bytes) -> int | None:
    try:
        return time_of(line)
    except BAD_LINE:
        return None


def _parts(sources: Sequence[str], cuts: Sequence[_Cut]) -> Iterator[Part]:
    """The parts between cuts."""
    end_of_all = _Cut(len(sources), 0, 0)
    begins = [_Cut(0, 0, 0), *cuts, end_of_all]
    for number, (begin, end) in enumerate(pairwise(begins)):
        pieces = []
        for file in range(begin.file, min(end.file + 1, len(sources))):
            start = begin.start if file == begin.file else 0
            stop = end.start if file == end.file else None
            if stop != 0:
                pieces.append(Piece(sources[file], start, stop))
        yield Part(tuple(pieces), begin.first_ms if number else None)
