"""Functions, methods and static functions, from the registry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from epl.extend import Extension
from epl.java.text import text_of
from epl.registry import BUILTINS, ENTRIES, Entry, Example, Form, Signature
from epl.types import Type
from runtime.reference.markdown import code, page, table

_LEAD = (
    "What rules can call. A null argument gives null unless the text says otherwise; an impossible one, such as an "
    "index past the end, gives null too."
)
_HEADINGS = ("call", "what it gives", "examples")


def functions_page(added: Iterable[Extension] = ()) -> str:
    """The page of everything that rules can call; what modules add comes last, by module."""
    language = [(code(each.usage), each.summary, _examples(each.examples)) for each in BUILTINS]
    parts = ["## Part of the language", table(_HEADINGS, language)]
    functions = [entry for entry in ENTRIES if entry.form is Form.FUNCTION]
    parts += ["## Functions", table(_HEADINGS, map(_row, functions))]
    owners = dict.fromkeys(str(entry.owner) for entry in ENTRIES if entry.form is Form.METHOD)
    for owner in owners:
        methods = [entry for entry in ENTRIES if entry.form is Form.METHOD and str(entry.owner) == owner]
        parts += [f"## Methods of {owner}", table(_HEADINGS, map(_row, methods))]
    classes = dict.fromkeys(str(entry.owner) for entry in ENTRIES if entry.form is Form.STATIC)
    for name in classes:
        statics = [entry for entry in ENTRIES if entry.form is Form.STATIC and str(entry.owner) == name]
        parts += [f"## {name}", table(_HEADINGS, map(_row, statics))]
    for extension in added:
        if extension.functions:
            parts += [f"## From {extension.module}", table(_HEADINGS, map(_row, extension.functions))]
    return page("Functions and methods", _LEAD, *parts)


def _row(entry: Entry) -> tuple[str, str, str]:
    calls = "<br>".join(map(code, usages(entry)))
    return calls, entry.summary, _examples(entry.examples)


def usages(entry: Entry) -> list[str]:
    """Every way to call an entry, with the types of parameters and results."""
    return [_call(entry, signature) for signature in entry.signatures]


def _call(entry: Entry, signature: Signature) -> str:
    parameters = ", ".join(
        f"{each.name}: {each.type if isinstance(each.type, Type) else each.type.value}" for each in signature.params
    )
    rest = ", …" if signature.variadic else ""
    result = f": {signature.returns}" if isinstance(signature.returns, Type) else ""
    name = f"{entry.owner}.{entry.name}" if entry.form is Form.STATIC else entry.name
    return f"{name}({parameters}{rest}){result}"


def _examples(examples: Iterable[Example]) -> str:
    return "<br>".join(f"{code(each.expression)} → {code(value_text(each.result))}" for each in examples)


def value_text(value: Any) -> str:
    """A value as a rule would write it."""
    if value is None:
        return "null"
    return f"'{value}'" if isinstance(value, str) else text_of(value, None)
