"""Diagnostics: codes, collection, rendering."""

from epl.diagnostics.fix import Edit, Fix, edited
from epl.diagnostics.model import Code, Diagnostic, InvalidInput, Problems, Severity, did_you_mean
from epl.diagnostics.render import as_data, as_text, render, segments

__all__ = [
    "Code",
    "Diagnostic",
    "Edit",
    "Fix",
    "InvalidInput",
    "Problems",
    "Severity",
    "as_data",
    "as_text",
    "did_you_mean",
    "edited",
    "render",
    "segments",
]
