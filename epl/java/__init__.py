"""Java's meaning of values, for rules that were written for a Java engine."""

from epl.java.arithmetic import divide, remainder, to_float32
from epl.java.casts import converter
from epl.java.json_text import from_json, to_json
from epl.java.patterns import like_for, like_matcher, regex_for
from epl.java.regex import compile_regex
from epl.java.regex_escapes import PatternError
from epl.java.replacement import java_replacement
from epl.java.text import text_of
from epl.java.values import epoch_ms, kind_of, same

__all__ = [
    "PatternError",
    "compile_regex",
    "converter",
    "divide",
    "epoch_ms",
    "from_json",
    "java_replacement",
    "kind_of",
    "like_for",
    "like_matcher",
    "regex_for",
    "remainder",
    "same",
    "text_of",
    "to_float32",
    "to_json",
]
