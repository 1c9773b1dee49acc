"""Hangs comments on a finished document: each on the part beside which it stood.

The text must not change when it is formatted again. So a comment's place is decided by where it would be *printed*:
one that stood within parentheses which are not printed, or at the very edge of a part, counts as outside of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from epl.formatter.comments import Comment, Position
from epl.formatter.layout import Aside, Doc, Group, Indent, Line, Part
from epl.source import Span


@dataclass(slots=True, eq=False)
class _Node:
    """A part, and the parts within it that no other part is around."""

    part: Part
    parent: _Node | None
    number: int
    children: list[_Node] = field(default_factory=list)

    def begins_with(self, child: _Node) -> bool:
        """True when nothing is printed before the child, not even a line break."""
        return _edge(self.part.body, 0) is child.part

    def ends_with(self, child: _Node) -> bool:
        """True when nothing is printed behind the child."""
        return _edge(self.part.body, -1) is child.part


def place(root: Part, comments: Iterable[Comment]) -> None:
    """Hangs comments that stand inside a statement, given in order, on its parts."""
    tree: _Node | None = None
    for comment in comments:
        tree = tree or _tree(root)
        _hang(comment, tree)


def _tree(root: Part) -> _Node:
    around = Part(Span(0, 0), root)
    tree = _Node(around, None, 0)
    pending = [tree]
    while pending:
        node = pending.pop()
        node.children += [_Node(part, node, number) for number, part in enumerate(_parts(node.part.body))]
        pending += node.children
    return tree


def _parts(doc: Doc) -> Iterable[Part]:
    pending = [doc]
    while pending:
        current = pending.pop()
        match current:
            case Part():
                yield current
            case Group(body) | Indent(body):
                pending.append(body)
            case tuple():
                pending += reversed(current)
            case _:
                pass


def _edge(doc: Doc, side: int) -> Doc | None:
    """The first (0) or last (-1) thing that a document prints."""
    while True:
        match doc:
            case Group(body) | Indent(body):
                doc = body
            case tuple():
                printing = [item for item in doc if item not in ("", ())]
                if not printing:
                    return None
                doc = printing[side]
            case str() | Line() | Aside() | Part():
                return doc


def _hang(comment: Comment, tree: _Node) -> None:
    node, index = _locate(comment, tree)
    position = comment.position
    while True:
        node, index = _outward(node, index)
        preceding = node.children[index - 1].part if index > 0 else None
        following = node.children[index].part if index < len(node.children) else None
        if preceding is not None and preceding.ends_line:
            behind = _behind(preceding, position, is_last=following is None)
            if behind is not None:
                preceding.after.append(replace(comment, position=behind))
                return
        is_inline = position in (Position.INLINE, Position.BEFORE_COMMA)
        position = Position.INLINE if is_inline else Position.OWN_LINE
        if following is not None and following.begins_line:
            following.before.append(replace(comment, position=position))
            return
        # No line begins or ends here: the comment goes before what is around it.
        assert node.parent is not None
        node, index = node.parent, node.number


def _behind(part: Part, position: Position, is_last: bool) -> Position | None:
    """How a comment hangs behind a part, or None when it belongs to what follows."""
    match position:
        case Position.END_OF_LINE:
            behind = position_behind(part)
            return behind if is_last or behind is Position.END_OF_LINE else None
        case Position.BEFORE_COMMA if all(each.position is Position.INLINE for each in part.after):
            return Position.INLINE
        case _ if not is_last:
            return None
        case Position.OWN_LINE:
            return Position.OWN_LINE
        case _:
            return position_behind(part) if part.after else Position.INLINE


def _locate(comment: Comment, tree: _Node) -> tuple[_Node, int]:
    """The innermost part around a comment, and how many of its children stand before the comment."""
    node = tree
    while True:
        before = bisect_left(node.children, comment.span.start, key=lambda child: child.part.span.start)
        if before == 0 or node.children[before - 1].part.span.end <= comment.span.start:
            return node, before
        node = node.children[before - 1]


def _outward(node: _Node, index: int) -> tuple[_Node, int]:
    """The same place, named from the outermost part at whose edge it is."""
    while (parent := node.parent) is not None and node.children:
        if index == 0 and node.begins_with(node.children[0]):
            node, index = parent, node.number
        elif index == len(node.children) and node.ends_with(node.children[-1]):
            node, index = parent, node.number + 1
        else:
            break
    return node, index


def position_behind(part: Part) -> Position:
    """At the end of the part's line, unless a comment that nothing can follow stands there."""
    closed = any(comment.ends_line or comment.position is Position.OWN_LINE for comment in part.after)
    return Position.OWN_LINE if closed else Position.END_OF_LINE
