"""What must hold of any bytes given as a rule file or as a tenant's configuration.

Every problem is a diagnostic that can be shown; what has no error compiles, and takes any event without raising; what
parses has one canonical form, of the same meaning. The fuzzer calls these functions with made-up bytes, the tests with
those that once broke something.
"""

from __future__ import annotations

import copy
import math
import re
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from epl import (
    Checked,
    Compiled,
    Environment,
    EventType,
    InvalidInput,
    Parsed,
    SessionLayout,
    Severity,
    Source,
    Stage,
    check,
    compile_program,
    parse,
    session_layout,
)
from epl import typed as t
from epl.compiler import COUNTER_TAKEN, Handler
from epl.diagnostics import Diagnostic, as_data, render
from epl.errors import RuleError
from epl.formatter import format_source
from epl.layout import slot_name
from epl.lint import LintContext, lint_program
from epl.session_schema import PROPERTIES, Attributes
from epl.types import STRING, Kind, Type, parse_type
from runtime.config import TenantConfig, load_tenant
from runtime.presets import presets
from runtime.rules import TenantChecker
from runtime.surroundings import contexts

PROJECT = Path(__file__).parents[2]

_FIELDS = {
    "E": "i int, j int, k int, l long, m map, d double, e double, f float, s string, t string, u string, b boolean, "
    "c char, xs int[], ss string[], nums int[], tags string[], p map, things list, at date, big bigint, dec decimal, "
    "by byte, sh short, o object",
    "PageView": "user string, et string, url string, n int, total long, price double, paid boolean, tags string[], "
    "props map, at long",
    "PulsarEvent": "si string, user string, ct long, et string, url string, itm string, amt double, n int, cart string",
    "Ended": "_snid string, start long, end long, count int",
}
_MARKERS = frozenset({"Ended"})
_PARENT = "@UpdateState select n as n, et as s, tags from PageView; @UpdateMetadata select user as who from PageView;"


def event_types() -> dict[str, EventType]:
    """The events that rules are checked against: some of every type, and those of the tenants in this project."""
    found: dict[str, EventType] = {}
    for folder in (*presets().values(), *sorted((PROJECT / "examples").glob("*/"))):
        if (folder / "sessionizer.yaml").exists():
            found |= load_tenant(folder).events
    for name, text in _FIELDS.items():
        fields = {}
        for pair in text.split(", "):
            field, written = pair.split(" ")
            type_ = parse_type(written)
            assert type_ is not None, written
            fields[field] = type_
        found[name] = EventType(name, fields)
    return found


@cache
def _environments() -> tuple[Environment, ...]:
    events = event_types()
    parent = check(parse(Source("parent.epl", _PARENT)), Environment(stage=Stage.MAIN, event_types=events)).attributes
    assert parent.state and parent.metadata
    return (
        Environment(stage=Stage.CONTROLLER, event_types=events),
        Environment(stage=Stage.MAIN, event_types=events, marker_types=_MARKERS),
        Environment(stage=Stage.SUB, event_types=events, marker_types=_MARKERS, parent=parent),
    )


def try_rules(data: bytes) -> None:
    """Any bytes as a rule file, in every stage. Raises whatever should not have been raised."""
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return  # the loader says so, before there is a rule file
    source = Source("any.epl", text)
    parsed = parse(source)
    _show(parsed.problems, source)
    _try_format(parsed)
    for environment in _environments():
        _try_stage(parsed, environment)


def _try_stage(parsed: Parsed, environment: Environment) -> None:
    checked = check(parsed, environment)
    problems = [*checked.problems]
    _show(problems, parsed.source)
    _show(lint_program(LintContext.of(checked)), parsed.source)
    if not any(problem.severity is Severity.ERROR for problem in problems):
        _compile(checked, environment.parent or Attributes())


def _compile(checked: Checked, parent: Attributes) -> None:
    effects = [effect for rule in checked.program.rules for effect in rule.effects]
    profiles = sorted({effect.profile for effect in effects if isinstance(effect, t.RouteToProfile)})
    subs = sorted({effect.name for effect in effects if isinstance(effect, t.OpenSubSession)})
    layout, outer = session_layout(checked.attributes), session_layout(parent)
    compiled = compile_program(checked.program, layout, outer, profiles=profiles, sub_sessions=subs, report=True)
    if len(_GROWING.findall(compiled.python)) <= 4:
        _run(compiled, _session(layout), _session(outer), _Driver(len(profiles)))


_GROWING = re.compile("TOJSON|REPLACE|replace", re.IGNORECASE)
"""Calls that may double a text: nested thirty times they would fill the memory, which is the author's business."""

