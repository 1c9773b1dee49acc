"""Annotations, from the registry."""

from __future__ import annotations

from collections.abc import Iterable

from epl.extend import Extension
from epl.registry.annotations import ANNOTATIONS, AnnotationEntry, Parameter
from epl.stage import Stage
from runtime.reference.markdown import block, code, page, table

_LEAD = (
    "An annotation says what a rule does with its row. A rule may carry several; their effects happen in the order in "
    "which they stand."
)


def annotations_page(added: Iterable[Extension] = ()) -> str:
    """The page of annotations; those that modules add come last."""
    entries = [*ANNOTATIONS, *(entry for extension in added for entry in extension.annotations)]
    return page("Annotations", _LEAD, *(part for entry in entries for part in _parts(entry)))


def _parts(entry: AnnotationEntry) -> list[str]:
    markers = "" if entry.on_markers else " Not on markers."
    lead = f"{entry.summary} *Where: {places_text(entry)}.*{markers}"
    parts = [f"## @{entry.name}", lead, block(entry.example, "sql")]
    if entry.parameters:
        rows = [(code(each.name), str(each.type), _default(each), each.summary) for each in entry.parameters]
        parts.append(table(("parameter", "type", "default", "meaning"), rows))
    if entry.columns:
        columns = [
            (code(each.name), str(each.type), "yes" if each.required else "no", each.summary) for each in entry.columns
        ]
        parts.append(table(("column", "type", "needed", "meaning"), columns))
    return parts


def places_text(entry: AnnotationEntry) -> str:
    """The stages in which an annotation may stand."""
    return "anywhere" if entry.stages == frozenset(Stage) else " and ".join(sorted(s.value for s in entry.stages))


def default_text(parameter: Parameter) -> str | None:
    """A parameter's default as a rule would write it; None where it must be given, empty where there is none."""
    if parameter.required:
        return None
    return "" if parameter.default in (None, "") else str(parameter.default).lower()


def _default(parameter: Parameter) -> str:
    text = default_text(parameter)
    return "must be given" if text is None else code(text) if text else "–"
