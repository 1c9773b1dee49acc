"""Generated code: null logic position by position, reads before writes, effects, and text that people can read."""

from __future__ import annotations

import itertools
import os
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from epl import Compiled, Environment, SessionLayout, Source, Stage, check, compile_program, parse, session_layout
from epl.compiler import SPLIT
from epl.compiler.text import grouped, is_atom, remark, replace_words, ungrouped
from epl.diagnostics import render
from epl.layout import slot_name
from epl.session_schema import PROPERTIES

E = "create schema E (a boolean, b boolean, i int, l long, d double, s string, xs int[], props map);\n"


class Driver:
    """Runs events through handlers as the engine does, and keeps what they leave."""

    def __init__(self, text: str, stage: Stage = Stage.MAIN, **options: Any) -> None:
        checked = check(parse(Source("rules.epl", E + text)), Environment(stage=stage))
        assert not list(checked.problems), render(checked.problems)
        self.layout: SessionLayout = session_layout(checked.attributes)
        self.compiled: Compiled = compile_program(checked.program, self.layout, **options)
        self.session = SimpleNamespace(
            **dict.fromkeys(self.layout.attributes), **{property.slot: 0 for property in PROPERTIES.values()}
        )
        self.routes: list[Any] = [None] * 9
        self.subs: dict[int, Any] = {}
        self.rows: deque[Any] = deque()
        self.end = False
        self.is_new = True
        self.log: list[Any] = []

    def set_duration(self, session: Any, gap_ms: int) -> None:
        self.log.append(("gap", gap_ms))

    def count(self, counter: str) -> None:
        self.log.append(("count", counter))

    def audit(self, rule: str, row: dict[str, Any]) -> None:
        self.log.append(("audit", rule, row))

    def fail(self, rule: str, error: Exception, event: Any) -> None:
        self.log.append(("failed", rule, str(error)))

    def report(self, rule: int, row: dict[str, Any]) -> None:
        self.log.append(("row", rule, row))

    def send(self, **fields: Any) -> Any:
        """The decorations of one event of type E."""
        event = SimpleNamespace(**{**dict.fromkeys(("a", "b", "i", "l", "d", "s", "xs", "props")), **fields})
        answer = self.compiled.handlers["E"](event, self.session, None, 1_000, self)
        while self.rows:
            handler, row = self.rows.popleft()
            handler(row, self.session, None, 1_000, self)
        return answer

    def state(self) -> dict[str, Any]:
        """The attributes that are there, by name."""
        found = {name: getattr(self.session, slot.attribute) for name, slot in self.layout.state.items()}
        return {name: value for name, value in found.items() if value is not None}


# ---- null logic

TRUTHS = (True, False, None)
BOTH = list(itertools.product(TRUTHS, TRUTHS))


def positions(expression: str, **fields: Any) -> tuple[bool | None, bool | None, bool, bool, int]:
    """The value of a condition, of its opposite, whether either passes a filter, and the branch of a case."""
    driver = Driver(
        f"select {expression} as value, not ({expression}) as opposite from E;\n"
        f"select 1 as x from E where {expression};\n"
        f"select 1 as x from E where not ({expression});\n"
        f"select case when {expression} then 1 when not ({expression}) then 2 else 3 end as x from E",
        report=True,
    )
    driver.send(**fields)
    rows = {number: row for _, number, row in driver.log}
    return rows[1]["value"], rows[1]["opposite"], 2 in rows, 3 in rows, rows[4]["x"]


EXPECTED = {
    True: (True, False, True, False, 1),
    False: (False, True, False, True, 2),
    None: (None, None, False, False, 3),
}


