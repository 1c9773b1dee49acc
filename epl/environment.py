"""What surrounds a rule set: its stage, the events it may see, the names it may use."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from epl.registry import CATALOG, Catalog
from epl.registry.annotations import ANNOTATIONS, AnnotationEntry
from epl.schema import EventType
from epl.session_schema import Attributes
from epl.stage import Stage


class Environment(Struct, frozen=True):
    """The surroundings of one rule set.

    `stage` None: the controller if any rule has @Session, else the rules of a profile. `profiles` and `sub_sessions`
    None: any name will do. `parent`: what the rules of the enclosing profile write, for rules of a sub-session.
    """

    stage: Stage | None = None
    event_types: Mapping[str, EventType] = field(default_factory=dict)
    marker_types: frozenset[str] = frozenset()
    profiles: frozenset[str] | None = None
    sub_sessions: frozenset[str] | None = None
    parent: Attributes | None = None
    catalog: Catalog = CATALOG
    annotations: tuple[AnnotationEntry, ...] = ANNOTATIONS
