"""Whole configurations: every key, defaults that depend on others, and where rules come from."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from epl.source import Source
from epl.types import LONG, STRING, array_of
from runtime.config import (
    KEYS,
    CacheConfig,
    Late,
    Limits,
    LintConfig,
    LintSeverity,
    MarkerKeys,
    StoreConfig,
    StoreKind,
    TenantConfig,
    TimeConfig,
    TimeDomain,
    TimePolicy,
    UnknownEvents,
    load_tenant,
)

Load = Callable[[str], TenantConfig]

FULL = """\
tenant: pulsar
events:
  PulsarEvent: {si: string, ct: java.lang.Long, "tags": "string[]", on: string}
  Bare:
type_field: kind
controller: controller.epl
unknown_events: dead_letter
imports: [shop.functions, more]
limits:
  {max_idle: 40m, max_events: 5_000, rate: 100, max_line: 64KiB, sessions: 9, state: 4KiB, rule_time: 50ms}
cache: {block_size: 1KiB, page_size: 2MiB, memory: 8MiB, hash_capacity: 1024, max_time_slots: 3600, hot: 0}
time:
  domain: event
  source: ct
  allowed_lateness: 5s
  late: dead_letter
  idle_close: 2m
  future: 1d
  most_waiting: 77
  zone: Europe/Berlin
  policy: ender-2022
  partitions: 4
  user_time: ut
store: {kind: valkey}
lint: {select: [W], ignore: [w806, W9], severity: warning, strict: true}
profiles:
  - name: PulsarSession
    type: 7
    gap: 20m
    max_active: 0
    midnight: true
    shadow: true
    begin_marker: SessionBegin
    end_marker: ~
    keys: {id: sid, start: null, end: e, duration: d, count: c, reason: r, marker: m, user: u}
    events: {SessionBegin: {sid: string}}
    rules: session.epl
    sub_sessions:
      - name: Cart
        gap: 10m
        begin_marker: CartBegin
        end_marker: CartEnd
        keys: {id: cid, start: cs, end: ce, duration: cd, count: cc, reason: null, marker: null, user: null}
        rules: cart.epl
      - {name: Page, rules_text: "a\\nb"}
  - name: Other
    type: 0
    rules_text: |
      // inline
      select * from Bare
