"""For those who add to the language: functions and annotations of their own, written in Python.

A module that a tenant's `imports` names, or that an installed package offers under the entry point group
`sojourn.extensions`, registers what it decorates:

    from epl.extend import add_to_counter, annotation, function

    @function(examples={"discount(20.0, 'gold')": 18.0})
    def discount(price: float, tier: str) -> float:
        \"""The price after what a tier of customers is let off.\"""
        return price * (0.9 if tier == "gold" else 1.0)
"""

from epl.extend.annotations import annotation
from epl.extend.collect import Extension, extension_of
from epl.extend.effects import (
    RowColumns,
    add_to_counter,
    append_to_list,
    call,
    decorate,
    end_session,
    mark_bot,
    set_duration,
    split_session,
    write_metadata,
    write_state,
)
from epl.extend.errors import BadExtension
from epl.extend.functions import function

__all__ = [
    "BadExtension",
    "Extension",
    "RowColumns",
    "add_to_counter",
    "annotation",
    "append_to_list",
    "call",
    "decorate",
    "end_session",
    "extension_of",
    "function",
    "mark_bot",
    "set_duration",
    "split_session",
    "write_metadata",
    "write_state",
]
