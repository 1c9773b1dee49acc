"""Statements that were parsed before: an editor asks for a whole file at every key, and one statement has changed.

Parsing is most of a check. A statement of the same text is the same tree, moved to where the text stands now.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from epl import ast

_MOST = 4_096
_LONGEST = 10_000


class RecentStatements:
    """The trees of the statements parsed last, by their text."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[int, ast.Statement]] = OrderedDict()
        self._lock = Lock()

    def find(self, text: str, start: int) -> ast.Statement | None:
        """The tree of a text that stands at an offset, None when it is not known."""
        with self._lock:
            found = self._known.get(text)
            if found is None:
                return None
            self._known.move_to_end(text)
        at, statement = found
        return statement if at == start else ast.moved(statement, start - at)

    def keep(self, text: str, start: int, statement: ast.Statement) -> None:
        """Remembers the tree of a text that stands at an offset, and forgets the one that was not asked for longest."""
        if len(text) > _LONGEST:
            return
        with self._lock:
            self._known[text] = (start, statement)
            self._known.move_to_end(text)
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
