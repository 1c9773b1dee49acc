"""What the front and a worker say to each other, over a pair of sockets that nobody else has.

Frames of a length and msgpack. What is not an event's, such as configuration and plans, is pickled within: both ends
are one program, and the one has started the other.
"""

from __future__ import annotations

import asyncio
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from runtime.config.service import ServiceConfig
from runtime.service.records import Heard, LetterRecord

_HEAD_BYTES = 4

Clocks = dict[int, tuple[int | None, int]]
"""Of one tenant, as `Engine.come_to` says."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What a worker is to be: the first frame that it gets, pickled.

    `rules` has by tenant the number of the version that it runs, and the folder of that version; `socket` is where its
    monitoring listens.
    """

    number: int
    state: Path
    socket: Path
    config: ServiceConfig
    rules: dict[str, tuple[int, Path]]


class Part(msgspec.Struct, frozen=True, array_like=True, tag=1, gc=False):
    """Events of one batch that are a worker's; `number` counts the parts of a tenant, and may leave numbers out.

    The rest is as `records.Lines` has it.
    """

    tenant: str
    number: int
    source: bytes
    first_line: int
    lines: list[bytes]
    numbers: list[int] | None
    letters: list[LetterRecord]
    partition: int
    heard: Heard | None = None


class Order(msgspec.Struct, frozen=True, array_like=True, tag=2, gc=False):
    """Something to be done once, and answered by a `Reply` of the same number. `given` is pickled."""

    call: int
    what: str
    given: bytes


class Stop(msgspec.Struct, frozen=True, array_like=True, tag=3, gc=False):
    """Finish what there is, in so many seconds; told again, at once."""

    seconds: float


class Ready(msgspec.Struct, frozen=True, array_like=True, tag=1, gc=False):
    """All tenants are back. By name the number of the last part that was taken; and those that are paused.

    `clocks` has by name what `Engine.come_to` says.
    """

    taken: dict[str, int]
    paused: list[str]
    clocks: dict[str, Clocks] = {}


class Answered(msgspec.Struct, frozen=True, array_like=True, tag=2, gc=False):
    """What became of a part; the first of its letters with line, code and reason."""

    tenant: str
    number: int
    accepted: int
    refused: int
    letters: list[tuple[int, str, bytes]]


class Unsynced(msgspec.Struct, frozen=True, array_like=True, tag=3, gc=False):
    """A part was taken, and may not outlive a power cut; the reason in words."""

    tenant: str
    number: int
    reason: str


class Reply(msgspec.Struct, frozen=True, array_like=True, tag=4, gc=False):
    """What came of an order, pickled; or why nothing did."""

    call: int
    given: bytes
    problem: str | None = None


class CannotBegin(msgspec.Struct, frozen=True, array_like=True, tag=5, gc=False):
    """The worker ends before it is ready; why in words."""

    reason: str


ToWorker = Part | Order | Stop
ToFront = Ready | Answered | Unsynced | Reply | CannotBegin

_encode = msgspec.msgpack.Encoder().encode
decode_order = msgspec.msgpack.Decoder(ToWorker).decode
decode_answer = msgspec.msgpack.Decoder(ToFront).decode


def framed(message: ToWorker | ToFront) -> bytes:
    """A message as it is sent."""
    return framed_bytes(_encode(message))


def framed_bytes(data: bytes) -> bytes:
    """Any data as it is sent."""
    return len(data).to_bytes(_HEAD_BYTES) + data


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """The next frame; None at the end, also one that is torn."""
    try:
        size = int.from_bytes(await reader.readexactly(_HEAD_BYTES))
        return await reader.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def pickled(value: object) -> bytes:
    """A value for the other end."""
    return pickle.dumps(value)


def unpickled(data: bytes) -> Any:
    """A value of the other end."""
    return pickle.loads(data)