@pytest.mark.parametrize(
    ("expression", "table"),
    [
        # one line for each value of a (true, false, null), one letter for each of b
        ("a and b", "TFN FFF NFN"),
        ("a or b", "TTT TFN TNN"),
        ("not a", "FFF TTT NNN"),
        ("a = b", "TFN FTN NNN"),
        ("a != b", "FTN TFN NNN"),
        ("a is b", "TFF FTF FFT"),
        ("a is not b", "FTT TFT TTF"),
        ("a is null", "FFF FFF TTT"),
        ("a is not null", "TTT TTT FFF"),
        ("a = null", "NNN NNN NNN"),
        ("a in (b)", "TFN FTN NNN"),
        ("a not in (b)", "FTN TFN NNN"),
        ("a in (b, true)", "TTT FTN NNN"),
        ("a in (true)", "TTT FFF NNN"),
        ("a in (true, null)", "TTT NNN NNN"),
        ("a not in (true, null)", "FFF NNN NNN"),
        ("a = any (b, true)", "TTT FTN NNN"),
        ("a = all (b, true)", "TFN FFF NNN"),
        ("coalesce(a, b)", "TTT FFF TFN"),
        ("case when a then b else true end", "TFN TTT TTT"),
        ("case a when b then true when null then false end", "TNN NTN FFT"),
        ("not (a and not b)", "TFN TTT TNN"),
        ("(a or b) and (a is not null)", "TTT TFN FFF"),
    ],
)
def test_truth_tables(expression: str, table: str) -> None:
    letters = {"T": True, "F": False, "N": None}
    for (a, b), letter in zip(BOTH, table.replace(" ", ""), strict=True):
        assert positions(expression, a=a, b=b) == EXPECTED[letters[letter]], (a, b)


@pytest.mark.parametrize(
    ("expression", "fields", "answer"),
    [
        ("i < d", {"i": 1, "d": 1.5}, True),
        ("i < d", {"i": None, "d": 1.5}, None),
        ("not (i < d)", {"i": 2, "d": 1.5}, True),
        ("d < i", {"i": 1, "d": float("nan")}, False),
        ("i between 1 and 3", {"i": 2}, True),
        ("i between 3 and 1", {"i": 2}, True),
        ("i not between 1 and 3", {"i": None}, False),
        ("i between 1 and 3", {"i": None}, False),
        ("i between l and 3", {"i": 2, "l": None}, False),
        ("i not between l and 3", {"i": 2, "l": None}, True),
        ("i in (1:3)", {"i": 3}, False),
        ("i in (1:3]", {"i": 3}, True),
        ("i in [l:3]", {"i": 3, "l": 5}, True),
        ("s like 'a%'", {"s": "ab"}, True),
        ("s like 'a%'", {"s": None}, None),
        ("s not like 'a%'", {"s": "b"}, True),
        ("s like '{' escape '!'", {"s": "{"}, True),
        ("'a{' like s escape '{'", {"s": "a{{"}, True),
        ("i like '1_'", {"i": 12}, True),
        ("s regexp '[ab]+'", {"s": "abc"}, False),
        ("s regexp '[ab]+'", {"s": None}, None),
        ("i in (xs)", {"i": 1, "xs": [1, 2]}, True),
        ("i in (xs)", {"i": 3, "xs": [1, None]}, None),
        ("i in (xs)", {"i": 3, "xs": None}, None),
        ("i in (xs)", {"i": 3, "xs": []}, False),
        ("i in ({1, 2})", {"i": 2}, True),
        ("i not in ({1, 2}, 3)", {"i": None}, None),
        ("i in ({1, l}, xs)", {"i": 3, "xs": [3]}, True),
        ("i > all (xs)", {"i": 3, "xs": [1, 2]}, True),
        ("i > all (xs)", {"i": 3, "xs": [5, None]}, False),
        ("i > all (xs)", {"i": 3, "xs": []}, True),
        ("xs[0] = 1", {"xs": [1]}, True),
        ("xs[9] = 1", {"xs": [1]}, None),
        ("props('k') = 1", {"props": {"k": 1}}, True),
        ("props('k') = 1", {"props": {"k": True}}, False),
        ("props('k') in (1, 2)", {"props": {"k": True}}, False),
        ("props('k') = 1", {"props": {}}, None),
        ("s.contains('a')", {"s": "ab"}, True),
        ("s.contains('a')", {"s": None}, None),
        ("s.substring(5) is null", {"s": "ab"}, True),
    ],
)
def test_predicates(expression: str, fields: dict[str, Any], answer: bool | None) -> None:
    assert positions(expression, **fields) == EXPECTED[answer]


# ---- reads, then writes


