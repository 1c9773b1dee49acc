"""One sequence of lines that leave a tenant, each with its number, and who has had which of them.

What a log makes come again are the same lines by the same numbers, so whoever has had some of them is not given those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath

from runtime.service.delivery import Delivery
from runtime.service.files import RotatingFile


class Numbered:
    """Hands lines to deliveries. `number` is that of the next line, counted since the tenant began."""

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self.deliveries = deliveries
        self.number = 0
        self._wanted = [0] * len(deliveries)
        self._ahead = [0] * len(deliveries)
        self._names = _names(deliveries)

    def give(self, lines: list[bytes]) -> None:
        """Hands on lines, to each delivery those that it has not had."""
        first = self.number
        self.number += len(lines)
        for delivery, wanted in zip(self.deliveries, self._wanted, strict=True):
            if wanted <= first:
                delivery.write(lines)
            elif wanted < self.number:
                delivery.write(lines[wanted - first :])

    @property
    def taken(self) -> dict[str, int]:
        """By the name of each delivery, the number of the first line that it has not delivered."""
        ways = zip(self._names, self.deliveries, self._ahead, strict=True)
        return {name: delivery.taken + ahead for name, delivery, ahead in ways}

    @property
    def taken_by_others(self) -> dict[str, int]:
        """The same of those that cannot tell after a crash: a file counts its own lines."""
        files = [isinstance(delivery, RotatingFile) for delivery in self.deliveries]
        return {name: number for (name, number), is_file in zip(self.taken.items(), files, strict=True) if not is_file}

    def waiting(self) -> dict[str, list[bytes]]:
        """By the name of each delivery, the last lines, which it was given and has not delivered."""
        return {
            name: lines
            for name, delivery in zip(self._names, self.deliveries, strict=True)
            if (lines := delivery.waiting_lines())
        }

    def resume(self, taken: Mapping[str, int], waiting: Mapping[str, list[bytes]]) -> list[str]:
        """Goes on at `number`: what is known to be delivered of each, and what was not; before any line is given.

        The names of those whose lines are nobody's any more.
        """
        for place, (name, delivery) in enumerate(zip(self._names, self.deliveries, strict=True)):
            lines = waiting.get(name, [])
            first = self.number - len(lines)
            wanted = self._wanted[place] = delivery.resume(max(taken.get(name, first), first))
            if wanted < self.number:
                delivery.write(lines[max(wanted - first, 0) :])
        return [name for name in waiting if name not in self._names]

    def settle(self) -> None:
        """All has come that comes again. Where somebody has had more, its cause was lost in a power cut.

        Numbers go on behind it, else new lines would be taken for those.
        """
        number = max((self.number, *self._wanted))
        self._ahead = [number - max(self.number, wanted) for wanted in self._wanted]
        self.number = number


def _names(deliveries: Sequence[Delivery]) -> list[str]:
    """Names that tell deliveries apart, also two to one place; a file's is the same when its folder has moved."""
    names: list[str] = []
    for delivery in deliveries:
        name = PurePath(delivery.name).name if isinstance(delivery, RotatingFile) else delivery.name
        count = sum(each.startswith(name) and each[len(name) :].strip("#") == "" for each in names)
        names.append(name + "#" * count)
    return names
