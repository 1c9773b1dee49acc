"""How large expressions may get, so that whatever a file contains ends in bounded time, with a diagnostic if need be.

Checking and compiling recurse over expressions, a few Python frames a level, and CPython takes at most 200 nested
parentheses of generated source; a test compiles every construct at the depth allowed.
"""

MAX_DEPTH = 64
"""Levels of a statement's syntax tree. Chains of `and`, `or` and `||` are one level."""

MAX_EXPANDED_DEPTH = 96
"""Levels of an expression after declared expressions and variables have been put in place of their names."""

MAX_EXPANSION = 5_000
"""Parts of a variable's value, or of one declared expression put in place."""

MAX_EXPANSIONS = 20_000
"""Parts of all declared expressions that one statement puts in place."""
