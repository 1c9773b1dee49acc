"""Pieces of Python text: when they need parentheses, which words they use, and remarks for those who read it."""

from __future__ import annotations

import re
from collections.abc import Callable

_STRING = r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\""
_ATOM = re.compile(rf"[\w.]+|{_STRING}")
_PARENTHESES = re.compile(rf"{_STRING}|[()]")
_WORD = re.compile(rf"{_STRING}|#[^\n]*|(?<![\w.])([A-Za-z_]\w*)")
_REMARK = 100  # characters


def is_atom(text: str) -> bool:
    """A name, a dotted name or a literal: needs no parentheses and may be repeated freely."""
    return _ATOM.fullmatch(text) is not None


def grouped(text: str) -> str:
    """The text in parentheses, unless it needs none."""
    return text if is_atom(text) or _is_enclosed(text) else f"({text})"


def ungrouped(text: str) -> str:
    """The text without the parentheses around all of it, if there are any."""
    return text[1:-1] if _is_enclosed(text) else text


def escaped(text: str) -> str:
    """Text that goes through `format` unchanged."""
    return text.replace("{", "{{").replace("}", "}}")


def replace_words(text: str, replace: Callable[[str], str]) -> str:
    """The text with its words replaced, apart from attributes and what stands in strings and remarks."""

    def word(match: re.Match[str]) -> str:
        return match[0] if match[1] is None else replace(match[1])

    return _WORD.sub(word, text)


def remark(text: str) -> str:
    """A comment of one line, whatever the text holds: names of rules and files may have any characters."""
    line = "".join(char if char.isprintable() else " " if char.isspace() else "�" for char in text)
    words = " ".join(line.split())
    return f"# {words if len(words) <= _REMARK else words[: _REMARK - 1] + '…'}"


def _is_enclosed(text: str) -> bool:
    if not text.startswith("(") or not text.endswith(")"):
        return False
    depth = 0
    for match in _PARENTHESES.finditer(text):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return match.end() == len(text)
    return False
