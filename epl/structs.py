"""What trees, registries and configurations are made of, and what can be asked of it.

They are msgspec's Structs: frozen as dataclasses are, but their classes take a tenth of the time to make, and there
are more than a hundred of them to make before a command can begin. Objects that change are dataclasses: a Struct's
fields are slower to set.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

__all__ = ["annotations_of", "replace"]


def annotations_of(kind: type[Struct]) -> dict[str, str]:
    """The fields of a Struct in their order, each with its annotation as text."""
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        found |= getattr(each, "__annotations__", {})
    return {name: found[name] for name in kind.__struct_fields__}
