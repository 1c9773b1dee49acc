"""Compiles typed programs to Python functions."""

from epl.compiler.contract import COUNTER_TAKEN, SPLIT, Effects, Handler, Route
from epl.compiler.inline import Inlined, inlined
from epl.compiler.program import Compiled, compile_program

__all__ = [
    "COUNTER_TAKEN",
    "SPLIT",
    "Compiled",
    "Effects",
    "Handler",
    "Inlined",
    "Route",
    "compile_program",
    "inlined",
]
