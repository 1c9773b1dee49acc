"""What a change of rules is said to do to open sessions, and that this is what it does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epl.java.arithmetic import RANGES
from epl.types import Kind
from runtime.cache.shapes import Attribute, Change, Shape, change, migrate
from runtime.config import TimePolicy
from runtime.plan import AttributePlan, Before, KindPlan, Plan, plan
from runtime.rules import TenantRules

ADDED, KEPT, CONVERTED, WHERE_IT_FITS, DROPPED = Change
Compile = Callable[[dict[str, Any]], TenantRules]

PART = {"name": "Part", "gap": "5s", "rules_text": "@UpdateState select n as part_n from Click;"}
VISIT = {
    "name": "Visit",
    "type": 1,
    "gap": "10s",
    "rules_text": "@UpdateState select n as last, text as word from Click;"
    "@UpdateMetadata select text as landing from Click; @SubSession('Part') select text as _pk_ from Click;",
    "sub_sessions": [PART],
}
TENANT = {
    "events": {"Click": {"user": "string", "n": "int", "big": "long", "text": "string"}},
    "controller_text": "@Session('Visit') select user as _pk_ from Click;",
    "profiles": [VISIT],
}


OPEN = {"Visit": 7, "Gone": 2, "Empty": 0}


@pytest.fixture
def planned(compile_text: Compile) -> Callable[..., Plan]:
    """The plan of a change of the tenant above: of keys of its profile, or of the tenant."""

    def planned(tenant: dict[str, Any] | None = None, **profile: Any) -> Plan:
        before = Before.of_rules(compile_text(TENANT))
        return plan(before, compile_text({**TENANT, "profiles": [{**VISIT, **profile}], **(tenant or {})}))

    return planned


def rows(kind: KindPlan) -> dict[str, tuple[tuple[str, ...], str | None, Change]]:
    return {f"{each.namespace}.{each.name}": (each.before, each.after, each.change) for each in kind.attributes}


def test_the_same_rules_keep_all(planned: Callable[..., Plan]) -> None:
    found = planned()
    assert [each.change for kind in found.kinds() for each in kind.attributes] == [KEPT] * 4
    assert not found.loses


def test_attributes_go_by_name_and_namespace(planned: Callable[..., Plan]) -> None:
    rules = (
        "@UpdateState select big as last, n as landing from Click; @SubSession('Part') select text as _pk_ from Click;"
    )
    found = planned(rules_text=rules)
    assert rows(found.profiles[0]) == {
        "state.last": (("int",), "long", CONVERTED),
        "state.word": (("string",), None, DROPPED),
        "metadata.landing": (("string",), None, DROPPED),
        "state.landing": ((), "int", ADDED),
    }
    assert found.loses


def test_what_may_be_lost_counts_as_lost(planned: Callable[..., Plan]) -> None:
    sub = {**PART, "rules_text": "@UpdateState select cast(n, short) as part_n from Click;"}
    found = planned(sub_sessions=[sub])
    assert rows(found.profiles[0].sub_sessions[0]) == {"state.part_n": (("int",), "short", WHERE_IT_FITS)}
    assert found.loses


def test_what_only_removed_holds_nothing(compile_text: Compile) -> None:
    removes = {**VISIT, "rules_text": "@UpdateState select null as gone from Click;", "sub_sessions": []}
    nothing = {**removes, "rules_text": ""}
    before = Before.of_rules(compile_text({**TENANT, "profiles": [removes]}))
    assert plan(before, compile_text({**TENANT, "profiles": [nothing]})).profiles[0].attributes == ()


@pytest.mark.parametrize(
    ("changed", "setting", "holds_for_open"),
    [
        ({"gap": "20s"}, ("gap", "10s", "20s"), False),
        ({"max_active": "1m"}, ("max_active", "1d", "1m"), True),
        ({"max_active": "0"}, ("max_active", "1d", "none"), True),
        ({"midnight": True}, ("midnight", "false", "true"), True),
        ({"shadow": True}, ("shadow", "false", "true"), True),
        ({"type": 2}, ("type", "1", "2"), True),
        ({"begin_marker": "Began"}, ("begin_marker", "none", "Began"), False),
        ({"end_marker": "Ended"}, ("end_marker", "none", "Ended"), True),
        ({"keys": {"id": "visit"}}, ("keys.id", "_snid", "visit"), True),
        ({"keys": {"count": None}}, ("keys.count", "_snec", "none"), True),
    ],
)
def test_settings(
    planned: Callable[..., Plan], changed: dict[str, Any], setting: tuple[str, str, str], holds_for_open: bool
) -> None:
    found = planned(**changed)
    (only,) = found.profiles[0].settings
    assert (only.name, only.before, only.after, only.holds_for_open) == (*setting, holds_for_open)
    assert not found.loses


def test_settings_of_sub_sessions(planned: Callable[..., Plan]) -> None:
    found = planned(sub_sessions=[{**PART, "gap": "4s"}])
    assert [each.name for each in found.profiles[0].sub_sessions[0].settings] == ["gap"]


def test_kinds_come_and_go(planned: Callable[..., Plan]) -> None:
    rules = "@SubSession('Other') select text as _pk_ from Click;"
    found = planned(rules_text=rules, sub_sessions=[{**PART, "name": "Other"}])
    assert [(sub.name, sub.change) for sub in found.profiles[0].sub_sessions] == [("Part", DROPPED), ("Other", ADDED)]
    controller = "@Session('Stay') select user as _pk_ from Click;"
    found = planned({"controller_text": controller}, name="Stay")
    assert [(each.name, each.change) for each in found.profiles] == [("Visit", DROPPED), ("Stay", ADDED)]
    assert found.loses


@pytest.mark.parametrize("tenant", [{"tenant": "another"}, {"time": {"policy": "ender"}}])
def test_what_cannot_be_taken_over(planned: Callable[..., Plan], tenant: dict[str, Any]) -> None:
    found = planned(tenant)
    assert found.refused is not None
    assert found.profiles == ()
    assert found.loses


def test_a_snapshot_may_hold_what_several_rule_sets_wrote(compile_text: Compile) -> None:
    """The worst of them counts, and an attribute that only the older one had is lost as well."""
    old = Shape((Attribute("last", "state", "long"), Attribute("older", "state", "int")))
    new = Shape((Attribute("last", "state", "int"),))
    tenant = compile_text(TENANT)
    before = Before("test", TimePolicy.GAP, {"Visit": [old, new], "Gone": [new], "Empty": []}, OPEN, None)
    visit, gone, empty = plan(before, tenant).profiles
    assert visit.attributes[:2] == (
        AttributePlan("state", "last", ("long", "int"), "int", WHERE_IT_FITS),
        AttributePlan("state", "older", ("int",), None, DROPPED),
    )
    assert (visit.open_sessions, gone.open_sessions) == (7, 2)
    assert (gone.change, gone.is_lost, empty.change, empty.is_lost) == (DROPPED, True, DROPPED, False)


# ---- what is promised is kept

SIMPLE: dict[Kind, st.SearchStrategy[Any]] = {
    **{kind: st.integers(*RANGES[kind]) for kind in (Kind.BYTE, Kind.SHORT, Kind.INT, Kind.LONG)},
    Kind.BIGINT: st.integers(),
    Kind.FLOAT: st.floats(width=32),
    Kind.DOUBLE: st.floats(),
    Kind.DECIMAL: st.decimals(allow_nan=False, allow_infinity=False),
    Kind.STRING: st.text(),
    Kind.BOOLEAN: st.booleans(),
    Kind.CHAR: st.characters(),
    Kind.DATE: st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
    Kind.MAP: st.dictionaries(st.text(), st.integers() | st.text()),
}
LISTS = (Kind.LIST, Kind.ARRAY)
SOMETHING = st.one_of(*SIMPLE.values())


@st.composite
def attributes(draw: st.DrawFn) -> Attribute:
    kind = draw(st.sampled_from([*SIMPLE, *LISTS, Kind.OBJECT, None]))
    element = draw(st.sampled_from([*SIMPLE, None])) if kind in LISTS else None
    return Attribute("a", "state", None if kind is None else kind.value, None if element is None else element.value)


def value_of(attribute: Attribute) -> st.SearchStrategy[Any]:
    """What rules may have written."""
    if attribute.kind in (None, Kind.OBJECT.value):
        return SOMETHING
    kind = Kind(attribute.kind)
    if kind not in LISTS:
        return SIMPLE[kind]
    return st.lists(st.none() | (SOMETHING if attribute.element is None else SIMPLE[Kind(attribute.element)]))


@given(st.data(), attributes(), attributes())
def test_what_is_kept_or_converted_is_never_dropped(data: st.DataObject, before: Attribute, after: Attribute) -> None:
    value = data.draw(value_of(before))
    kind = [Kind.STRING.name] if before.kind is None else []
    row, dropped = migrate([None, value, *kind], Shape((before,)), Shape((after,)), head=1, subs_at=0)
    match change(before, after):
        case Change.KEPT:
            assert (repr(row[1]), dropped) == (repr(value), 0)
        case Change.CONVERTED:
            assert dropped == 0
            assert row[1] == value or Decimal(str(row[1])) == Decimal(str(value)) or value != value
        case Change.WHERE_IT_FITS:
            assert dropped == (row[1] is None)
        case _:
            assert (row[1], dropped) == (None, 1)
