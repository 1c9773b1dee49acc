"""Changes to a rule file that keep it a rule file more often than changes of bytes do.

Random bytes hardly ever get past the parser; tokens swapped, doubled and taken from other files often do, and then
the checker and the compiler have something to chew on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from re import Pattern

Tokens = list[bytes]

_OPENING = {b"(": b")", b"[": b"]", b"{": b"}"}


class Mutations:
    """Mutates by tokens; `donors` are rule files to take from, `words` the language's own, `expressions` examples."""

    def __init__(
        self, token: Pattern[bytes], donors: Sequence[bytes], words: Sequence[bytes], expressions: Sequence[bytes]
    ) -> None:
        self._token = token
        self._donors = donors
        self._words = words
        self._expressions = expressions
        self._ways: list[Callable[[Tokens, Random], Tokens]] = [
            self._swap,
            self._double,
            self._delete,
            self._word,
            self._word,
            self._expression,
            self._expression,
            self._statement,
            self._group,
            self._wrap,
            self._repeat,
        ]

    def __call__(self, data: bytes, random: Random) -> bytes:
        """The data with one to four changes."""
        tokens = self._token.findall(data)
        for _ in range(random.choice((1, 1, 2, 4))):
            tokens = random.choice(self._ways)(tokens or [b" "], random)
        return b"".join(tokens)

    @staticmethod
    def _swap(tokens: Tokens, random: Random) -> Tokens:
        one, other = random.randrange(len(tokens)), random.randrange(len(tokens))
        tokens[one], tokens[other] = tokens[other], tokens[one]
        return tokens

    @staticmethod
    def _double(tokens: Tokens, random: Random) -> Tokens:
        start = random.randrange(len(tokens))
        end = start + random.choice((1, 2, 5, 20))
        return [*tokens[:end], *tokens[start:]]

    @staticmethod
    def _delete(tokens: Tokens, random: Random) -> Tokens:
        start = random.randrange(len(tokens))
        return [*tokens[:start], *tokens[start + random.choice((1, 1, 2, 5)) :]]

    def _word(self, tokens: Tokens, random: Random) -> Tokens:
        at = _solid(tokens, random)
        tokens[at] = random.choice(self._words)
        return tokens

    def _expression(self, tokens: Tokens, random: Random) -> Tokens:
        at = _solid(tokens, random)
        tokens[at] = b"(" + random.choice(self._expressions) + b")"
        return tokens

    def _statement(self, tokens: Tokens, random: Random) -> Tokens:
        """A statement of another file, at the place of one of this."""
        ends = [-1, *(at for at, token in enumerate(tokens) if token == b";"), len(tokens)]
        place = random.randrange(len(ends) - 1)
        taken = random.choice(random.choice(self._donors).split(b";"))
        keep = random.random() < 0.5
        return [*tokens[: ends[place] + 1], taken, b";", *tokens[ends[place] + 1 if keep else ends[place + 1] + 1 :]]

    def _group(self, tokens: Tokens, random: Random) -> Tokens:
        """What stands in brackets here, at the place of what stands in brackets there."""
        mine = _groups(tokens)
        donor = tokens if random.random() < 0.3 else self._token.findall(random.choice(self._donors))
        theirs = _groups(donor)
        if not mine or not theirs:
            return tokens
        start, end = random.choice(mine)
        other_start, other_end = random.choice(theirs)
        return [*tokens[:start], *donor[other_start:other_end], *tokens[end:]]

    @staticmethod
    def _wrap(tokens: Tokens, random: Random) -> Tokens:
        at = _solid(tokens, random)
        before, after = random.choice(
            (
                (b"(", b")"),
                (b"not (", b")"),
                (b"-", b""),
                (b"cast(", b", string)"),
                (b"cast(", b", int)"),
                (b"coalesce(", b", null)"),
                (b"case when ", b" then 1 end"),
                (b"toJson(", b")"),
                (b"", b" is not null"),
                (b"", b" in (1, null)"),
                (b"", b" between 1 and 2.5"),
                (b"{", b"}"),
                (b"", b"[0]"),
                (b"", b"?"),
                (b"`", b"`"),
                (b"/*", b"*/"),
                (b"", b" // noqa: W601 so\n"),
            )
        )
        times = random.choice((1, 1, 1, 3, 70))
        tokens[at] = before * times + tokens[at] + after * times
        return tokens

    @staticmethod
    def _repeat(tokens: Tokens, random: Random) -> Tokens:
        """A stretch many times over."""
        start = random.randrange(len(tokens))
        end = start + random.choice((1, 2, 4))
        return [*tokens[:start], *(tokens[start:end] * random.choice((2, 10, 80))), *tokens[end:]]


def _solid(tokens: Tokens, random: Random) -> int:
    """The place of a token that is no blank, if a few tries find one."""
    at = 0
    for _ in range(5):
        at = random.randrange(len(tokens))
        if tokens[at].strip():
            break
    return at


def _groups(tokens: Tokens) -> list[tuple[int, int]]:
    """Where brackets open and close, brackets included."""
    found = []
    open_: list[int] = []
    for at, token in enumerate(tokens):
        if token in _OPENING:
            open_.append(at)
        elif open_ and token == _OPENING[tokens[open_[-1]]]:
            found.append((open_.pop(), at + 1))
    return found
