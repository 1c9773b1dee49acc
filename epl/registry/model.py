"""What the registry knows of a function or method: signature, null rule, purity, documentation, implementation.

The checker, the compiler, the reference pages and the tests read the same entries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from msgspec import Struct

from epl.types import Type


class Form(Enum):
    """How an entry is written in a rule."""

    FUNCTION = "function"  # coalesce(a, b)
    METHOD = "method"  # s.length()
    STATIC = "static"  # Math.abs(x)


class Nulls(Enum):
    """What a null argument does."""

    PROPAGATE = "propagate"  # any null argument (or receiver): the answer is null, the implementation is not called
    PASSED = "passed"  # the implementation gets None and decides


class Pattern(Enum):
    """Parameter patterns that are not one type."""

    NUMBER = "number"
    INTEGRAL = "integral"
    VALUE = "any"


ParamType = Type | Pattern


class Param(Struct, frozen=True):
    """A parameter: its name is what the reference page shows."""

    name: str
    type: ParamType


Returns = Type | Callable[[Sequence[Type]], Type]


class Signature(Struct, frozen=True):
    """One way to call an entry.

    `call` gets the receiver first (methods), then the arguments, as Python values; it may return None for null.
    `inline` is a Python expression with `{0}`, `{1}` … for the same values, used instead of `call` where given; each
    placeholder stands at most once or is a name. `can_fail`: may raise RuleError (or ValueError, ArithmeticError).
    """

    params: tuple[Param, ...]
    returns: Returns
    call: Callable[..., Any]
    inline: str | None = None
    variadic: bool = False
    can_fail: bool = False
    may_be_null: bool = True

    def result(self, arguments: Sequence[Type]) -> Type:
        """The static type of a call with arguments of these types."""
        return self.returns if isinstance(self.returns, Type) else self.returns(arguments)


class Example(Struct, frozen=True):
    """An expression over literals and what it gives; it runs as a test."""

    expression: str
    result: Any


class Entry(Struct, frozen=True):
    """A function, method or static function by name, with all its signatures.

    `owner` is the receiver's type for methods and the class name (`Math`) for statics.
    """

    name: str
    form: Form
    signatures: tuple[Signature, ...]
    summary: str
    examples: tuple[Example, ...]
    owner: Type | str | None = None
    nulls: Nulls = Nulls.PROPAGATE
    pure: bool = True

    @property
    def title(self) -> str:
        """How people call it: `coalesce`, `string.length`, `Math.abs`."""
        return f"{self.owner}.{self.name}" if self.owner is not None else self.name
