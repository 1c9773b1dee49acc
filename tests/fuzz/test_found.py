"""What fuzzing found, and inputs of the kind that finds things, through the fuzzer's own target.

`found/<target>/` holds the inputs as they are, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from runtime.cli import main

from .harness import TARGETS, try_rules, try_tenant
from .mutations import Mutations
from .seeds import CUT, TOKEN, expressions, rule_seeds, tenant_seeds, words, write_corpus, write_dictionary

FOUND = sorted((Path(__file__).parent / "found").glob("*/*"))

PENDING: set[str] = set()
"""Known and not yet mended; the test says when they are."""

NASTY: dict[str, bytes] = {
    "nothing": b"",
    "NUL": b"select 'a\0b' as x, i\0 from E;\0",
    "BOM": b"\xef\xbb\xbfselect i from E;",
    "two BOMs": b"\xef\xbb\xbf\xef\xbb\xbfselect i from E;",
    "BOM in between": b"select\xef\xbb\xbf i from E;",
    "no UTF-8": b"select '\xff\xfe' as x from E;",
    "overlong UTF-8": b"select '\xc0\xaf' from E;",
    "UTF-16": "select i from E;".encode("utf-16"),
    "half an emoji, escaped": rb"select '\ud83d' as x, '\ude00\ud83d' as y from E(s = '\udfff');",
    "half an emoji in a name": b"@UpdateState select 1 as `\xed\xa0\x80` from E;",
    "CR only": b"select i // all\rfrom E;\rselect j from E;",
    "CR before LF": b"select i // all\r\nfrom E;\r\n\r\n/* a\r\n b */ select j\r\nfrom E;",
    "line separators": "select i // a\u2028 from\u2029 E;\x85\x0b\x0c select j from E;".encode(),
    "blanks of Unicode": "select\u00a0i\u2003from\u3000E;\u200b".encode(),
    "parentheses": b"select " + b"(" * 2_000 + b"i" + b")" * 2_000 + b" as x from E;",
    "open parentheses": b"select " + b"(" * 10_000,
    "closing parentheses": b")" * 10_000,
    "string": b"select 'i from E;\nselect i from E;",
    "string at the end": b"select i from E where s = '",
    "escape at the end": b"select 'a\\",
    "back-tick": b"select `i from E;\nselect `` from E; select ` ` from E;",
    "comment": b"select i from E; /* and then",
    "comment of a slash": b"/",
    "comment at the end": b"select i from E //",
    "nested comments": b"/* /* */ select i from E; */",
    "annotation": b"@UpdateCounter('",
    "annotation alone": b"@;@@;@UpdateCounter;@UpdateCounter(;@UpdateCounter() select 1 from E;",
    "casts": b"select " + b"cast(" * 60 + b"i" + b", string)" * 60 + b" as x from E;",
    "casts too deep": b"select " + b"cast(" * 500 + b"i" + b", string)" * 500 + b" as x from E;",
    "huge numbers": b"select " + b"9" * 5_000 + b" as a, 1e999999999 as b, 0x" + b"F" * 5_000 + b" as c from E;",
    "tiny numbers": b"select 1e-999999999 as a, 0." + b"0" * 5_000 + b"1 as b, 1e-45f as c, .0e0 as d from E;",
    "edges of numbers": b"select 2147483648 as a, -2147483648 as b, 9223372036854775808L as c,"
    b" -9223372036854775808 as d from E;",
    "huge arguments": b"@AppendState(name='a', colname='s', maxlength=99999999999999999999) select s from E;",
    "huge shifts of time": b"@UpdateDuration select 2147483647 as _duration_ from E;",
    "digits of Unicode": "select ٣ as x, 1٣ as y, i٣ from E(i = ３);".encode(),
    "names of Unicode": "select größe, ﬁ, 变量, e\u0301, `a\u0301` from E;".encode(),
    "names of Python": b"@UpdateState select 1 as `class`, 2 as None, 3 as __init__, 4 as self, 5 as `a b` from E;",
    "right to left": "select 'a\u202eb\u2066' as x /* \u202e */ from E; // \u2067\nselect \u200f i from E;".encode(),
    "colours of a terminal": b"select '\x1b[31m' as x, \x1b[0m from E; // \x1b]0;title\x07",
    "formats of Python": b"@UpdateState select '{0}' as a, '%s{' as `{0!r}`, s || '{}' as c from E(s = '{x}'"
    b" or s like '{%');",
    "names in remarks": b"@Name('a\\nimport os # \\u0000 \\u2028') @UpdateCounter('x') select 1 from E;",
    "regular expressions": b"select s regexp '(a+)+$' as a, s regexp '\\\\p{L}[' as b, s regexp '(?<x>a)\\\\k<x>' as c,"
    b" s regexp '" + b"(" * 500 + b")" * 500 + b"' as d from E;",
    "large repeats": b"select s regexp 'a{99999999999}' as a, s regexp '((a{1000}){1000}){1000}' as b from E;",
    "like": b"select s like '" + b"%_" * 1_000 + b"' as a, s like '!' escape '!' as b, s like '' escape '' as c from E",
    "many alternatives": b"select i from E(" + b" and ".join(b"(i = %d or s is null)" % n for n in range(1_000)) + b")",
    "only semicolons": b";" * 5_000,
    "itself": b"create expression f { x => f(x) }; create variable int V = V; insert into E select i from E;",
}  # fmt: skip


@pytest.mark.parametrize("path", FOUND, ids=[path.stem for path in FOUND])
def test_found(path: Path, request: pytest.FixtureRequest) -> None:
    _expect(path.stem, request)
    TARGETS[path.parent.name](path.read_bytes())


def _expect(name: str, request: pytest.FixtureRequest) -> None:
    if name in PENDING:
        request.node.add_marker(pytest.mark.xfail(strict=True))


@pytest.mark.parametrize("name", NASTY)
def test_nasty_rules(name: str, request: pytest.FixtureRequest) -> None:
    _expect(name, request)
    try_rules(NASTY[name])


@pytest.mark.parametrize("name", NASTY)
def test_nasty_rules_of_a_tenant(name: str) -> None:
    config = next(seed for seed in tenant_seeds()).partition(CUT)[0]
    try_tenant(CUT.join((config, NASTY[name], NASTY[name])))
    try_tenant(NASTY[name])


@pytest.mark.parametrize("name", [name for name in NASTY if b"\xff" in NASTY[name] or b"\xc0" in NASTY[name]])
def test_what_is_no_utf_8_is_said_to_be_none(tmp_path: Path, name: str) -> None:
    file = tmp_path / "rules.epl"
    file.write_bytes(NASTY[name])
    result = CliRunner().invoke(main, ["lint", str(file)])
    assert result.exit_code == 2
    assert "it is not UTF-8 (byte" in result.stderr


@pytest.mark.parametrize(("target", "seeds"), [(try_rules, rule_seeds), (try_tenant, tenant_seeds)])
def test_seeds(target: Callable[[bytes], None], seeds: Callable[[], list[bytes]]) -> None:
    """The first of them, which are the files of this project."""
    for seed in islice(seeds(), 12):
        target(seed)


def test_mutations_change_rules_and_end() -> None:
    random = Random(7)
    seeds = list(islice(rule_seeds(), 40))
    mutations = Mutations(TOKEN, seeds, [word.encode() for word in words()], [each.encode() for each in expressions()])
    changed = [mutations(seed, random) for seed in seeds]
    assert sum(one != other for one, other in zip(seeds, changed, strict=True)) > 30
    for text in changed[::8]:
        try_rules(text)
    assert mutations(b"", random)


def test_the_dictionary_and_the_corpus(tmp_path: Path) -> None:
    write_dictionary(tmp_path / "words", "tenant")
    lines = (tmp_path / "words").read_text().splitlines()
    assert '"\\x73\\x65\\x6c\\x65\\x63\\x74"' in lines  # select
    assert all(line.startswith('"\\x') and line.endswith('"') for line in lines)
    write_corpus(tmp_path / "corpus", "rules")
    assert len(list((tmp_path / "corpus").iterdir())) > 100
