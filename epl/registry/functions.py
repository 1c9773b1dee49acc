"""Plain functions that are not part of the grammar."""

from __future__ import annotations

from epl.java.json_text import from_json, to_json
from epl.registry.model import Entry, Example, Form, Param, Pattern, Signature
from epl.types import MAP, STRING

TO_JSON = Signature((Param("value", Pattern.VALUE),), STRING, to_json, may_be_null=False)
FROM_JSON = Signature((Param("text", STRING),), MAP, from_json)

FUNCTIONS: tuple[Entry, ...] = (
    Entry(
        "toJson",
        Form.FUNCTION,
        (TO_JSON,),
        "The value as compact JSON, keys sorted, doubles as Java writes them, NaN and infinities as null.",
        (Example("toJson('a')", '"a"'), Example("""toJson(fromJson('{"b":1,"a":[2.5]}'))""", '{"a":[2.5],"b":1}')),
    ),
    Entry(
        "fromJson",
        Form.FUNCTION,
        (FROM_JSON,),
        "The map that a JSON object describes; null for any other text.",
        (Example("""fromJson('{"a":1}').get('a')""", 1), Example("fromJson('[1]')", None)),
    ),
)
