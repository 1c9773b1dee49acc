"""`@function`: a Python function that rules can call by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from epl.errors import RuleError
from epl.extend.errors import BadExtension
from epl.extend.hints import Hint, hints_of
from epl.extend.values import own, returned
from epl.registry.model import Entry, Example, Form, Nulls, Param, Pattern, Signature
from epl.types import OBJECT, Type

F = TypeVar("F", bound=Callable[..., Any])

MARK = "__sojourn__"
"""The attribute by which a registered function is known."""


def function(
    name: str | None = None, *, pure: bool = True, examples: Mapping[str, object] | None = None
) -> Callable[[F], F]:
    """Registers a function under its own name, or as `name`: `discount`, or `Prices.discount` for a static function.

    The type hints give the types. A null argument gives null without a call, unless its parameter takes None
    (`tier: str | None`). The doc string is what the reference says; `examples` map expressions to what they give, and
    run whenever the module is loaded. A function that is not `pure` answers differently at different times or changes
    something; it needs no example, and a variable cannot be made with it. Whatever the function raises fails the rule
    for this event and nothing else. Raises BadExtension.
    """

    def register(implementation: F) -> F:
        title = name or implementation.__name__
        try:
            entry = _entry(title, implementation, pure, examples or {})
        except BadExtension as error:
            raise BadExtension(f"the function `{title}`: {error}") from error
        setattr(implementation, MARK, entry)
        return implementation

    return register


def documentation(implementation: Callable[..., Any]) -> str:
    """The first paragraph of a doc string. Raises BadExtension when there is none."""
    text = inspect.getdoc(implementation)
    if not text:
        raise BadExtension("it has no doc string, so nobody would know what it is for")
    first = " ".join(text.split("\n\n")[0].split())
    return first if first.endswith((".", "!", "?")) else f"{first}."


def _entry(title: str, implementation: Callable[..., Any], pure: bool, examples: Mapping[str, object]) -> Entry:
    owner, _, plain_name = title.rpartition(".")
    if not plain_name.isidentifier() or (owner and not owner.isidentifier()):
        raise BadExtension("its name is no name; it is written as `name` or `Class.name`")
    parameters = inspect.signature(implementation).parameters
    for parameter in parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            raise BadExtension(f"its parameter `{parameter.name}` cannot be given by place")
        if parameter.default is not parameter.empty:
            raise BadExtension(f"its parameter `{parameter.name}` has a default, which rules cannot leave out")
    if pure and not examples:
        raise BadExtension("it has no example; one that cannot have any is registered with `pure=False`")
    hints = hints_of(implementation, [*parameters, "return"])
    result = hints.pop("return")
    passed = any(hint.optional for hint in hints.values())
    signature = Signature(
        tuple(Param(each, _pattern(hint)) for each, hint in hints.items()),
        result.type,
        _caller(implementation, list(hints.values()), result, passed),
        can_fail=True,
        may_be_null=result.optional or passed,
    )
    return Entry(
        plain_name,
        Form.STATIC if owner else Form.FUNCTION,
        (signature,),
        documentation(implementation),
        tuple(Example(expression, value) for expression, value in examples.items()),
        owner or None,
        Nulls.PASSED if passed else Nulls.PROPAGATE,
        pure,
    )


def _pattern(hint: Hint) -> Type | Pattern:
    return Pattern.VALUE if hint.type == OBJECT else hint.type


def _caller(implementation: Callable[..., Any], hints: list[Hint], result: Hint, passed: bool) -> Callable[..., Any]:
    """The function as rules call it: nulls kept from parameters that do not take them, values made safe both ways."""
    needed = [place for place, hint in enumerate(hints) if not hint.optional]
    declared, may_be_null = result.type, result.optional

    def called(*arguments: Any) -> Any:
        if passed and any(arguments[place] is None for place in needed):
            return None
        try:
            answer = implementation(*map(own, arguments))
        except SystemExit as error:
            # Leaving Python is not for a rule to decide.
            raise RuleError(f"it called sys.exit({error.code!r})") from error
        if answer is None and not may_be_null:
            raise RuleError(f"it returned None, which is no {declared}")
        return returned(answer, declared)

    called.__name__ = implementation.__name__
    return called