"""


def test_every_key(load: Load) -> None:
    Path("shop/session.epl").write_bytes("\ufeff// naïve\r\n".encode())
    config = load(FULL)
    assert (config.folder, config.tenant, config.type_field) == (Path("shop"), "pulsar", "kind")
    assert config.source == Source("shop/sessionizer.yaml", FULL)
    assert {name: dict(event.fields) for name, event in config.events.items()} == {
        "PulsarEvent": {"si": STRING, "ct": LONG, "tags": array_of(STRING), "on": STRING},
        "Bare": {},
    }
    assert config.controller == Source("shop/controller.epl", "")
    assert config.unknown_events is UnknownEvents.DEAD_LETTER
    assert [each.module for each in config.imports] == ["shop.functions", "more"]
    assert config.limits == Limits(2_400_000, 5_000, 100, 65_536, 9, 4_096, 50)
    assert config.cache == CacheConfig(1_024, 2 << 20, 8 << 20, 1_024, 3_600, 0)
    assert config.time == TimeConfig(
        TimeDomain.EVENT,
        "ct",
        5_000,
        Late.DEAD_LETTER,
        120_000,
        86_400_000,
        77,
        "Europe/Berlin",
        TimePolicy.ENDER_2022,
        4,
        "ut",
    )
    assert config.store == StoreConfig(StoreKind.VALKEY)
    assert config.lint == LintConfig(("W",), ("W806", "W9"), LintSeverity.WARNING, True)
    first, second = config.profiles
    assert (first.name, first.type, first.gap_ms, first.max_active_ms) == ("PulsarSession", 7, 1_200_000, 0)
    assert (first.midnight, first.shadow) == (True, True)
    assert (first.begin_marker, first.end_marker) == ("SessionBegin", None)
    assert first.keys == MarkerKeys("sid", None, "e", "d", "c", "r", "m", "u")
    assert list(first.events) == ["SessionBegin"]
    assert first.rules == Source("shop/session.epl", "// naïve\n")
    assert config.source.slice(first.span) == "PulsarSession"
    cart, page = first.sub_sessions
    assert (cart.name, cart.gap_ms, cart.begin_marker, cart.end_marker) == ("Cart", 600_000, "CartBegin", "CartEnd")
    assert cart.keys == MarkerKeys("cid", "cs", "ce", "cd", "cc", None, None, None)
    assert cart.rules.name == "shop/cart.epl"
    assert config.source.slice(cart.span) == "Cart"
    assert (page.gap_ms, page.begin_marker, page.keys) == (1_200_000, None, MarkerKeys())
    assert page.rules == Source("shop/sessionizer.yaml#profiles[0].sub_sessions[1].rules_text", "a\nb")
    assert (second.type, second.gap_ms, second.max_active_ms) == (0, 1_800_000, 86_400_000)


def test_the_full_example_has_every_key() -> None:
    # `controller_text` cannot stand beside `controller`.
    missing = [key.path for key in KEYS if f"{key.name}:" not in FULL]
    assert missing == ["controller_text"]


def test_rules_in_a_literal_block_keep_their_lines_and_columns(load: Load) -> None:
    rules = load(FULL).profiles[1].rules
    assert rules.name == "shop/sessionizer.yaml"
    assert rules.text.strip() == "// inline\n      select * from Bare"
    place = rules.position(rules.text.index("select"))
    assert FULL.splitlines()[place.line - 1][place.column - 1 :] == "select * from Bare"


HEAD = "tenant: shop\ncontroller_text: ''\n"


def test_a_gap_that_is_not_given_is_no_longer_than_the_limit(load: Load) -> None:
    config = load(HEAD + "limits: {max_idle: 5s}\nprofiles: [{name: A, type: 1, sub_sessions: [{name: B}]}]\n")
    assert config.profiles[0].gap_ms == 5_000
    assert config.profiles[0].sub_sessions[0].gap_ms == 5_000


def test_a_gap_may_equal_the_limit_and_a_sub_gap_the_gap(load: Load) -> None:
    text = "limits: {max_idle: 5s}\nprofiles: [{name: A, type: 1, gap: 5s, sub_sessions: [{name: B, gap: 5s}]}]\n"
    assert load(HEAD + text).profiles[0].sub_sessions[0].rules.text == ""


def test_emptied_sections_are_their_defaults(load: Load) -> None:
    text = "limits:\ncache:\ntime:\nstore:\nevents:\nimports:\nprofiles: [{name: A, type: 1, keys: , sub_sessions: }]\n"
    config = load(HEAD + text)
    assert config.limits == Limits()
    assert config.profiles[0].keys == MarkerKeys()


def test_aliases_stand_for_their_blocks(load: Load) -> None:
    text = "profiles:\n  - {name: A, type: 1, keys: &keys {id: sid}}\n  - {name: B, type: 2, keys: *keys}\n"
    assert [profile.keys.id for profile in load(HEAD + text).profiles] == ["sid", "sid"]


def test_a_profile_may_declare_a_type_of_the_tenant_again(load: Load) -> None:
    text = "events: {E: {a: int}}\nprofiles: [{name: A, type: 1, events: {E: {a: long}}}]\n"
    config = load(HEAD + text)
    assert config.profiles[0].events["E"].fields == {"a": LONG}


def test_sources_are_named_as_the_user_would_type_them(load: Load, tmp_path: Path) -> None:
    text = "tenant: shop\ncontroller: controller.epl\nprofiles: [{name: A, type: 1}]\n"
    load(text)
    assert load_tenant(tmp_path / "shop").controller.name == "shop/controller.epl"
    assert load_tenant(Path("shop/sessionizer.yaml")).controller.name == "shop/controller.epl"
    assert (
        load_tenant(Path("../") / tmp_path.name / "shop").controller.name == f"../{tmp_path.name}/shop/controller.epl"
    )


def test_another_name_of_the_yaml_is_taken_when_given(load: Load) -> None:
    load(HEAD + "profiles: [{name: A, type: 1}]\n")
    Path("shop/sessionizer.yaml").rename("shop/other.yaml")
    assert load_tenant(Path("shop/other.yaml")).folder == Path("shop")


def test_configurations_can_be_sent_to_other_processes(load: Load) -> None:
    config = load(FULL)
    assert pickle.loads(pickle.dumps(config)) == config


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_line_ends(load: Load, ending: str) -> None:
    assert load(FULL.replace("\n", ending)).source.text == FULL
