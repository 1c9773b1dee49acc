"""JSON text of values and back, for `toJson` and `fromJson`.

Written by hand because the text itself is a value that rules compare: keys are sorted, doubles are Java's text, and
NaN and infinities become null, which no option of Python's encoder gives together.
"""

from __future__ import annotations

import json
import math
from datetime import datetime
from operator import itemgetter
from typing import Any

from epl.java.text import date_text, double_text, text_of

_QUOTE = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps would make an encoder for each string


def to_json(value: object) -> str:
    """Compact JSON with sorted keys; characters beyond ASCII stay as they are; dates are ISO 8601 strings in UTC."""
    match value:
        case None:
            return "null"
        case str():
            return _QUOTE(value)
        case float():
            return double_text(value) if math.isfinite(value) else "null"
        case list() | tuple():
            return f"[{','.join(map(to_json, value))}]"
        case dict():
            members = sorted(((text_of(key, None), item) for key, item in value.items()), key=itemgetter(0))
            return f"{{{','.join(f'{to_json(key)}:{to_json(item)}' for key, item in members)}}}"
        case datetime():
            return f'"{date_text(value)}"'
        case _:
            return text_of(value, None)


def from_json(text: str) -> dict[str, Any] | None:
    """The map that a JSON object describes; None for any other text, as the reference answers null."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
