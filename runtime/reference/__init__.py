"""The reference pages, written from the registries: what the code knows is what the pages say."""

from runtime.reference.annotations import annotations_page
from runtime.reference.commands import Described, commands_page
from runtime.reference.configuration import configuration_page
from runtime.reference.diagnostics import diagnostics_page
from runtime.reference.functions import functions_page

__all__ = [
    "Described",
    "annotations_page",
    "commands_page",
    "configuration_page",
    "diagnostics_page",
    "functions_page",
]
