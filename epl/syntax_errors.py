"""What went wrong at an unexpected word: an unsupported construct by its name, a reserved word, or plain surprise."""

from __future__ import annotations

from lark import Token

from epl.diagnostics import Code, Problems, did_you_mean, syntax_codes
from epl.lexer import RESERVED
from epl.source import Source, Span

_SHOWN = {"NAME": "a name", "STRING": "a string", "INTEGER": "a number", "$END": "the end of the statement"}
_PUNCTUATION = {
    "LEFT_PAREN": "`(`",
    "RIGHT_PAREN": "`)`",
    "COMMA": "`,`",
    "EQUALS": "`=`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "RIGHT_BRACKET": "`]`",
    "COLON": "`:`",
    "STAR": "`*`",
    "AT": "`@`",
}
# What may follow a whole expression: one thing, too.
_OPERATORS = frozenset(
    {"BITWISE_OPERATOR", "DOT", "EQUALS", "IS", "LEFT_BRACKET", "MINUS", "NOT", "NOT_EQUALS", "PERCENT", "PLUS"}
    | {"QMARK", "RELATION_OPERATOR", "SLASH", "STAR", "_AND", "_BETWEEN", "_IN", "_LIKE", "_OR", "_REGEXP"}
)
_EXPRESSION_START = frozenset({"STRING", "INTEGER", "NULL", "LEFT_PAREN"})
_WORDS: dict[str, Code] = {
    "_GROUP": syntax_codes.GROUP_BY,
    "_HAVING": syntax_codes.HAVING,
    "_ORDER": syntax_codes.ORDER_BY,
    "_LIMIT": syntax_codes.LIMIT,
    "_OUTPUT": syntax_codes.OUTPUT,
    "_DISTINCT": syntax_codes.DISTINCT,
    "_RSTREAM": syntax_codes.REMOVE_STREAM,
    "_IRSTREAM": syntax_codes.REMOVE_STREAM,
    "_UNIDIRECTIONAL": syntax_codes.UNIDIRECTIONAL,
    "_ON": syntax_codes.TRIGGER,
}
_CREATED = {"window": syntax_codes.TABLE, "table": syntax_codes.TABLE, "index": syntax_codes.TABLE}
_OPENINGS = {"context": syntax_codes.CONTEXT, "delete": syntax_codes.STATEMENT, "merge": syntax_codes.STATEMENT}


def report_unexpected(
    token: Token, expected: set[str], tokens: list[Token], source: Source, piece: Span, problems: Problems
) -> None:
    """Adds the one diagnostic that says most about an unexpected token. `tokens` are those read so far."""
    if token.type == "$END":
        text = source.slice(piece)
        at = piece.start + len(text.rstrip())
        last = tokens[-1] if tokens else token
        span = _span(last) if tokens else Span(at, at)
        problems.add(syntax_codes.ENDS_EARLY, span, expected=_expected(expected))
        return
    read = tokens[:-1] if tokens and tokens[-1] is token else tokens
    span = _span(token)
    refused = _refused_construct(token, read)
    if refused is not None:
        problems.add(refused, span)
    elif token.lower() in RESERVED and "NAME" in expected and "STRING" not in expected:
        problems.add(
            syntax_codes.RESERVED_NAME, span, word=str(token), hint=f"write `` `{token}` `` to use it as a name"
        )
    else:
        found = "string" if token.type == "STRING" else f"`{token}`"
        shown = f"{found} {token}" if token.type == "STRING" else found
        hint = _hint(token, read, expected)
        problems.add(syntax_codes.UNEXPECTED, span, found=shown, expected=_expected(expected), hint=hint)


def report_stray(at: int, tokens: list[Token], source: Source, problems: Problems) -> None:
    """Adds the diagnostic of a character that begins no token."""
    character = source.text[at]
    words = [token.lower() for token in tokens]
    # `from E#length(3)`: how later versions of EPL write a data window.
    is_window = character == "#" and "from" in words and "where" not in words
    code = syntax_codes.WINDOW if is_window else syntax_codes.STRAY_CHARACTER
    problems.add(code, Span(at, at + 1), character=character)


