"""Many tenants in one process: whatever one gets or does, the others send what they would send alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine import Clock, Engine
from runtime.event import Refused
from runtime.output import LineOutput
from runtime.rules import TenantRules
from runtime.tenants import Disabled, Tenants, TenantTwice, UnknownTenant

CALM = "calm"
PROFILE = {"name": "Visit", "type": 1, "gap": "5s", "begin_marker": "Begin", "end_marker": "End"}
RULES = "@UpdateCounter('seen') select 1 from Click; @DecorateEvent select session.int('seen') as seen from Click;"
FAILING = "@DecorateEvent select n % 0 as never from Click; @UpdateState select s.charAt(9) as letter from Click;"


def config_of(name: str, rules: str = RULES, **more: Any) -> dict[str, Any]:
    """A tenant by the name; `more` is beside its events."""
    return {
        "events": {"Click": {"user": "string", "at": "long", "n": "int", "s": "string"}},
        "controller_text": "@Session('Visit') select user as _pk_, at as _timestamp_ from Click;",
        "profiles": [{**PROFILE, "rules_text": rules}],
        **more,
        "tenant": name,
    }


class RefusesEnds(LineOutput):
    """Nobody takes an end marker."""

    def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
        return False


class Raises(LineOutput):
    """A defect: it raises at every event of a user called `boom`."""

    def event(self, raw: bytes, decorations: dict[str, Any] | None, now_ms: int) -> None:
        if b"boom" in raw:
            raise OSError("what a defect")
        super().event(raw, decorations, now_ms)


BAD_LINES = [b"{", b"\xff", b"[1]", b'{"user":7}', b'{"_type":"Other"}', b"", b"nonsense"]
NEIGHBOURS: dict[str, tuple[dict[str, Any], Callable[[], LineOutput]]] = {
    "floods": (config_of("floods", limits={"rate": 1}), LineOutput),
    "fails": (config_of("fails", FAILING), LineOutput),
    "refused": (config_of("refused"), RefusesEnds),
    "bad": (config_of("bad"), LineOutput),
    "defect": (config_of("defect"), Raises),
}
EVENTS = st.builds(
    lambda user, n, at: json.dumps({"user": user, "n": n, "at": at, "s": "s"}).encode(),
    st.sampled_from(["a", "b", "boom"]),
    st.integers(0, 3),
    st.integers(0, 20_000),
)
STREAM = st.lists(
    st.tuples(st.just(CALM), EVENTS)
    | st.tuples(st.sampled_from(sorted(NEIGHBOURS)), EVENTS)
    | st.tuples(st.just("bad"), st.sampled_from(BAD_LINES)),
    max_size=40,
)


@pytest.fixture(scope="module")
def rules(compile_text: Callable[[dict[str, Any]], TenantRules]) -> dict[str, TenantRules]:
    configs = {CALM: config_of(CALM), **{name: config for name, (config, _) in NEIGHBOURS.items()}}
    return {name: compile_text(config) for name, config in configs.items()}


def output_of(rules: TenantRules) -> LineOutput:
    """The output that a tenant of this name has."""
    name = rules.config.tenant
    return NEIGHBOURS[name][1]() if name in NEIGHBOURS else LineOutput()


@pytest.mark.parametrize("driven", [True, False], ids=["driven", "event time"])
@settings(max_examples=60, deadline=None)
@given(STREAM, st.lists(st.integers(0, 4_000), min_size=40, max_size=40))
def test_nobody_harms_another(
    rules: dict[str, TenantRules],
    driven: bool,
    stream: list[tuple[str, bytes]],
    pauses_ms: list[int],
) -> None:
    options = {"clock": Clock.DRIVER if driven else Clock.EVENT_TIME}
    outputs: dict[str, LineOutput] = {}

    def make(each: TenantRules) -> LineOutput:
        return outputs.setdefault(each.config.tenant, output_of(each))

    tenants = Tenants(rules.values(), make, options=lambda _: options)
    alone = LineOutput()
    engine = Engine(rules[CALM], alone, **options)
    refused: dict[str, list[Refused]] = {name: [] for name in rules}
    now_ms = 1_000
    for (name, line), pause_ms in zip(stream, pauses_ms, strict=False):
        now_ms += pause_ms
        at = now_ms if driven else None
        tenants.process(name, [line], at, refuse=refused[name].append)
        if driven:
            tenants.advance(now_ms)
        if name == CALM:
            engine.process([line], at)
        if driven:
            engine.advance(now_ms)
    tenants.drain()
    engine.drain()
    assert outputs[CALM].take() == alone.take()
    assert refused[CALM] == []
    # Nothing of the others is lost either: an event has left, or is refused, or was blank.
    for name in ("floods", "fails", "refused", "bad"):
        given = [line for tenant, line in stream if tenant == name and line.strip()]
        left = [line for line in outputs[name].take() if b'"Begin"' not in line and b'"End"' not in line]
        assert len(left) + len(refused[name]) == len(given)
    given = [line for tenant, line in stream if tenant == "defect"]
    left = [line for line in outputs["defect"].take() if b'"Begin"' not in line and b'"End"' not in line]
    assert len(left) + len(refused["defect"]) == len(given)
    assert [each.tenant for each in tenants.disabled] == (["defect"] if any(b"boom" in line for line in given) else [])


def click(user: str, at: int) -> bytes:
    return json.dumps({"user": user, "at": at}).encode()


def test_a_defect_disables_one_tenant_and_keeps_its_events(rules: dict[str, TenantRules]) -> None:
    told: list[Disabled] = []
    tenants = Tenants([rules["defect"], rules[CALM]], output_of, on_disabled=told.append)
    refused: list[Refused] = []
    lines = [click("a", 1), click("boom", 2), click("b", 3), b"", click("c", 4)]
    failed = tenants.process("defect", lines, 1_000, first_line=11, refuse=refused.append)
    assert isinstance(failed, Disabled)
    assert told == tenants.disabled == [failed]
    assert failed.live_sessions == 2
    assert [(each.line, each.code, each.raw) for each in refused] == [
        (12, "disabled", lines[1]),
        (13, "disabled", lines[2]),
        (15, "disabled", lines[4]),
    ]
    assert "OSError: what a defect" in refused[0].reason
    assert tenants.process("defect", [click("a", 9)], 2_000, refuse=refused.append) is failed
    assert refused[-1].raw == click("a", 9)
    assert tenants.process(CALM, [click("a", 9)], 2_000) is None
    tenants.advance(3_000)
    tenants.drain()
    assert told == [failed]


def test_events_that_wait_for_their_turn_are_kept(compile_text: Callable[[dict[str, Any]], TenantRules]) -> None:
    config = config_of("waits", time={"domain": "event", "allowed_lateness": "10s"})
    tenants = Tenants([compile_text(config)], lambda _: Raises(), options=lambda _: {"clock": Clock.EVENT_TIME})
    refused: list[Refused] = []
    first = [click("a", 5_000), click("boom", 4_000), click("b", 6_000)]
    assert tenants.process("waits", first, refuse=refused.append) is None
    second = [click("c", 14_500), click("d", 15_000)]
    assert isinstance(tenants.process("waits", second, first_line=4, refuse=refused.append), Disabled)
    assert sorted((each.line, each.raw) for each in refused) == list(enumerate([*first, *second], 1))
    assert refused[0].raw == click("boom", 4_000)


def test_a_defect_while_time_goes_on(rules: dict[str, TenantRules]) -> None:
    class EndRaises(LineOutput):
        def end_marker(self, fields: dict[str, Any], now_ms: int) -> bool:
            raise KeyError("end")

    outputs = {"defect": EndRaises(), CALM: LineOutput()}
    tenants = Tenants([rules["defect"], rules[CALM]], lambda each: outputs[each.config.tenant])
    for name in outputs:
        tenants.process(name, [click("a", 1)], 1_000)
    tenants.advance(60_000)
    assert [each.tenant for each in tenants.disabled] == ["defect"]
    assert b'"End"' in b"".join(outputs[CALM].take())
    assert tenants.by_name["defect"].engine.counters.outcomes["ok"] == 1


def test_an_unknown_tenant_is_a_value(rules: dict[str, TenantRules]) -> None:
    tenants = Tenants([rules[CALM]], output_of)
    unknown = tenants.process("nobody", [click("a", 1)], 1_000)
    assert unknown == UnknownTenant("nobody")
    assert unknown.reason == "there is no tenant `nobody`"


def test_two_of_one_name(rules: dict[str, TenantRules]) -> None:
    with pytest.raises(TenantTwice, match="are both called `calm`"):
        Tenants([rules[CALM], rules[CALM]], output_of)


def test_who_takes_refused_events_fails(rules: dict[str, TenantRules]) -> None:
    """A full disk is nobody's defect."""

    def full(refused: Refused) -> None:
        raise OSError("disk full")

    tenants = Tenants([rules["bad"]], output_of)
    with pytest.raises(OSError, match="disk full"):
        tenants.process("bad", [b"nonsense"], 1_000, refuse=full)
    assert not tenants.disabled
