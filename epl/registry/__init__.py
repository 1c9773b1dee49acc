"""What rules can call: one registry for the checker, the compiler, the reference pages and the editor."""

from epl.errors import RuleError
from epl.registry.builtins import BUILTINS, Builtin
from epl.registry.catalog import CATALOG, ENTRIES, Catalog, select
from epl.registry.model import (
    Entry,
    Example,
    Form,
    Nulls,
    Param,
    ParamType,
    Pattern,
    Returns,
    Signature,
)

__all__ = [
    "BUILTINS",
    "CATALOG",
    "ENTRIES",
    "Builtin",
    "Catalog",
    "Entry",
    "Example",
    "Form",
    "Nulls",
    "Param",
    "ParamType",
    "Pattern",
    "Returns",
    "RuleError",
    "Signature",
    "select",
]
