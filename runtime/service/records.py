"""What is written down before it is done to a tenant's engine, so that it can be done again, and comes to the same.

An engine reads no clock, and its outlet is open or shut for the whole of an operation, so an operation is known by what
it was given. Beside operations the log has notes of what became of them and cannot be known from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from runtime.io import DeadLetter

Position = str | int
"""Where a source goes on."""


class LetterRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A dead letter of an event that did not get as far as the engine. Texts are as `packed` makes them."""

    reason: bytes
    code: str
    line: int
    raw: bytes
    raw_bytes: int | None


class Operation(msgspec.Struct, frozen=True, array_like=True, gc=False, kw_only=True):
    """Something that is done to an engine at `at_ms`; `line` and `letter` number what will leave next because of it."""

    line: int
    letter: int
    at_ms: int


class Mark(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Before the line at `place`, the events of a partition had come so far, wherever they went: as `Engine.hear`."""

    place: int
    partition: int
    highest_ms: int | None
    heard_ms: int


class Heard(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one of several processes cannot know of a clock that events make: they went to the others.

    `wall_ms` is the wall clock by which all of them judge what is too far in the future.
    """

    wall_ms: int
    marks: list[Mark]


class Lines(Operation, frozen=True, tag=1):
    """Lines of one source, from its `first_line` on, then letters of such as were no events; maybe none of either.

    `partition` is the part of the stream whose clock they go by; `position` is where the source goes on after them;
    `disabled` says why none was taken, where that was so. Where lines between them are not here, `numbers` has the
    number of each; where positions are not the source's own, `counted_by` says whose. `heard` is there where several
    processes have the events of one clock.
    """

    source: bytes
    first_line: int
    lines: list[bytes]
    letters: list[LetterRecord] = []
    partition: int = 0
    position: Position | None = None
    disabled: bytes | None = None
    numbers: list[int] | None = None
    counted_by: str | None = None
    heard: Heard | None = None


class Tick(Operation, frozen=True, tag=2):
    """A second has passed; whether ends were taken then."""

    is_ready: bool


class End(Operation, frozen=True, tag=3):
    """A session is ended on demand; whether ends were taken then."""

    is_ready: bool
    profile: bytes
    key: bytes


class Swap(Operation, frozen=True, tag=7):
    """Other rules take over, by the number of their version; whether ends were taken then."""

    is_ready: bool
    version: int


class Stopped(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """In the operation before, a rule that took too long was stopped."""


class Paused(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """The tenant takes events no more, or again."""

    is_paused: bool


class Taken(msgspec.Struct, frozen=True, array_like=True, tag=6):
    """How far deliveries have come, by name: the number of the first line that each has not delivered."""

    lines: dict[str, int]


class Cooled(msgspec.Struct, frozen=True, array_like=True, tag=8):
    """Sessions that were objects were written to pages, a step of it, so that other rules can take over at once.

    It decides where there is room, and so which sessions are evicted later.
    """


class Rules(msgspec.Struct, frozen=True, array_like=True, tag=9):
    """By which version of the rules a file of the log begins: the first record of each."""

    version: int


class Share(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one of several processes gets of a batch, by the number of the part; else as `Lines` has it."""

    worker: int
    number: int
    first_line: int
    lines: list[bytes]
    numbers: list[int] | None
    letters: list[LetterRecord]
    heard: Heard | None = None


class Handed(msgspec.Struct, frozen=True, array_like=True, tag=10, gc=False):
    """A batch that is handed on to several processes: as long as it is not answered, the same parts are sent again."""

    source: bytes
    position: Position
    partition: int
    shares: list[Share]


class Places(msgspec.Struct, frozen=True, array_like=True, tag=11, gc=False):
    """Where sources go on, all of them."""

    positions: list[tuple[bytes, Position]]


Record = Lines | Tick | End | Swap | Stopped | Paused | Taken | Cooled | Rules | Handed | Places

encode_record = msgspec.msgpack.Encoder().encode
decode_record = msgspec.msgpack.Decoder(Record).decode


def packed(text: str) -> bytes:
    """A text, of whatever it is made: names of files and keys may have what UTF-8 cannot hold."""
    return text.encode("utf-8", "surrogatepass")


def unpacked(data: bytes) -> str:
    """The text of `packed`."""
    return data.decode("utf-8", "surrogatepass")


def letter_record(letter: DeadLetter) -> LetterRecord:
    """A letter as the log has it; tenant and source stand beside it."""
    return LetterRecord(packed(letter.reason), letter.code, letter.line, letter.raw, letter.raw_bytes)


def letter_of_record(record: LetterRecord, tenant: str, source: str) -> DeadLetter:
    """The letter again."""
    reason = unpacked(record.reason)
    return DeadLetter(reason, record.code, tenant, source, record.line, record.raw, record.raw_bytes)


def runs(lines: Sequence[bytes], heard: Heard | None) -> Iterator[tuple[int, Sequence[bytes], Mark | None]]:
    """Lines and what is heard among them, in order: the place of each run of lines, or of a mark, without lines."""
    begin = 0
    for mark in () if heard is None else heard.marks:
        if mark.place > begin:
            yield begin, lines[begin : mark.place], None
            begin = mark.place
        yield begin, (), mark
    if begin < len(lines):
        yield begin, lines[begin:] if begin else lines, None
