"""Which tables a tenant's lines make, and of which types their columns are: known from its rules, beforehand.

A table a type of line: of end markers always, of events and begin markers where they are asked for. What a line has
beside the columns that are known, or of another type than they are, stands as JSON in the column `_rest`: nothing is
left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import msgspec

from epl.layout import SessionLayout, slot_name
from epl.typed import Decorate, Rule
from epl.types import DATE, INT, LONG, STRING, Kind, Type
from runtime.config import MarkerKeys, ProfileConfig, SubSessionConfig
from runtime.output import to_json
from runtime.rules import TenantRules

REST = "_rest"
OTHERS = "_other"
"""The table of lines that are of no known type; its only column is `line`."""

_INT64 = 1 << 63
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999
"""Years 1 to 9999: readers stumble over what is beyond."""


class ColumnKind(Enum):
    """What a column holds; the text is the name of Arrow's type."""

    TEXT = "string"
    WHOLE = "int64"
    FRACTION = "float64"
    SWITCH = "bool"
    TIME = "timestamp"
    JSON = "json"  # text


_KINDS = {
    **dict.fromkeys((Kind.BYTE, Kind.SHORT, Kind.INT, Kind.LONG), ColumnKind.WHOLE),
    **dict.fromkeys((Kind.FLOAT, Kind.DOUBLE), ColumnKind.FRACTION),
    **dict.fromkeys((Kind.STRING, Kind.CHAR), ColumnKind.TEXT),
    Kind.BOOLEAN: ColumnKind.SWITCH,
    Kind.DATE: ColumnKind.TIME,
}
"""A map, a list, an array, or a number without bounds stands as JSON."""


class Tables:
    """The columns of each table of a tenant, by name, in order; and for end and begin markers where their time is."""

    def __init__(self, rules: TenantRules, *, events: bool) -> None:
        self.columns: dict[str, dict[str, ColumnKind]] = {}
        self.times: dict[str, str] = {}
        self._type_field = rules.config.type_field
        self._takes_all = events
        slot = slot_name(self._type_field)
        typed = msgspec.defstruct("Typed", [(slot, Any, None)], rename={slot: self._type_field}, gc=False)
        self._decode_type = msgspec.json.Decoder(typed).decode
        self._only = next(iter(rules.event_types)) if events and len(rules.event_types) == 1 else None
        for profile in rules.profiles:
            self._add_markers(profile.config, profile.layout, events)
            for sub in profile.sub_sessions:
                self._add_markers(sub.config, sub.layout, events)
        if events:
            for name, event_type in rules.event_types.items():
                for field, type_ in event_type.fields.items():
                    self._add(name, field, type_)
        for compiled in rules.programs():
            for statement in compiled.program.statements():
                if isinstance(statement, Rule) and statement.event_type in self.columns and not statement.shadow:
                    for effect in statement.effects:
                        for column in effect.columns if isinstance(effect, Decorate) else ():
                            self._add(statement.event_type, column.name, column.expr.type)

    def _add_markers(self, config: ProfileConfig | SubSessionConfig, layout: SessionLayout, events: bool) -> None:
        keys: MarkerKeys = config.keys
        begin = ((keys.id, STRING), (keys.start, DATE), (keys.marker, STRING))
        end = ((keys.end, DATE), (keys.duration, LONG), (keys.count, INT), (keys.reason, STRING), (keys.user, DATE))
        for type_name, own in ((config.end_marker, (*begin, *end)), (config.begin_marker if events else None, begin)):
            if type_name is None:
                continue
            for key, type_ in own:
                if key is not None:
                    self._add(type_name, key, type_)
            for slot in layout.metadata.values():
                self._add(type_name, slot.name, None if slot.kind is None else Type(slot.kind))
            if keys.start is not None:
                self.times[type_name] = keys.start

    def _add(self, table: str, name: str, type_: Type | None) -> None:
        """A column; one that is of two kinds holds JSON."""
        kind = ColumnKind.JSON if type_ is None else _KINDS.get(type_.kind, ColumnKind.JSON)
        columns = self.columns.setdefault(table, {})
        if name != self._type_field:
            columns[name] = kind if columns.get(name, kind) is kind else ColumnKind.JSON

    def table_of(self, line: Mapping[str, Any]) -> str | None:
        """The table of a line; None where it goes to none. An event may leave out its type where there is only one."""
        name = line.get(self._type_field, self._only)
        return name if isinstance(name, str) and name in self.columns else None

    def is_wanted(self, line: bytes) -> bool:
        """True for a line that goes to a table."""
        if self._takes_all:
            return line != b""  # what a snapshot has of a line that was not wanted
        try:
            name = getattr(self._decode_type(line), slot_name(self._type_field))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            # An event may be unreadable where no rule reads it.
            return False
        return isinstance(name, str) and name in self.columns

    def row(self, table: str, line: Mapping[str, Any]) -> dict[str, Any]:
        """A line's values by column."""
        columns = self.columns[table]
        row: dict[str, Any] = {}
        rest = {}
        for name, value in line.items():
            if value is None or name == self._type_field:
                continue
            kind = columns.get(name)
            found = None if kind is None else fitting(value, kind)
            if found is None:
                rest[name] = value
            else:
                row[name] = found
        if rest:
            row[REST] = to_json(rest).decode()
        return row


def fitting(value: Any, kind: ColumnKind) -> Any:
    """A value as a column of a kind holds it; None where it is of another. Times are ms since 1970."""
    match kind:
        case ColumnKind.TEXT:
            return value if isinstance(value, str) else None
        case ColumnKind.SWITCH:
            return value if isinstance(value, bool) else None
        case ColumnKind.FRACTION:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return float(value) if is_number and abs(value) < 1e308 else None
        case ColumnKind.WHOLE:
            return value if _is_whole(value) else None
        case ColumnKind.TIME:
            time_ms = value if _is_whole(value) else _ms_of(value)
            return time_ms if time_ms is not None and _FIRST_MS <= time_ms <= _LAST_MS else None
        case ColumnKind.JSON:
            return to_json(value).decode()


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64


def _ms_of(value: Any) -> int | None:
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return round((time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp() * 1000)


def all_columns(columns: Mapping[str, ColumnKind]) -> Iterable[tuple[str, ColumnKind]]:
    """The columns of a table with the one of what they do not hold."""
    yield from columns.items()
    yield REST, ColumnKind.JSON
