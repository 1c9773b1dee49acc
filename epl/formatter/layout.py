"""Text that fits a line or breaks in the right places, after the pretty printers of Oppen and Wadler.

A document is text with possible line breaks. Groups are tried on one line; a group that does not fit turns all its
own breaks into new lines, and the groups within are tried again. `Part` is what this formatter adds: a piece of the
document that knows which piece of the source it was made of, so that comments can be hung on it afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from epl.formatter.comments import Comment, Position
from epl.source import Span

WIDTH = 100
"""Columns of a line."""
_STEP = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A place for a line break; `flat` stands there when its group is on one line."""

    flat: str
    always: bool = False


LINE = Line(" ")
SOFT = Line("")
HARD = Line("", always=True)


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Breaks all of its own lines, or none."""

    body: Doc


@dataclass(frozen=True, slots=True, eq=False)
class Indent:
    """Indents the lines within by one step."""

    body: Doc


@dataclass(frozen=True, slots=True, eq=False)
class Aside:
    """A comment behind something. It takes no room: lines do not break because of it.

    `at_end`: it moves to the end of its line, behind the comma.
    """

    text: str
    at_end: bool


@dataclass(slots=True, eq=False)
class Part:
    """What was made of one piece of the source, with the comments that belong to it.

    `begins_line`: a line begins here once the groups around it break, so comments may stand before it.
    `ends_line`: likewise, a line ends behind it, at most a comma later.
    """

    span: Span
    body: Doc
    begins_line: bool = False
    ends_line: bool = False
    before: list[Comment] = field(default_factory=list)
    after: list[Comment] = field(default_factory=list)

    def with_comments(self) -> Doc:
        """The body between its comments."""
        if not self.before and not self.after:
            return self.body
        return (leading(self.before), self.body, *(_behind(comment) for comment in self.after))


Doc = str | Line | Group | Indent | Aside | Part | tuple["Doc", ...]


def leading(comments: Sequence[Comment]) -> Doc:
    """Comments before something: each on its line, the last ones on the same line if they stood so."""
    lines = [number for number, comment in enumerate(comments) if comment.position is not Position.INLINE]
    inline_from = lines[-1] + 1 if lines else 0
    return tuple((comment.text, HARD if number < inline_from else " ") for number, comment in enumerate(comments))


def _behind(comment: Comment) -> Doc:
    if comment.position is Position.OWN_LINE:
        return (HARD, comment.text)
    return Aside(f" {comment.text}", at_end=comment.position is Position.END_OF_LINE)


def join(separator: Doc, docs: Iterable[Doc]) -> Doc:
    """The documents with a separator between them."""
    joined: list[Doc] = []
    for doc in docs:
        joined += [separator, doc] if joined else [doc]
    return tuple(joined)


def render(doc: Doc) -> str:
    """The text of a document, without a line break at its end."""
    return _Renderer(doc).text()


# An item of work: indentation, whether lines are broken, and what to write.
_Work = tuple[int, bool, Doc]


class _Renderer:
    def __init__(self, doc: Doc) -> None:
        self._doc = doc
        self._must_break = _groups_that_must_break(doc)
        self._lines: list[str] = []
        self._line = ""
        self._suffix = ""

    def text(self) -> str:
        pending: list[_Work] = [(0, True, self._doc)]
        while pending:
            indent, broken, doc = pending.pop()
            match doc:
                case str():
                    self._line += doc
                case Aside(text, at_end=True):
                    self._suffix += text
                case Aside(text):
                    self._line += text
                case Line(flat, always):
                    if broken or always:
                        self._end_line()
                        self._line = " " * indent
                    else:
                        self._line += flat
                case Group(body):
                    breaks = id(doc) in self._must_break or not self._fits((indent, False, body), pending)
                    pending.append((indent, breaks, body))
                case Indent(body):
                    pending.append((indent + _STEP, broken, body))
                case Part():
                    pending.append((indent, broken, doc.with_comments()))
                case _:
                    pending += [(indent, broken, item) for item in reversed(doc)]
        self._end_line()
        return "\n".join(self._lines)

    def _end_line(self) -> None:
        self._lines.append((self._line + self._suffix).rstrip())
        self._line = self._suffix = ""

    def _fits(self, work: _Work, rest: Sequence[_Work]) -> bool:
        """True when the work, flat, and what follows it up to the next line break fit into this line."""
        room = WIDTH - len(self._line)
        pending = [work]
        following = len(rest)
        while room >= 0:
            if not pending:
                if following == 0:
                    return True
                following -= 1
                pending.append(rest[following])
            indent, broken, doc = pending.pop()
            match doc:
                case str():
                    room -= len(doc)
                case Aside():
                    pass
                case Line(flat, always):
                    if broken or always:
                        return True
                    room -= len(flat)
                case Group(body) | Indent(body):
                    pending.append((indent, broken, body))
                case Part():
                    pending.append((indent, broken, doc.with_comments()))
                case _:
                    pending += [(indent, broken, item) for item in reversed(doc)]
        return False


def _groups_that_must_break(doc: Doc) -> set[int]:
    """The ids of the groups that hold a line break already, or a comment that ends its line."""
    preorder: list[Doc] = []
    pending: list[Doc] = [doc]
    while pending:
        current = pending.pop()
        preorder.append(current)
        pending += _inside(current)
    breaking: set[int] = set()
    # Backwards, so that what is inside comes before what is around it.
    for current in reversed(preorder):
        if _breaks(current) or any(id(inner) in breaking for inner in _inside(current)):
            breaking.add(id(current))
    return breaking


def _inside(doc: Doc) -> Sequence[Doc]:
    match doc:
        case str() | Line() | Aside():
            return ()
        case Group(body) | Indent(body):
            return (body,)
        case Part():
            return (doc.body,)
        case _:
            return doc


def _breaks(doc: Doc) -> bool:
    match doc:
        case Line():
            return doc.always
        case Part():
            return any(comment.position is not Position.INLINE for comment in (*doc.before, *doc.after))
        case _:
            return False