_VALUES: dict[Kind, tuple[object, ...]] = {
    Kind.BYTE: (7, -128),
    Kind.SHORT: (7, -32_768),
    Kind.INT: (7, 0, -1, 2**31 - 1),
    Kind.LONG: (2**40, 0, -(2**63), 1),
    Kind.BIGINT: (10**40, 0, -1),
    Kind.FLOAT: (0.5, math.inf, -0.0),
    Kind.DOUBLE: (2.5, math.nan, 1e308, -0.0),
    Kind.DECIMAL: (Decimal("2.50"), Decimal(0), Decimal("-1E+20")),
    Kind.STRING: ("a,b", "", "12", "2.5e3", "[a"),
    Kind.BOOLEAN: (True, False),
    Kind.CHAR: ("x", "ß", "1"),
    Kind.DATE: (datetime(2026, 1, 5, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)),
    Kind.MAP: ({"k": "v", "n": None}, {}, {"k": 12.5}),
    Kind.LIST: ([1, "a", 1.5, [True]], [], [{"a": [1]}]),
    Kind.OBJECT: (1, "a", 2.5, True, [1], {"k": 1}),
}
_ARRAYS: dict[Kind, tuple[object, ...]] = {Kind.INT: ([1, 2, None], [], [0]), Kind.STRING: (["a", None], [""], ["12"])}


class _Driver:
    """Takes what rules leave. A rule may fail, but only in ways that it knows of."""

    is_new = True
    end = False

    def __init__(self, profiles: int) -> None:
        self.routes: list[object] = [None] * profiles
        self.subs: dict[int, object] = {}
        self.rows: list[tuple[Handler, object]] = []

    def fail(self, rule: str, error: Exception, event: object) -> None:
        if error is not COUNTER_TAKEN and not isinstance(error, RuleError | ArithmeticError | ValueError):
            raise error

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


def _session(layout: SessionLayout) -> SimpleNamespace:
    return SimpleNamespace(
        **dict.fromkeys(layout.attributes),
        **{each.slot: "id" if each.type == STRING else 3 for each in PROPERTIES.values()},
    )


def _run(compiled: Compiled, session: SimpleNamespace, parent: SimpleNamespace, driver: _Driver) -> None:
    """Events of every type with values of all sorts, one after the other, in one session."""
    for number in range(5):
        for type_name, fields in compiled.fields.items():
            event = SimpleNamespace(**{slot_name(name): _value(type_, number) for name, type_ in fields.items()})
            driver.is_new = number == 0
            compiled.handlers[type_name](event, session, parent, 1_700_000_000_000, driver)
            while driver.rows:
                handler, row = driver.rows.pop(0)
                handler(row, session, parent, 1_700_000_000_000, driver)


def _value(type_: Type, number: int) -> object:
    if type_.kind is Kind.ARRAY:
        choices = _ARRAYS.get(type_.element.kind, ([],)) if type_.element else ([],)
    else:
        choices = _VALUES.get(type_.kind, (None,))
    return None if number == 0 else copy.copy(choices[number % len(choices)])


def _try_format(parsed: Parsed) -> None:
    """A file that parses has a canonical form, which means the same and is its own canonical form."""
    try:
        formatted = format_source(parsed.source)
    except InvalidInput:
        assert len(parsed.problems), "refused without a problem"
        return
    assert not len(parsed.problems), "formatted in spite of problems"
    again = parse(Source("formatted.epl", formatted))
    assert not len(again.problems), f"formatted to what does not parse: {formatted!r}"
    # As `repr`, because 1, 1.0 and true are equal.
    assert list(map(repr, again.statements)) == list(map(repr, parsed.statements)), f"changed in {formatted!r}"
    assert format_source(again.source) == formatted, f"formatted twice is not once: {formatted!r}"


def _show(problems: Iterable[Diagnostic], source: Source) -> None:
    found = list(problems)
    for problem in found:
        assert 0 <= problem.span.start <= problem.span.end <= len(source.text), problem
        assert as_data(problem)["line"] <= source.text.count("\n") + 1, problem
    render(found).encode()


_MARK = b"\n---8<---\n"


def try_tenant(data: bytes) -> None:
    """Any bytes as `sessionizer.yaml`, and behind a cut as the rules that it names. Raises what should not be."""
    yaml, _, rest = data.partition(_MARK)
    controller, _, session = rest.partition(_MARK)
    with tempfile.TemporaryDirectory(prefix="sojourn-fuzz-", dir=_memory()) as name:
        folder = Path(name)
        (folder / "sessionizer.yaml").write_bytes(yaml)
        (folder / "controller.epl").write_bytes(controller)
        (folder / "session.epl").write_bytes(session)
        try:
            config = load_tenant(folder)
        except InvalidInput as error:
            render(error.diagnostics).encode()
            return
    _try_config(config)


def _try_config(config: TenantConfig) -> None:
    checker = TenantChecker(config)
    render(checker.diagnostics).encode()
    for context in contexts(checker):
        render(lint_program(context)).encode()
    try:
        checker.compile()
    except InvalidInput:
        assert any(found.severity is Severity.ERROR for found in checker.diagnostics)


def _memory() -> str | None:
    """A folder in memory where there is one: a thousand small files a second are no work for a disk."""
    shared = Path("/dev/shm")
    return str(shared) if shared.is_dir() else None


TARGETS = {"rules": try_rules, "tenant": try_tenant}
"""What can be fuzzed, by name; also the folders of `found`."""
