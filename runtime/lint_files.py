"""Files as they are on disk, edited by offsets of the text that is linted: line ends and byte-order mark stay."""

from __future__ import annotations

import os
import shutil
import tempfile
from bisect import bisect_left
from codecs import BOM_UTF8
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from epl.diagnostics import Edit, edited
from epl.source import Source, Span


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file; `raw` is its text with the line ends that it has, without its byte-order mark."""

    path: Path
    raw: str
    marked: bool = False

    @classmethod
    def read(cls, path: Path) -> TextFile:
        """Reads a file. Raises OSError, or UnicodeDecodeError when it is not UTF-8."""
        data = path.read_bytes()
        return cls(path, data.decode("utf-8-sig"), data.startswith(BOM_UTF8))

    @property
    def text(self) -> str:
        """The text as `Source.read` gives it."""
        return self.raw.replace("\r\n", "\n")

    def edited(self, edits: Iterable[Edit]) -> TextFile:
        """The file after edits by offsets of `text`; a line end within a new text is the file's most frequent one."""
        text, raw = self.text, self.raw
        pairs: list[int] = []  # the places of line ends of two characters, counted as one
        at = raw.find("\r\n")
        while at >= 0:
            pairs.append(at - len(pairs))
            at = raw.find("\r\n", at + 2)
        newline = "\r\n" if 2 * len(pairs) > text.count("\n") else "\n"

        def moved(offset: int) -> int:
            return offset + bisect_left(pairs, offset)

        placed = [
            Edit(Span(moved(edit.span.start), moved(edit.span.end)), edit.text.replace("\n", newline)) for edit in edits
        ]
        return replace(self, raw=edited(raw, placed))

    def edits_of(self, source: Source, edits: Iterable[Edit]) -> list[Edit] | None:
        """Edits of a source as edits of `text`; None when the source does not stand in the file as it is.

        A block of rules within YAML stands there behind as many line breaks as lines come before it.
        """
        text = self.text
        if source.text == text:
            return list(edits)
        rules = source.text.lstrip("\n")
        lines = len(source.text) - len(rules)
        start = sum(len(line) + 1 for line in text.split("\n", lines)[:lines])
        if not text.startswith(rules, start):
            return None
        by = start - lines
        return [Edit(Span(edit.span.start + by, edit.span.end + by), edit.text) for edit in edits]

    def write(self) -> None:
        """Puts the file in place at once: readers see the old or the new one. Its mode stays. Raises OSError."""
        target = Path(os.path.realpath(self.path))  # the file behind a link is replaced, not the link
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as part:
                part.write((BOM_UTF8 if self.marked else b"") + self.raw.encode())
            shutil.copymode(target, name)
            os.replace(name, target)
        finally:
            Path(name).unlink(missing_ok=True)