def test_a_decoration_shows_the_state_before_its_event() -> None:
    for rules in itertools.permutations((
        "@UpdateCounter('n') select 1 from E",
        "@DecorateEvent select session.n as seen from E",
        "@UpdateState select session.n as copy from E",
    )):  # fmt: skip
        driver = Driver(";\n".join(rules))
        assert [driver.send(), driver.send(), driver.send()] == [{}, {"seen": 1}, {"seen": 2}]
        assert driver.state() == {"n": 3, "copy": 2}


def test_one_rule_with_several_effects_reads_first() -> None:
    driver = Driver("@UpdateCounter('n') @DecorateEvent @UpdateState select session.n as seen from E")
    assert [driver.send(), driver.send()] == [{}, {"seen": 1}]
    assert driver.state() == {"n": 2, "seen": 1}


def test_columns_that_swap() -> None:
    driver = Driver(
        "@UpdateState select 1 as a, 2 as b from E(i = 0);\n"
        "@UpdateState select session.b as a, session.a as b from E(i = 1)"
    )
    driver.send(i=0)
    driver.send(i=1)
    assert driver.state() == {"a": 2, "b": 1}


def test_a_later_write_wins() -> None:
    driver = Driver(
        "@UpdateState select 1 as a from E; @UpdateState select 2 as a from E; @UpdateState select 3 as a from E(i = 1)"
    )
    driver.send(i=0)
    assert driver.state() == {"a": 2}


def test_a_condition_reads_the_state_before() -> None:
    driver = Driver("@UpdateState select 1 as first from E; @UpdateCounter('later') select 1 from E(session.first = 1)")
    driver.send()
    assert driver.state() == {"first": 1}
    driver.send()
    assert driver.state() == {"first": 1, "later": 1}


def test_a_list_that_was_read_does_not_change() -> None:
    driver = Driver(
        "@AppendState(name='xs', colname='i') select i from E; @UpdateState select session.xs as before from E"
    )
    for i in (1, 2, 3):
        driver.send(i=i)
    assert driver.state() == {"xs": [1, 2, 3], "before": [1, 2]}


def test_updates_come_first_and_see_the_event_as_it_was() -> None:
    driver = Driver(
        "@DecorateEvent select i as x, l as y from E;\n"
        "update istream E set i = i + 1, l = i where i > 0;\n"
        "update istream E set i = i * 10"
    )
    assert driver.send(i=1, l=5) == {"x": 20, "y": 1}
    assert driver.send(i=0, l=5) == {"x": 0, "y": 5}


def test_inserted_rows_see_what_came_before() -> None:
    driver = Driver(
        "@UpdateState select s as t from F(n > 1);\n"
        "insert into F select i + 1 as n, s, session.eventCount as c from E(i is not null);\n"
        "@AppendState(name='ns', colname='n', unique=false) select n from F"
    )
    driver.send(i=0, s="a")
    driver.send(i=5, s="b")
    driver.send(s="c")
    assert driver.state() == {"t": "b", "ns": [1, 6]}


# ---- failures


def test_a_rule_that_fails_does_nothing_else() -> None:
    driver = Driver(
        "@Name('bad') @UpdateCounter('n') @DecorateEvent @UpdateState\n"
        "select 'x' as before, cast(s, int) as number from E;\n"
        "@UpdateCounter('m') @DecorateEvent select 'y' as after from E"
    )
    assert driver.send(s="seven") == {"after": "y"}
    assert driver.state() == {"m": 1}
    assert driver.log == [("failed", "bad", '"seven" cannot be read as int')]
    assert driver.send(s="7") == {"before": "x", "number": 7, "after": "y"}
    assert driver.state() == {"m": 2, "n": 1, "before": "x", "number": 7}


@pytest.mark.parametrize(
    "text", ["@UpdateCounter('n') select 1 from E(1 % i = 0)", "update istream E set l = 1 % i, d = 2.0"]
)
def test_failing_conditions_and_updates(text: str) -> None:
    driver = Driver(text + "; @DecorateEvent select l as l, d as d from E")
    assert driver.send(i=0, l=7, d=1.5) == {"l": 7, "d": 1.5}
    assert [entry[0] for entry in driver.log] == ["failed"]
    assert driver.state() == {}


