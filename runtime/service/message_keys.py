"""The keys of messages: what one key has stays in order, and one consumer gets all of it."""

from __future__ import annotations

from typing import Any

import msgspec

from epl.layout import slot_name
from runtime.config import ProfileConfig, SubSessionConfig
from runtime.rules import TenantRules


class KeyOf:
    """Gives the key of a line: the value of a field, or a marker's session id where no field is named."""

    def __init__(self, rules: TenantRules, field: str | None) -> None:
        self._fields_of_types: dict[str, str] | None = None
        self._field = field
        self._type_field = rules.config.type_field
        wanted = {field} if field is not None else self._find_markers(rules)
        slots = [(slot_name(name), Any, None) for name in sorted(wanted)]
        renamed = {slot_name(name): name for name in wanted if slot_name(name) != name}
        class_ = msgspec.defstruct("Keyed", slots, rename=renamed or None, gc=False)
        self._decode = msgspec.json.Decoder(class_).decode

    def _find_markers(self, rules: TenantRules) -> set[str]:
        found = {}
        for profile in rules.config.profiles:
            kinds: list[ProfileConfig | SubSessionConfig] = [profile, *profile.sub_sessions]
            for kind in kinds:
                for marker in (kind.begin_marker, kind.end_marker):
                    if marker is not None and kind.keys.id is not None:
                        found[marker] = kind.keys.id
        self._fields_of_types = found
        return {self._type_field, *found.values()}

    def __call__(self, line: bytes) -> bytes | None:
        """The key; None where the line has none."""
        try:
            event = self._decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            # An event may be unreadable where no rule reads it.
            return None
        field = self._field
        if self._fields_of_types is not None:
            type_name = getattr(event, slot_name(self._type_field))
            field = self._fields_of_types.get(type_name) if isinstance(type_name, str) else None
        value = None if field is None else getattr(event, slot_name(field))
        if isinstance(value, str):
            return value.encode()
        return None if value is None else msgspec.json.encode(value)
