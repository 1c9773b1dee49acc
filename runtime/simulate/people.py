"""Who comes: a few people often, most seldom, and each the same person every time.

Nothing is stored about a person but the time until which they are busy. What they are like is computed from their
number, so a hundred thousand of them cost a hundred thousand numbers.
"""

from __future__ import annotations

from array import array
from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate
from random import Random

_ACTIVITY_EXPONENT = 0.7  # of the zipf law, as in the benchmark's clickstream
_TRIES = 4
_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Person:
    """One person (or device): `number` from 0, the most active first; `traits`, 64 bits that never change."""

    number: int
    traits: int

    def pick(self, shift: int, size: int) -> int:
        """An index below `size` that is always the same for this person; `shift` (0 to 48) tells choices apart."""
        return (self.traits >> shift & 0xFFFF) % size

    @property
    def is_bot(self) -> bool:
        """About one in a hundred; never the most active ones, so that a small demo is not all bots."""
        return self.number % 97 == 13


class Population:
    """Draws people, the active ones more often."""

    def __init__(self, size: int, seed: int) -> None:
        self._seed = seed
        self._shares = array("d", accumulate((number + 1) ** -_ACTIVITY_EXPONENT for number in range(size)))
        self._busy_until = array("q", bytes(8 * size))

    def draw(self, rng: Random, now_ms: int) -> Person:
        """Somebody who is not in the middle of a visit; when it is hard to find one, anybody."""
        number = 0
        for _ in range(_TRIES):
            number = bisect(self._shares, rng.random() * self._shares[-1], 0, len(self._shares) - 1)
            if self._busy_until[number] <= now_ms:
                break
        return Person(number, _mix(number, self._seed))

    def occupy(self, person: Person, until_ms: int) -> None:
        """Says when the person's visit ends."""
        self._busy_until[person.number] = until_ms


def _mix(number: int, seed: int) -> int:
    """64 well-mixed bits of two numbers, by the finalizer of splitmix64 (Steele, Lea, Flood 2014)."""
    bits = (number * 0x9E3779B97F4A7C15 + (seed + 1) * 0xD1B54A32D192ED03) & _MASK
    bits = ((bits ^ bits >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    bits = ((bits ^ bits >> 27) * 0x94D049BB133111EB) & _MASK
    return bits ^ bits >> 31
