"""Whether what came out is right: a fast wrong answer is not measured.

The stated sums are those of the benchmark's README for its million events; beside them, all who do Job S must agree on
every session's id, last url and first event.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec

FULL = 1_000_000
STATED_SUMS = {
    "sessions": 99_429,
    "n": 1_000_000,
    "views": 399_978,
    "clicks": 200_171,
    "dur": 36_604_599_870,
}
STATED_P = {
    "created": 99_433,
    "single_event": 11_037,
    "short": 85_269,
    "long": 4,
    "max_duration_ms": 86_391_707,
    "max_events": 9_109,
}
STATED_P_LINES = 1_198_866


class Record(msgspec.Struct, gc=False):
    """One session, as every program writes it; without items the list may be missing."""

    session_id: str
    n: int
    views: int
    clicks: int
    dur: int
    url: str
    _cn: str | None = None
    _cty: str | None = None
    _dd_bf: str | None = None
    _dd_os: str | None = None
    _dd_d: str | None = None
    itms: list[str] | None = None


def sums_of(out: Path) -> dict[str, int]:
    """Sums over the records of Job S, in whatever order they were written; `first` and `last` are checksums.

    The lists are counted and not compared: where an item comes back that had been pushed out, programs differ.
    """
    sums = dict.fromkeys((*STATED_SUMS, "items", "last", "first"), 0)
    decode = msgspec.json.Decoder(Record).decode
    with out.open("rb") as lines:
        for line in lines:
            record = decode(line)
            sums["sessions"] += 1
            for key in ("n", "views", "clicks", "dur"):
                sums[key] += getattr(record, key)
            sums["items"] += len(record.itms or ())
            sums["last"] += crc32(f"{record.session_id} {record.url}".encode())
            first = (record._cn, record._cty, record._dd_bf, record._dd_os, record._dd_d)
            sums["first"] += crc32(f"{record.session_id} {first}".encode())
    return sums


def wrong_records(out: Path, expected: Mapping[str, int]) -> str:
    """What is wrong with the records of Job S, empty when nothing is. Other sums than those expected do not count."""
    try:
        found = sums_of(out)
    except (OSError, msgspec.MsgspecError) as error:
        return f"its records cannot be read: {error}"
    return _wrong(found, expected)


def wrong_summary(summary: Mapping[str, Any], is_full: bool) -> str:
    """What is wrong with the summary of Job P; counts are known for the million events only."""
    if not is_full:
        return ""
    return _wrong({**summary["sessions"]["PulsarSession"], **summary}, {**STATED_P, "lines_out": STATED_P_LINES})


def _wrong(found: Mapping[str, Any], expected: Mapping[str, int]) -> str:
    wrong = [f"{key} {found[key]:,}, not {value:,}" for key, value in expected.items() if found[key] != value]
    return f"wrong answer: {'; '.join(wrong)}" if wrong else ""
