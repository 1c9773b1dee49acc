"""What fuzzing starts from, gathered anew each time: rules of this project, and the words of the language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from epl.diagnostics.codes import LANGUAGE_CODES
from epl.lexer import RESERVED
from epl.lint import LINT_CODES
from epl.registry import BUILTINS, ENTRIES
from epl.registry.annotations import ANNOTATIONS
from epl.session_schema import GETTERS, PROPERTIES
from epl.types import TYPE_NAMES
from runtime.config import CONFIG_CODES, KEYS

PROJECT = Path(__file__).parents[2]
VECTORS = PROJECT.parent / "shared" / "conformance"
CUT = b"\n---8<---\n"

TOKEN = re.compile(
    rb"\s+|//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`[^`\n]*`|[\w$]+|[<>!=]=|<>|\|\||=>|.",
    re.DOTALL,
)
"""A token of the rule language, or any character."""

_SIGNS = "( ) [ ] { } , ; . : = != <> < <= > >= + - * / % & | ^ || ? @ => ' \" ` // /* */ \\"
_LITERALS = (
    "0 1 -1 7 010 0x1F 1L 2147483647 2147483648 9223372036854775807 9223372036854775808 1.5 .5 1e3 1e308 1e-400 1.5f "
    "3.5e38f 1d 'a' 'a%' '_%' '[a' '(a+)+' '\\\\d+' '\\u0000' '\\ud800' '' \"q\" null true false"
)
_NAMES = (
    "E PageView PulsarEvent Ended i l d s b c xs m o big dec at user et n tags session metadata parentSession "
    "parentMetadata current_timestamp _pk_ _timestamp_ _duration_ _bottype_ count schema variable expression constant "
    "alias for noqa"
)


def words() -> list[str]:
    """The words and signs of the language, once each."""
    calls = [entry.name for entry in (*ENTRIES, *BUILTINS)]
    owners = [str(entry.owner) for entry in ENTRIES if entry.owner is not None]
    annotations = [f"@{entry.name}" for entry in ANNOTATIONS]
    parameters = [parameter.name for entry in ANNOTATIONS for parameter in entry.parameters]
    own = [*RESERVED, *TYPE_NAMES, *GETTERS, *PROPERTIES, *calls, *owners, *annotations, *parameters]
    return list(dict.fromkeys([*own, *_SIGNS.split(), *_LITERALS.split(), *_NAMES.split()]))


def expressions() -> list[str]:
    """Examples of everything that can be called, and expressions that are not in them."""
    examples = [example.expression for entry in (*ENTRIES, *BUILTINS) for example in entry.examples]
    return [*examples, "session.int('n')", "session.views", "o?", "m('k')", "xs[0]", "i between 1 and 3", "i in (1:7]"]


def rule_seeds() -> Iterator[bytes]:
    """Rule files, examples of every diagnostic, call and annotation, and statements of the reference engine."""
    for folder in ("examples", "profiles", "tests"):
        for path in sorted((PROJECT / folder).rglob("*.epl")):
            yield path.read_bytes()
    for code in (*LANGUAGE_CODES, *LINT_CODES):
        yield code.bad.encode()
        yield code.good.encode()
    for entry in ANNOTATIONS:
        yield entry.example.encode()
    for expression in expressions():
        yield f"select {expression} as x from E(({expression}) is not null);".encode()
    for path in sorted(VECTORS.glob("epl-*.ndjson")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield ";\n".join(json.loads(line)["statements"]).encode()


def tenant_seeds() -> Iterator[bytes]:
    """Configurations with their rules behind a cut, and examples of every key and diagnostic of configurations."""
    for folder in ("examples", "profiles"):
        for path in sorted((PROJECT / folder).rglob("sessionizer.yaml")):
            rules = sorted(path.parent.glob("*.epl"))
            yield CUT.join([path.read_bytes(), *(each.read_bytes() for each in rules)])
    for code in CONFIG_CODES:
        yield code.bad.encode()
        yield code.good.encode()
    for file in sorted((PROJECT / "tests" / "config").rglob("*.yaml")):
        yield file.read_bytes()
    yield "\n".join(f"{key.name}: 1" for key in KEYS).encode()


SEEDS = {"rules": rule_seeds, "tenant": tenant_seeds}
"""Seeds by the name of their target."""


def write_corpus(folder: Path, target: str) -> None:
    """Puts the seeds of a target into a folder, a file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(dict.fromkeys(SEEDS[target]())):
        (folder / f"seed-{number:05}").write_bytes(seed)


def write_dictionary(file: Path, target: str) -> None:
    """The words of the language, and of the configuration where that is the target, as libFuzzer reads them."""
    keys = [f"{key.name}:" for key in KEYS] if target == "tenant" else []
    entries = (word.encode() for word in (*words(), *keys))
    lines = ('"' + "".join(f"\\x{byte:02x}" for byte in entry) + '"\n' for entry in entries)
    file.write_text("".join(lines), encoding="ascii")
