"""The keys of sessionizer.yaml and of service.yaml, from their registries."""

from __future__ import annotations

from runtime.config import KEYS, Key
from runtime.config.service_keys import SERVICE_KEY_LIST
from runtime.reference.markdown import code, page, table

_LEAD = (
    "A tenant is a folder with a `sessionizer.yaml`. Durations are written `500ms`, `30s`, `30m`, `24h` or `1d`, sizes "
    "`64KiB`, `16MiB` or `1GiB`. Every problem is reported with file, line and code when the tenant is loaded."
)

_SERVICE_LEAD = (
    "`sojourn serve --config service.yaml` reads these keys; without a file the defaults hold. Files are named "
    "relative to its folder, and a token's file holds one line. Durations and sizes are as in `sessionizer.yaml`."
)


def configuration_page() -> str:
    """The page of a tenant's configuration keys."""
    return page("Configuration", _LEAD, *_sections(KEYS))


def service_page() -> str:
    """The page of a service's configuration keys."""
    return page("Configuration of a service", _SERVICE_LEAD, *_sections(SERVICE_KEY_LIST))


def _sections(keys: tuple[Key, ...]) -> list[str]:
    parts = []
    for section in dict.fromkeys(key.section for key in keys):
        title = code(section) if section else "Top level"
        rows = [(code(key.name), _kind(key), _default(key), key.doc) for key in keys if key.section == section]
        parts += [f"## {title}", table(("key", "value", "default", "meaning"), rows)]
    return parts


def _kind(key: Key) -> str:
    return ", ".join(code(choice) for choice in key.choices) or key.kind.value


def _default(key: Key) -> str:
    if key.required:
        return "must be given"
    return "–" if key.default is None else code(key.default)
