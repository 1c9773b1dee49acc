"""The little Markdown that the pages need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_GENERATED = "<!-- Written by `sojourn reference`; change the code that it describes instead. -->"


def page(title: str, lead: str, *parts: str) -> str:
    """A page: heading, what it is about, parts with a blank line between them."""
    return "\n\n".join([_GENERATED, f"# {title}", lead, *parts]) + "\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; bars and line breaks in cells are kept from breaking it."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def code(text: str) -> str:
    """Text as code, whatever back-ticks it holds."""
    fence = "``" if "`" in text else "`"
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def block(text: str, language: str = "") -> str:
    """A block of code."""
    body = text.rstrip("\n")
    return f"```{language}\n{body}\n```"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
