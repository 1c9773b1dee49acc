"""The rules of one rule set as they stand in the loop over events (`runtime.loop`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from epl.compiler import Compiled, Handler, inlined
from epl.layout import slot_name

Handlers = Mapping[type[Any], Handler]
"""Handlers by class of event."""


class Stage:
    """The code of a rule set for each type of event, and what it needs around it."""

    def __init__(self, prefix: str, compiled: Compiled, handlers: Handlers, result: str) -> None:
        """`result`: the variable for the decorations that it makes."""
        self._prefix = prefix
        self._handlers = handlers
        self._compiled = compiled
        self._result = result
        self.spare = f"{prefix}spare"
        """The variable for a dict that such decorations may fill."""
        self.names: dict[str, Any] = {f"{prefix}matches": compiled.matches}
        self.counters: dict[str, int] = {}
        self.always: list[int] = []
        """Statements that match all events whose rules stand in the loop."""
        self.decorates = False

    def called(self, event_type: str, class_: type[Any], call: str) -> str:
        """What calls the handler of a type."""
        handler = self._handlers.get(class_)
        if handler is None:
            return ""
        name = f"{self._prefix}on_{slot_name(event_type)}"
        self.names[name] = handler
        self.decorates = True
        return call.format(handler=name)

    def inlines(self, event_type: str, class_: type[Any]) -> bool:
        """True when the handler in use is the compiled one, or there is none: else somebody watches it."""
        handler = self._handlers.get(class_)
        return handler is None or handler is self._compiled.bodies[event_type].function

    def body(self, event_type: str, class_: type[Any]) -> str:
        """What the handler of a type does."""
        if class_ not in self._handlers:
            return ""
        found = inlined(self._compiled, event_type, self._prefix, decorations=self._result)
        self.names |= found.names
        self.counters |= found.counters
        text = "".join(f"{line}\n" for line in found.lines)
        self.decorates = self.decorates or found.decorates
        return f"{self._result} = {self.spare}\n{text}" if found.decorates else text

    @property
    def before(self) -> list[str]:
        """Statements that the code counts on."""
        return [f"{self.spare} = {{}}", *(f"{name} = 0" for name in self.counters)]

    @property
    def after(self) -> list[str]:
        """Statements that write down what it has counted."""
        counted = [*self.counters.items(), *(("common + began", number) for number in self.always)]
        return [f"{self._prefix}matches[{number}] += {name}" for name, number in counted]