def test_integers_beyond_all_floats_are_failures_of_their_rule() -> None:
    driver = Driver(
        "@UpdateState select l as x from E(session.x is null);\n"
        "@UpdateState select session.x * session.x as x from E(session.x is not null);\n"
        "@DecorateEvent select session.long('x') * 1.5 as y from E"
    )
    for _ in range(12):
        driver.send(l=2**62)
    assert {entry[0] for entry in driver.log} == {"failed"}


# ---- effects


def test_counters() -> None:
    driver = Driver(
        "@UpdateCounter('rows') select 1 from E; @AppendCounter('rows') select 1 from E(i > 0);\n"
        "@AppendCounter(name='sum', colname='i') select i from E;\n"
        "@AppendCounter(name='total', colname='d') select d from E;\n"
        "@UpdateCounter('total') select 1 from E"
    )
    for i, d in ((1, 0.5), (None, None), (0, 2.0)):
        driver.send(i=i, d=d)
    assert driver.state() == {"rows": 4, "sum": 1, "total": 5.5}
    assert type(driver.state()["total"]) is float


def test_a_counter_leaves_other_kinds_alone() -> None:
    driver = Driver(
        "@UpdateState select s as n from E(s is not null); @UpdateState select d as n from E(d is not null);\n"
        "@Name('count') @UpdateCounter('n') select 1 from E(s is null and d is null);\n"
        "@DecorateEvent select session.int('n') as i, session.double('n') as d, session.string('n') as s from E"
    )
    driver.send(s="a")
    assert driver.send() == {"s": "a"}
    assert driver.log == [("failed", "count", "the attribute holds something that is no number")]
    driver.send(d=1.5)
    assert driver.send() == {"d": 1.5}
    assert driver.send() == {"d": 2.5}


def test_state_of_several_kinds_is_read_by_its_kind() -> None:
    driver = Driver(
        "@UpdateState select props('k') as x from E(props is not null);\n"
        "@UpdateState select i as x from E(i is not null);\n"
        "@DecorateEvent select session.int('x') as i, session.string('x') as s, session.boolean('x') as b from E"
    )
    seen = []
    for value in (7, "a", True, None, 1.5):
        driver.send(props={"k": value})
        seen.append(driver.send())
    assert seen == [{"i": 7}, {"s": "a"}, {"b": True}, {}, {}]


def test_a_null_removes() -> None:
    driver = Driver("@UpdateState select s from E")
    driver.send(s="a")
    assert driver.state() == {"s": "a"}
    driver.send()
    assert driver.state() == {}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("", [1, 2, 3]),
        (", unique=false", [1, 2, 1, 3, 2]),
        (", maxlength=2", [2, 3]),
        (", unique=false, maxlength=2", [3, 2]),
        (", unique=false, maxlength=1", [2]),
        (", unique=false, maxlength=9", [1, 2, 1, 3, 2]),
    ],
)
def test_lists(parameters: str, expected: list[int]) -> None:
    for more in ("", "; @UpdateState select xs from E(xs is not null)"):  # written by one annotation, or by two
        driver = Driver(f"@AppendState(name='xs', colname='i'{parameters}) select i from E" + more)
        for i in (1, 2, None, 1, 3, 2):
            driver.send(i=i)
        assert driver.state() == {"xs": expected}


def test_an_appended_list_is_not_the_events_own() -> None:
    driver = Driver(
        "@UpdateState select xs from E(xs is not null); @AppendState(name='xs', colname='i') select i from E(i > 0)"
    )
    array = [1]
    driver.send(xs=array)
    driver.send(i=2)
    assert (array, driver.state()) == ([1], {"xs": [1, 2]})


def test_a_list_of_mixed_values_is_unique_by_type_and_value() -> None:
    driver = Driver("@AppendState(name='seen', colname='k') select props('k') as k from E")
    for value in (1, True, 1.0, "1", 1, True):
        driver.send(props={"k": value})
    assert [repr(item) for item in driver.state()["seen"]] == ["1", "True", "1.0", "'1'"]


