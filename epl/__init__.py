"""The rule language: text to diagnostics, or to Python functions. Knows no clock, store, socket or terminal."""

from epl.checker import Checked, check
from epl.compiler import Compiled, compile_program
from epl.diagnostics import Diagnostic, InvalidInput, Problems, Severity
from epl.environment import Environment
from epl.layout import SessionLayout, session_layout
from epl.parser import Parsed, parse
from epl.schema import EventType
from epl.source import Source
from epl.stage import Stage

__all__ = [
    "Checked",
    "Compiled",
    "Diagnostic",
    "Environment",
    "EventType",
    "InvalidInput",
    "Parsed",
    "Problems",
    "SessionLayout",
    "Severity",
    "Source",
    "Stage",
    "check",
    "compile_program",
    "parse",
    "session_layout",
]
