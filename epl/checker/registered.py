"""What a registered annotation does with a row: its function is somebody's own, so anything may come of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from epl.registry.annotations import AnnotationEntry, MissingColumn
from epl.stage import Stage
from epl.typed import (
    AddToCounter,
    AppendToList,
    Call,
    Column,
    Decorate,
    Effect,
    EndSession,
    MarkBot,
    SetDuration,
    SplitSession,
    WriteAttributes,
)

_STAGE_2 = frozenset({Stage.MAIN, Stage.SUB})
_STAGES: Mapping[type[Effect], frozenset[Stage]] = {
    Decorate: frozenset(Stage),
    Call: frozenset(Stage),
    WriteAttributes: _STAGE_2,
    AddToCounter: _STAGE_2,
    AppendToList: _STAGE_2,
    EndSession: _STAGE_2,
    MarkBot: _STAGE_2,
    SetDuration: frozenset({Stage.MAIN}),
    SplitSession: frozenset({Stage.MAIN}),
}
"""The effects of registered annotations, and where each may be."""
_NOT_ON_MARKERS = (EndSession, SplitSession)


def registered_effects(
    entry: AnnotationEntry,
    columns: Mapping[str, Column],
    arguments: Mapping[str, Any],
    stage: Stage,
    *,
    on_marker: bool,
) -> tuple[Effect, ...]:
    """The effects that the annotation's function gives. Raises MissingColumn, and ValueError for all else."""
    assert entry.expand is not None
    try:
        made = tuple(entry.expand(columns, arguments))
    except (MissingColumn, ValueError):
        raise
    except Exception as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    for effect in made:
        stages = _STAGES.get(type(effect))
        if stages is None or stage not in stages or (on_marker and isinstance(effect, _NOT_ON_MARKERS)):
            where = f"{stage.value} on a marker" if on_marker else stage.value
            raise ValueError(f"its effect {type(effect).__name__} has no place in {where}")
    return made
