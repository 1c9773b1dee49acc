"""The keys of sessionizer.yaml, from their registry."""

from __future__ import annotations

from runtime.config import KEYS, Key
from runtime.reference.markdown import code, page, table

_LEAD = (
    "A tenant is a folder with a `sessionizer.yaml`. Durations are written `500ms`, `30s`, `30m`, `24h` or `1d`, sizes "
    "`64KiB`, `16MiB` or `1GiB`. Every problem is reported with file, line and code when the tenant is loaded."
)


def configuration_page() -> str:
    """The page of configuration keys."""
    parts = []
    for section in dict.fromkeys(key.section for key in KEYS):
        title = code(section) if section else "Top level"
        rows = [(code(key.name), _kind(key), _default(key), key.doc) for key in KEYS if key.section == section]
        parts += [f"## {title}", table(("key", "value", "default", "meaning"), rows)]
    return page("Configuration", _LEAD, *parts)


def _kind(key: Key) -> str:
    return ", ".join(code(choice) for choice in key.choices) or key.kind.value


def _default(key: Key) -> str:
    if key.required:
        return "must be given"
    return "–" if key.default is None else code(key.default)
