"""What is in a snapshot: read from the file alone, without the rules that wrote it and without an engine.

The file says how its sessions are laid out, so it can be looked into on any machine, also when the rules are gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime.cache.entries import HEADER_BYTES, read_key
from runtime.cache.image import CACHE_FRAMES, CacheHeader, CacheImage, TableHeader
from runtime.cache.rows import StoredSession, rule_set, stored_session
from runtime.cache.shapes import Shape
from runtime.cache.strange import unpack_any
from runtime.config import TimePolicy
from runtime.frames import FORMAT, TornFile
from runtime.snapshot import REST, frames_of, opened


@dataclass(frozen=True, slots=True)
class PartitionClock:
    """The clock of a partition in epoch ms, None when no event has set it; `waiting` events have not had their turn."""

    number: int
    now_ms: int | None
    waiting: int


@dataclass(slots=True)
class ProfileContents:
    """The open sessions of a profile. `sizes` counts them by the bytes that an entry has, key and header included.

    `objects` were being worked with, so that they are outside the pages; `refused_ends` are end markers that nobody has
    taken yet; `late` sessions are those that a late event opened beside its key's own. `shapes` has the rule sets that
    wrote any of them, by number, the oldest first: one that no event has touched since rules changed is as it was.
    """

    name: str
    sessions: int
    objects: int = 0
    sizes: Counter[int] = field(default_factory=Counter)
    refused_ends: int = 0
    late: int = 0
    shapes: Mapping[int, Shape] = field(default_factory=dict)


@dataclass(slots=True)
class Contents:
    """All of a snapshot: what its cache was like, the entries in its pages, and the sessions that were objects."""

    tenant: str
    policy: TimePolicy
    format: int
    file_bytes: int
    clocks: list[PartitionClock]
    profiles: list[ProfileContents]
    image: CacheImage

    @property
    def header(self) -> CacheHeader:
        """The sizes of its pages, and the tables."""
        return self.image.header

    @property
    def free_bytes(self) -> int:
        """In blocks of its pages that hold nothing."""
        return self.header.pages * self.header.page_size - self.header.used_bytes

    @property
    def events_waiting(self) -> int:
        """Events that came early and wait for their turn."""
        return sum(clock.waiting for clock in self.clocks)

    def sessions(self, profile: str | None = None, key: str | None = None) -> Iterator[tuple[str, int, StoredSession]]:
        """Open sessions with the name of their profile and their size in bytes: all, or those of a profile or a key."""
        tables = self.header.tables
        for number, stored, payload in self.stored():
            name = tables[number].profile
            if profile not in (None, name):
                continue
            text = read_key(stored)
            if key in (None, text):
                session = stored_session(text, payload, tables[number].shapes)
                yield name, _size(stored, payload), session

    def stored(self) -> Iterator[tuple[int, bytes, bytes]]:
        """The number of the table, the key and the payload of each; first those that were objects."""
        for each in self.image.objects:
            yield each.table, each.key, each.payload
        for _, table, key, payload in self.image.entries():
            yield table, key, payload


def read_contents(path: Path) -> Contents:
    """All of a snapshot, checked; takes as much memory as its pages. Raises SnapshotError."""
    with opened(path) as file:
        frames = frames_of(file)
        clocks: Mapping[str, Any] = unpack_any(next(frames)[1])
        image = CacheImage()
        rest: Mapping[str, Any] | None = None
        for kind, data in frames:
            if kind in CACHE_FRAMES:
                image.take(kind, data)
            elif kind == REST:
                rest = unpack_any(data)
        if rest is None:
            raise TornFile("it has no state of an engine")
        header = image.header
        contents = Contents(
            tenant=clocks["tenant"],
            policy=TimePolicy(clocks["policy"]),
            format=FORMAT,
            file_bytes=path.stat().st_size,
            clocks=[_clock(each) for each in clocks["partitions"]],
            profiles=[_profile(table, rest["profiles"][table.profile]) for table in header.tables],
            image=image,
        )
        for each in image.objects:
            contents.profiles[each.table].objects += 1
        found = [
            {rule_set(payload) for *_, payload in rest["profiles"][each.name]["alone"]} for each in contents.profiles
        ]
        for number, key, payload in contents.stored():
            contents.profiles[number].sizes[_size(key, payload)] += 1
            found[number].add(rule_set(payload))
        for profile, table, numbers in zip(contents.profiles, header.tables, found, strict=True):
            profile.shapes = {number: table.shapes[number] for number in sorted(numbers)}
    return contents


def _clock(state: Mapping[str, Any]) -> PartitionClock:
    waiting = 0 if state["reorder"] is None else len(state["reorder"]["waiting"])
    return PartitionClock(state["number"], None if state["is_fresh"] else state["now_ms"], waiting)


def _profile(table: TableHeader, state: Mapping[str, Any]) -> ProfileContents:
    return ProfileContents(table.profile, table.sessions, refused_ends=len(state["waiting"]), late=len(state["alone"]))


def _size(key: bytes, payload: bytes) -> int:
    return HEADER_BYTES + len(key) + len(payload)