def test_decorations() -> None:
    driver = Driver(
        "@DecorateEvent select i, s, xs, props, d as `{0} it's`, null as nothing, props('list') as list from E;\n"
        "@DecorateEvent select 'late' as s from E(i = 2)"
    )
    assert driver.send(i=1, s="a", xs=[1, None, 3], props={"k": 1, "n": None, "list": [1.5, "x"]}, d=0.5) == {
        "i": 1,
        "s": "a",
        "xs": "1,null,3",
        "k": 1,
        "list": "1.5,x",
        "{0} it's": 0.5,
    }
    assert driver.send(i=2, s="a", xs=[]) == {"i": 2, "s": "late"}


def test_routes_and_sub_sessions() -> None:
    driver = Driver(
        "@Session('Main') select s as _pk_, l as _timestamp_,"
        " case when s = '{' then 5 else 6 end as _duration_ from E;\n"
        "@Passive @Session('Other') select props('k') as _pk_ from E",
        Stage.CONTROLLER,
        profiles=["Other", "Main"],
    )
    driver.send(s="{", l=7, props={"k": "key"})
    assert driver.routes[:2] == [("key", None, None, True), ("{", 7, 5, False)]
    driver.routes = [None, None]
    driver.send(props={"k": 5})
    assert driver.routes == [None, None]
    sub = Driver("@SubSession('Cart') select s as _pk_, 'x' as _duration_ from E", sub_sessions=["Tab", "Cart"])
    sub.send(s="c")
    sub.send()
    assert sub.subs == {1: ("c", None)}


def test_other_effects() -> None:
    driver = Driver(
        "@UpdateDuration select i as _duration_ from E; @MarkBot select 2 as _bottype_ from E(i = 1);\n"
        "@EndSession select 1 from E(i = 1);\n"
        "@DebugSession(counter='rows') select 1 from E; @DebugSession(counter='by', colname='d') select d from E;\n"
        "@Name('log') @DebugSession(counter='log', audit=true) select i, s from E"
    )
    driver.send()
    assert (driver.log, driver.end, driver.session.bot_type) == (
        [("count", "rows"), ("count", "by-null"), ("count", "log"), ("audit", "log", {"i": None, "s": None})],
        False,
        0,
    )
    driver.log.clear()
    driver.send(i=1, d=1e7)
    assert (driver.log[0], driver.log[2], driver.end, driver.session.bot_type) == (
        ("gap", 1),
        ("count", "by-1.0E7"),
        True,
        2,
    )


def test_a_split_comes_before_all_effects() -> None:
    driver = Driver(
        "@UpdateCounter('n') select 1 from E; @SplitSession @UpdateState select 1 as split from E(1 % i = 1)"
    )
    driver.is_new = False
    assert driver.send(i=5) == SPLIT
    assert driver.state() == {}
    driver.is_new = True
    assert driver.send(i=5) is None
    assert driver.state() == {"n": 1, "split": 1}
    driver.is_new = False
    assert driver.send(i=0) is None
    assert [entry[0] for entry in driver.log] == ["failed"]


def test_session_reads() -> None:
    driver = Driver(
        "@UpdateState select i as a, s as b, xs as c from E(i is not null);\n"
        "@DecorateEvent select session.contains('a') as has, session.contains(s) as has_s,"
        " session.contains('c', i) as in_c,"
        " session.contains(s, l) as in_s,"
        " session.filter({'a', 'zzz'}) as f, session.filter({s, 'b'}) as g from E(i is null)"
    )
    assert driver.send() == {"has": False, "has_s": False, "in_c": False, "in_s": False}
    driver.send(i=1, s="text", xs=[1, 2])
    assert driver.send(s="c", l=2) == {
        "has": True, "has_s": True, "in_c": False, "in_s": True, "a": 1, "b": "text", "c": [1, 2]
    }  # fmt: skip


def test_matches_are_counted() -> None:
    driver = Driver(
        "update istream E set i = 1 where i = 0; select i from E(i = 1); @UpdateCounter('n') select 1 from E"
    )
    driver.send(i=0)
    driver.send(i=2)
    assert driver.compiled.matches == [0, 1, 1, 2]


# ---- names


AWKWARD = (
    "e s p now fx d m error SPLIT COUNTER_TAKEN t1 c1 r1 on_E ROW_on_E LIKE_0 REGEX_FOR_1 by_kind min min_ len same "
    "contained None x0_a class größe a-b {0} x0_two_20_words"
)


