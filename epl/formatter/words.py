"""Names, strings and numbers as they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from epl import ast
from epl.lexer import RESERVED
from epl.source import Source

_PLAIN_NAME = re.compile(r"[^\W\d]\w*|\$\w+")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}
# Inside an annotation's value: strings, back-ticked names, comments, marks, anything else.
_LEXEME = re.compile(
    r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`[^`]*`|//[^\n]*|/\*(?s:.*?)\*/|[{},=]|(?:[^\s{},='\"`/]|/(?![/*]))+"
)


def name(text: str) -> str:
    """A name, in back-ticks where it is a reserved word or has characters that a plain name cannot have."""
    plain = _PLAIN_NAME.fullmatch(text) is not None and text.lower() not in RESERVED
    return text if plain else f"`{text}`"


def dotted(text: str) -> str:
    """A name of several words, such as that of a type: back-ticks go round the words that need them."""
    words = text.split(".")
    return ".".join(map(name, words)) if all(words) else name(text)


def type_name(node: ast.TypeName) -> str:
    """The name of a type, `int` or `int[]`."""
    element = node.name.removesuffix("[]")
    return dotted(node.name) if element in ("", node.name) else f"{dotted(element)}[]"


def string(text: str) -> str:
    """A string in single quotes, or in double ones when that saves escapes; what cannot be seen is escaped."""
    quote = '"' if "'" in text and '"' not in text else "'"
    return quote + "".join(f"\\{char}" if char == quote else _escaped(char) for char in text) + quote


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    # Beyond U+FFFF, an escape is a pair of halves, as in Java.
    units = char.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def annotation_value(argument: ast.AnnotationArgument, source: Source) -> str:
    """The value of an annotation's argument; numbers and names of constants as the author wrote them."""
    lexemes = [match[0] for match in _LEXEME.finditer(source.slice(argument.span))]
    lexemes = [lexeme for lexeme in lexemes if not lexeme.startswith(("//", "/*"))]
    if argument.name is not None:
        lexemes = lexemes[lexemes.index("=") + 1 :]
    if not isinstance(argument.value, tuple):
        return _scalar(argument.value, lexemes)
    written: list[list[str]] = [[]]
    for lexeme in lexemes[1:-1]:
        if lexeme == ",":
            written.append([])
        else:
            written[-1].append(lexeme)
    return "{" + ", ".join(map(_scalar, argument.value, written)) + "}"


def _scalar(value: ast.AnnotationValue, written: Sequence[str]) -> str:
    match value:
        case True | False | None:
            return str(value).lower() if value is not None else "null"
        case str() if written[0].startswith(("'", '"')):
            return string(value)
        case _:
            # A number, perhaps with a sign of its own, or the dotted name of a constant.
            return "".join(written)
