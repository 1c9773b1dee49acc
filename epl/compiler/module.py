"""One generated module: its constants, its names, its text, and the functions that come of it."""

from __future__ import annotations

import builtins
import linecache
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from epl.compiler.support import SUPPORT
from epl.layout import slot_name

_FIXED = frozenset({"e", "s", "p", "now", "fx", "d", "m", "error", "SPLIT", "COUNTER_TAKEN"})
_GENERATED = re.compile(r"[tcru]\d+|u\d+_.*|on_.*|ROW_on_.*|[A-Z_]\w*_\d+")
_serial = count(1)


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that generated code calls by name; `note` says what it is where the value does not."""

    value: Any
    note: str | None


class Module:
    """Collects constants and lines; `load` turns them into functions."""

    def __init__(self, name: str) -> None:
        # A number keeps the sources of two versions of one rule file apart in tracebacks.
        self.name = f"<sojourn {name} #{next(_serial)}>"
        self.lines: list[str] = []
        self._namespace: dict[str, Any] = dict(SUPPORT)
        self._names: dict[tuple[str, Any], str] = {}
        self.constants: dict[str, Constant] = {}
        """What has been given a name by `constant`."""

    def constant(self, value: Any, hint: str, note: str | None = None) -> str:
        """The name of a constant; the same value keeps its name.

        Functions and types are named after `hint`; `note` says to people what the value itself does not show.
        """
        try:
            key = (hint, value if isinstance(value, str) or callable(value) else repr(value))
            hash(key)
        except TypeError:
            key = (hint, id(value))
        if key not in self._names:
            name = f"{hint.upper()}_{len(self._names)}"
            self._names[key] = name
            self._namespace[name] = value
            self.constants[name] = Constant(value, note)
        return self._names[key]

    def define(self, name: str, value: Any) -> None:
        """Puts a value in scope under a fixed name."""
        self._namespace[name] = value

    @staticmethod
    def field(fields: dict[str, str], name: str) -> str:
        """The local variable for an event field; `fields` remembers those in use."""
        if name not in fields:
            local = slot_name(name)
            while _is_taken(local) or local in fields.values():
                # A `_` behind `on_X` would make the handler of another type of it.
                local = f"x_{local}" if local.startswith(("on_", "ROW_")) else f"{local}_"
            fields[name] = local
        return fields[name]

    @property
    def text(self) -> str:
        """The Python source so far."""
        return "\n".join(self.lines) + "\n"

    def load(self) -> Mapping[str, Any]:
        """Compiles the source and runs it; the text stays known to tracebacks."""
        text = self.text
        linecache.cache[self.name] = (len(text), None, text.splitlines(keepends=True), self.name)
        with warnings.catch_warnings():
            # A rule may compare constants (`1 is null`), which Python finds odd and evaluates all the same.
            warnings.simplefilter("ignore", SyntaxWarning)
            code = compile(text, self.name, "exec")
        exec(code, self._namespace)
        return self._namespace


def _is_taken(name: str) -> bool:
    """True for a name that generated code uses, or might use, for something else."""
    return name in _FIXED or name in SUPPORT or hasattr(builtins, name) or _GENERATED.fullmatch(name) is not None
