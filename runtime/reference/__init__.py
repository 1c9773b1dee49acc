"""The reference pages, written from the registries: what the code knows is what the pages say."""

from runtime.reference.annotations import annotations_page, default_text, places_text
from runtime.reference.commands import Described, commands_page
from runtime.reference.configuration import configuration_page, service_page
from runtime.reference.dead_letters import dead_letters_page
from runtime.reference.diagnostics import diagnostics_page
from runtime.reference.functions import functions_page, usages, value_text

__all__ = [
    "Described",
    "annotations_page",
    "commands_page",
    "configuration_page",
    "dead_letters_page",
    "default_text",
    "diagnostics_page",
    "functions_page",
    "places_text",
    "service_page",
    "usages",
    "value_text",
]
