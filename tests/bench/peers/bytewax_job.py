"""Job S as a bytewax flow: bytewax_job.py EVENTS OUT, one worker, with nothing to restart from.

On its stateful operator, in batches, as somebody would write it who wants it fast. Like the hand-written loop, it keeps
what has not ended until the file is over.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bytewax.operators as op
import msgspec
from bytewax.connectors.files import FileSink, FileSource
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.testing import cluster_main

GAP_MS = 30 * 60 * 1000
MOST_ITEMS = 10


class Event(msgspec.Struct, gc=False):
    """The fields that the record needs."""

    si: str
    ct: int
    et: str
    url: str
    _cn: str
    _cty: str
    _dd_bf: str
    _dd_os: str
    _dd_d: str
    itm: str | None = None


class Session(msgspec.Struct, gc=False):
    """The record of a session, as it is written."""

    si: str
    session_id: str
    start: int
    end: int
    _cn: str
    _cty: str
    _dd_bf: str
    _dd_os: str
    _dd_d: str
    dur: int = 0
    n: int = 0
    views: int = 0
    clicks: int = 0
    url: str = ""
    itms: list[str] = []


encode = msgspec.json.Encoder().encode


class Sessions(StatefulBatchLogic[Event, str, Any]):
    """The sessions of one key, one after the other."""

    def __init__(self) -> None:
        self.session: Session | None = None

    def on_batch(self, values: list[Event]) -> tuple[Iterable[str], bool]:
        """Counts events; gives the records of sessions that a gap has ended."""
        ended = []
        session = self.session
        for event in values:
            at = event.ct
            if session is not None and at - session.end >= GAP_MS:
                ended.append(record(session))
                session = None
            if session is None:
                first = (event._cn, event._cty, event._dd_bf, event._dd_os, event._dd_d)
                session = Session(event.si, f"{event.si}#{at}", at, at, *first, itms=[])
            count(session, event)
        self.session = session
        return ended, StatefulBatchLogic.RETAIN

    def on_eof(self) -> tuple[Iterable[str], bool]:
        """The last session ends with the file."""
        return ([] if self.session is None else [record(self.session)]), StatefulBatchLogic.DISCARD

    def snapshot(self) -> Any:
        """Nothing is restarted."""
        return None


def count(session: Session, event: Event) -> None:
    """What an event adds to its session."""
    session.end = event.ct
    session.n += 1
    session.url = event.url
    if event.et == "view":
        session.views += 1
    elif event.et == "click":
        session.clicks += 1
    item = event.itm
    if item is not None and item not in session.itms:
        session.itms.append(item)
        if len(session.itms) > MOST_ITEMS:
            del session.itms[0]


def record(session: Session) -> str:
    """A session's line."""
    session.dur = session.end - session.start
    return encode(session).decode()


def main(source: str, out: str) -> None:
    """Runs the flow to its end."""
    decode = msgspec.json.Decoder(Event).decode

    def keyed(lines: list[str]) -> list[tuple[str, Event]]:
        return [(event.si, event) for event in map(decode, lines)]

    flow = Dataflow("job_s")
    lines = op.input("read", flow, FileSource(source))
    events = op.flat_map_batch("decode", lines, keyed)
    records = op.stateful_batch("sessions", events, lambda _state: Sessions())
    op.output("write", records, FileSink(Path(out)))
    cluster_main(flow, [], 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