@pytest.mark.parametrize("name", [*AWKWARD.split(), "two words", "'"])
def test_any_field_name_will_do(name: str) -> None:
    text = (
        f"create schema X (`{name}` int, other string, min_ int);\n"
        f"update istream X set other = cast(`{name}`, string) where `{name}` = 2;\n"
        f"@UpdateState @DecorateEvent select `{name}`, other, `{name}` + 1 as `{name} plus`, min_ as least,"
        f" other like '%{name}%' or other like other or `{name}` = any (1, `{name}`) as t from X(`{name}` > 0)"
    )
    if "'" in name:
        text = text.replace(f"'%{name}%'", "'%'")
    checked = check(
        parse(Source("names.epl", text.replace("min_ int", "zzz int").replace("min_ as", "zzz as"))), Environment()
    )
    assert not list(checked.problems), render(checked.problems)
    compiled = compile_program(checked.program, session_layout(checked.attributes), report=True)
    session = SimpleNamespace(**dict.fromkeys(session_layout(checked.attributes).attributes))
    event = SimpleNamespace(**{slot_name(name): 2, "other": "x", "zzz": 3})
    driver = Driver("select 1 from E")
    assert compiled.handlers["X"](event, session, None, 0, driver) == {
        name: 2, "other": "2", f"{name} plus": 3, "least": 3, "t": True
    }  # fmt: skip
    assert getattr(session, slot_name(name, "st_")) == 2


def test_slots_do_not_meet() -> None:
    names = ["a b", "x0_a_20_b", "x0_", "kind_x", "x", "_", "__", "a_", "class", "größe", ""]
    slots = [slot_name(name, prefix) for name in names for prefix in ("", "st_", "md_", "kind_st_", "kind_md_")]
    assert len(set(slots)) == len(slots)
    assert all(slot.isidentifier() and slot.isascii() for slot in slots)


# ---- text


def test_parentheses() -> None:
    assert [is_atom(text) for text in ("a.b", "1.5", "'a b'", "'it\\'s'", "a b", "-1", "f(x)")] == [
        True, True, True, True, False, False, False
    ]  # fmt: skip
    assert grouped("(a) + (b)") == "((a) + (b))"
    assert grouped("(a + (b))") == "(a + (b))"
    assert ungrouped("('\\\\') + (')')") == "('\\\\') + (')')"
    assert ungrouped("(')' + b)") == "')' + b"


def test_words_are_replaced_outside_of_strings_and_attributes() -> None:
    assert replace_words("n + s.n + 'n' + f(n)", lambda word: word.upper()) == "N + S.n + 'n' + F(N)"
    assert replace_words("n # it's n\nn + '# n'", lambda word: word.upper()) == "N # it's n\nN + '# n'"


def test_remarks_stay_on_their_line() -> None:
    assert remark("a\n b\t # 'c") == "# a b # 'c"
    assert remark("\0\ud800\u202e\x1b[1m") == "# ����[1m"
    assert len(remark("x" * 500)) == 102
    name = r"a\n  raise SystemExit # \u2028 \u0000"
    driver = Driver(f"@Name('{name}') @UpdateCounter('n') select i from E(i = 1 and i < 9);")
    driver.send(i=1)
    assert driver.state() == {"n": 1}


def test_the_row_of_an_update_is_the_whole_event() -> None:
    driver = Driver("update istream E set i = 1;", report=True)
    assert list(driver.compiled.fields["E"]) == sorted(["a", "b", "i", "l", "d", "s", "xs", "props"])
    driver.send(s="x")
    ((_, _, row),) = driver.log
    assert (row["i"], row["s"]) == (1, "x")


GOLDEN = Path(__file__).parent / "generated"


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.epl")))
def test_generated_source(name: str) -> None:
    """`UPDATE_GOLDEN=1 pytest` writes the `.py.txt` file anew."""
    checked = check(parse(Source.read(GOLDEN / f"{name}.epl", f"{name}.epl")), Environment(stage=Stage.MAIN))
    assert not list(checked.problems), render(checked.problems)
    text = compile_program(checked.program, session_layout(checked.attributes), sub_sessions=["Cart"]).python
    golden = GOLDEN / f"{name}.py.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
