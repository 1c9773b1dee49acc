"""Messages of a partition of Kafka as lines that are numbered by their offsets.

An offset without an event (a message that is none, the end of a transaction, what compaction took away) is a blank
line, which the engine passes over: so the lines of one run stay numbered, and a dead letter names its message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from runtime.io import RAW_LIMIT_BYTES, DeadLetter
from runtime.letters import too_long_letter
from runtime.service.host import SLICE


@dataclass(slots=True)
class Run:
    """Offsets of one partition without a break, `SLICE` at most. `time_ms` is the latest of its messages."""

    partition: int
    first_offset: int
    time_ms: int
    lines: list[bytes] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    messages: int = 0

    @property
    def next_offset(self) -> int:
        """The offset behind it."""
        return self.first_offset + len(self.lines)


class MessageReader:
    """Makes runs of one tenant's messages from one topic; `limit` is the longest event in bytes."""

    def __init__(self, tenant: str, topic: str, limit: int) -> None:
        self._tenant = tenant
        self._topic = topic
        self.limit = limit

    def source_of(self, partition: int) -> str:
        """What dead letters and positions call a partition."""
        return f"kafka:{self._topic}/{partition}"

    def runs(self, messages: Iterable[Message], now_ms: int) -> Iterator[Run]:
        """The runs of messages, those of a partition in order. `now_ms` is the time of messages without one."""
        open_runs: dict[int, Run] = {}
        for message in messages:
            partition, offset = message.partition(), message.offset()
            assert partition is not None and offset is not None
            kind, time_ms = message.timestamp()
            if kind == TIMESTAMP_NOT_AVAILABLE:
                time_ms = now_ms
            run = open_runs.get(partition)
            if run is not None and not run.next_offset <= offset < run.first_offset + SLICE:
                yield open_runs.pop(partition)
                run = None
            if run is None:
                run = open_runs[partition] = Run(partition, offset, time_ms)
            run.time_ms = max(run.time_ms, time_ms)
            run.lines += [b""] * (offset - run.next_offset)
            run.messages += 1
            self._add(run, message.value(), offset)
        yield from open_runs.values()

    def _add(self, run: Run, value: bytes | None, offset: int) -> None:
        source = self.source_of(run.partition)
        if value is None or not value or value.isspace():
            letter = DeadLetter("the message has no value", "bad_json", self._tenant, source, offset, value or b"")
            run.letters.append(letter)
            run.lines.append(b"")
        elif len(value) > self.limit:
            head = value[:RAW_LIMIT_BYTES]
            run.letters.append(too_long_letter(self._tenant, source, offset, len(value), head, self.limit))
            run.lines.append(b"")
        else:
            # In JSON a line break stands between tokens only.
            run.lines.append(value.replace(b"\n", b" ") if b"\n" in value else value)