def _refused_construct(token: Token, read: list[Token]) -> Code | None:
    """The unsupported construct that an unexpected token announces, if it does."""
    words = [earlier.lower() for earlier in read]
    word = token.lower()
    after_from = "from" in words
    previous = read[-1].type if read else ""
    if previous == "_AS":
        return None  # `as order`: a reserved word used as a name
    if token.type in _WORDS and (after_from or token.type not in ("_ON", "_ORDER", "_GROUP", "_LIMIT", "_OUTPUT")):
        return _WORDS[token.type]
    opens = not read or (read[0].type == "AT" and previous in ("RIGHT_PAREN", "NAME"))
    if token.type == "_ON" and opens:
        return syntax_codes.TRIGGER
    if token.type == "_SELECT" and previous == "LEFT_PAREN" and {"select", "update"} & set(words):
        return syntax_codes.SUB_QUERY
    if after_from and "match_recognize" in (word, words[-1]):
        return syntax_codes.MATCH_RECOGNIZE
    if previous == "_CREATE" and word in _CREATED:
        return _CREATED[word]
    if previous == "_CREATE" and word == "context":
        return syntax_codes.CONTEXT
    if opens and word in _OPENINGS:
        return _OPENINGS[word]
    if not after_from:
        return None
    stream = words[words.index("from") + 1 :]
    if stream and stream[0] == "pattern" and token.type == "LEFT_BRACKET":
        return syntax_codes.PATTERN
    if token.type in ("COLON", "DOT") and "where" not in stream:
        return syntax_codes.WINDOW
    if (token.type == "COMMA" and "where" not in stream and stream.count("(") == stream.count(")")) or (
        word in ("inner", "left", "right", "full", "outer", "join") and stream
    ):
        return syntax_codes.JOIN
    return None


def _span(token: Token) -> Span:
    assert token.start_pos is not None and token.end_pos is not None
    return Span(token.start_pos, token.end_pos)


def _expected(terminals: set[str]) -> str:
    """The terminals in words; an expression is one thing and not twelve."""
    shown = []
    rest = {name for name in terminals if not name.startswith("__")}  # `||` and `=>` have no name
    if rest >= _EXPRESSION_START:
        shown.append("an expression")
        rest -= {"NAME", "STRING", "INTEGER", "DECIMAL", "TRUE", "FALSE", "NULL", "LEFT_PAREN", "LBRACE"}
        rest -= {"_CASE", "_CAST", "_INSTANCEOF", "MINUS", "PLUS", "NOT", "QUOTED_NAME"}
    if rest >= _OPERATORS:
        shown.append("an operator")
        rest -= {*_OPERATORS, "LEFT_PAREN"}
    keywords = sorted(name for name in rest if name.startswith("_") or name in ("IS", "NOT"))
    shown += [_SHOWN[name] for name in ("NAME", "STRING", "INTEGER", "$END") if name in rest]
    shown += [_PUNCTUATION[name] for name in _PUNCTUATION if name in rest]
    shown += [f"`{name.strip('_').lower()}`" for name in keywords]
    unique = list(dict.fromkeys(shown))
    if len(unique) > 5:
        unique = [*unique[:5], "…"]
    return " or ".join(unique) if len(unique) < 3 else ", ".join(unique[:-1]) + " or " + unique[-1]


def _hint(token: Token, read: list[Token], expected: set[str]) -> str | None:
    """`selct`, `form`: a keyword one slip away, at the unexpected word or right before it."""
    keywords = [name.strip("_").lower() for name in expected if name.startswith("_")]
    if token.type == "NAME":
        hint = did_you_mean(token.lower(), keywords)
        if hint:
            return hint
    if read and read[-1].type == "NAME":
        near = did_you_mean(read[-1].lower(), ["select", "from", "where", "update", "insert", "istream"])
        if near:
            return f"`{read[-1]}`: {near}"
    return None
