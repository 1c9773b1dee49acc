"""Generated modules: their text becomes functions, and stays known to tracebacks."""

from __future__ import annotations

import linecache
from collections.abc import Mapping
from itertools import count
from typing import Any

_serial = count(1)


def loaded(title: str, source: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """What a generated module of that title has, `names` among it."""
    name = f"<sojourn {title} #{next(_serial)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace = dict(names)
    exec(compile(source, name, "exec"), namespace)
    return namespace
