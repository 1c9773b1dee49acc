"""Annotations, from the registry."""

from __future__ import annotations

from epl.registry.annotations import ANNOTATIONS, AnnotationEntry, Parameter
from epl.stage import Stage
from runtime.reference.markdown import block, code, page, table

_LEAD = (
    "An annotation says what a rule does with its row. A rule may carry several; their effects happen in the order in "
    "which they stand."
)


def annotations_page() -> str:
    """The page of annotations."""
    return page("Annotations", _LEAD, *(part for entry in ANNOTATIONS for part in _parts(entry)))


def _parts(entry: AnnotationEntry) -> list[str]:
    where = "anywhere" if entry.stages == frozenset(Stage) else " and ".join(sorted(s.value for s in entry.stages))
    markers = "" if entry.on_markers else " Not on markers."
    parts = [f"## @{entry.name}", f"{entry.summary} *Where: {where}.*{markers}", block(entry.example, "sql")]
    if entry.parameters:
        rows = [(code(each.name), str(each.type), _default(each), each.summary) for each in entry.parameters]
        parts.append(table(("parameter", "type", "default", "meaning"), rows))
    if entry.columns:
        columns = [
            (code(each.name), str(each.type), "yes" if each.required else "no", each.summary) for each in entry.columns
        ]
        parts.append(table(("column", "type", "needed", "meaning"), columns))
    return parts


def _default(parameter: Parameter) -> str:
    if parameter.required:
        return "must be given"
    return "–" if parameter.default in (None, "") else code(str(parameter.default).lower())
