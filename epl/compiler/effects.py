"""Effects to Python statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from epl import typed as t
from epl import types
from epl.compiler.expressions import Expressions
from epl.compiler.module import Module
from epl.compiler.text import escaped, remark, ungrouped
from epl.layout import SessionLayout, Slot
from epl.types import Kind, Type

_JOINT = "    "


class Effects:
    """Writes the effects of the rules of one function.

    `profiles` and `sub_sessions` give the numbers under which routes and sub-sessions are handed over; `handled`
    are the event types that a function of this module handles.
    """

    def __init__(
        self,
        module: Module,
        expressions: Expressions,
        layout: SessionLayout,
        profiles: Sequence[str],
        sub_sessions: Sequence[str],
        handled: dict[str, tuple[str, tuple[str, ...]]],
    ) -> None:
        self._module = module
        self._expressions = expressions
        self._layout = layout
        self._profiles = profiles
        self._sub_sessions = sub_sessions
        self._handled = handled

    def lines(self, effect: t.Effect, rule: t.Rule) -> Iterator[str]:
        """The statements of one effect of a rule."""
        write = self._expressions
        match effect:
            case t.WriteAttributes(namespace, columns):
                for column in columns:
                    yield from self._write(self._layout.of(namespace)[column.name], column.expr)
            case t.AddToCounter(name, amount):
                yield from self._add(self._layout.state[name], amount, rule)
            case t.AppendToList(name, item, unique, maxlength):
                yield from self._append(self._layout.state[name], item, unique, maxlength)
            case t.SetDuration(duration):
                yield from self._present(duration, "fx.set_duration(s, {0})")
            case t.Decorate(columns):
                for column in columns:
                    yield from self._decorate(column)
            case t.RouteToProfile(profile, key, timestamp, duration, passive):
                place = f"fx.routes[{self._profiles.index(profile)}]"
                times = escaped(f"{self._optional(timestamp)}, {self._optional(duration)}")
                yield from self._present(key, f"{place} = ({{0}}, {times}, {passive})  {escaped(remark(profile))}")
            case t.OpenSubSession(name, key, duration):
                place = f"fx.subs[{self._sub_sessions.index(name)}]"
                opened = f"{place} = ({{0}}, {escaped(self._optional(duration))})  {escaped(remark(name))}"
                yield from self._present(key, opened)
            case t.CountDebug(counter, value, audit):
                if value is None:
                    yield f"fx.count({counter!r})"
                else:
                    yield f"fx.count({counter + '-'!r} + debug_text({write.value(value)}))"
                if audit is not None:
                    yield f"fx.audit({rule.name!r}, {self._row(audit)})"
            case t.EndSession():
                yield "fx.end = True"
            case t.SplitSession():
                pass  # tested before anything else of the pass
            case t.MarkBot(bot_type):
                yield from self._present(bot_type, "s.bot_type = {0}")
            case t.Insert(type_name, columns):
                handled = self._handled.get(type_name)
                if handled is not None:
                    function, fields = handled
                    by_name = {column.name: column.expr for column in columns}
                    values = ", ".join(write.value(by_name[name]) for name in fields)
                    yield f"fx.rows.append(({function}, ROW_{function}({values})))"
            case t.Call(function, columns):
                called = self._module.constant(function, "call")
                yield f"fx.call({rule.name!r}, {called}, {self._row(columns)}, e)"
            case t.Report(columns):
                yield f"fx.report({rule.number}, {self._row(columns)})"
            case _:
                raise AssertionError(f"no code for {type(effect).__name__}")

    def _row(self, columns: Sequence[t.Column]) -> str:
        pairs = ", ".join(f"{column.name!r}: {self._expressions.value(column.expr)}" for column in columns)
        return f"{{{pairs}}}"

    def _optional(self, expr: t.Expr | None) -> str:
        return "None" if expr is None else self._expressions.value(expr)

    def _present(self, expr: t.Expr, statement: str) -> Iterator[str]:
        """A statement about a value (`{0}` in it), if there is one."""
        write = self._expressions
        if isinstance(expr, t.Const) and expr.value is None:
            return
        if not write.nullable(expr):
            yield statement.format(write.value(expr))
            return
        first, later = write.bound(expr)
        yield f"if {first} is not None:"
        yield _JOINT + statement.format(later)

    def _write(self, slot: Slot, expr: t.Expr) -> Iterator[str]:
        place = f"s.{slot.attribute}"
        yield f"{place} = {ungrouped(self._expressions.value(expr))}"
        if slot.kind_attribute is None:
            return
        if expr.type.kind is Kind.OBJECT:
            yield f"s.{slot.kind_attribute} = kind_name({place})"
        elif expr.type.kind is Kind.NULL:
            yield f"s.{slot.kind_attribute} = None"
        else:
            kind = Kind.LIST if expr.type.kind is Kind.ARRAY else expr.type.kind
            yield f"s.{slot.kind_attribute} = None if {place} is None else {kind.value!r}"

    def _add(self, slot: Slot, amount: t.Expr | None, rule: t.Rule) -> Iterator[str]:
        place = f"s.{slot.attribute}"
        if slot.kind is not None:
            zero = "0.0" if slot.kind in (Kind.FLOAT, Kind.DOUBLE) else "0"
            if amount is None:
                yield f"{place} = ({place} or {zero}) + 1"
            else:
                yield from self._present(amount, f"{place} = ({place} or {zero}) + {{0}}")
            return
        # The name also holds values of other kinds: a counter leaves those alone (engine.md §4).
        kind = Kind.INT if amount is None else types.wider(amount.type, types.INT).kind
        wider = {held.value: types.wider(Type(held), Type(kind)).kind.value for held in Kind if Type(held).is_numeric}
        kinds = self._module.constant({None: kind.value, **wider}, "kinds")
        kind_place = f"s.{slot.kind_attribute}"
        first, later = ("1", "1") if amount is None else self._expressions.bound(amount)
        yield f"if {kind_place} not in {kinds}:"
        yield _JOINT + f"fx.fail({rule.name!r}, COUNTER_TAKEN, e)"
        yield "else:" if amount is None else f"elif {first} is not None:"
        yield _JOINT + f"{place} = ({place} or 0) + {later}"
        yield _JOINT + f"{kind_place} = {kinds}[{kind_place}]"

    def _append(self, slot: Slot, item: t.Expr, unique: bool, maxlength: int) -> Iterator[str]:
        place = f"s.{slot.attribute}"
        first, value = self._expressions.named(item)
        yield from first
        held = self._expressions.temporary()
        plain = slot.element is not None and slot.element.kind is not Kind.OBJECT
        is_new = f"{value} not in {held}" if plain else f"not has_item({held}, {value})"
        lines = [
            f"{held} = {place}",
            f"if {held} is None:" if slot.kind is Kind.LIST else f"if type({held}) is not list:",
            _JOINT + f"{place} = [{value}]",
            f"elif {is_new}:" if unique else "else:",
            *(_JOINT + line for line in self._lengthened(slot, held, value, maxlength)),
        ]
        if slot.kind_attribute is not None:
            lines.append(f"s.{slot.kind_attribute} = 'list'")
        if self._expressions.nullable(item):
            yield f"if {value} is not None:"
            lines = [_JOINT + line for line in lines]
        yield from lines

    @staticmethod
    def _lengthened(slot: Slot, held: str, value: str, maxlength: int) -> list[str]:
        if slot.grows:
            # In place, which leaves the other elements out of the processor's cache: 0.6 µs less for a list of ten.
            full = [f"while len({held}) > {maxlength}:", _JOINT + f"del {held}[0]"] if maxlength else []
            return [f"{held}.append({value})", *full]
        # The list may be the event's own, or one that another attribute holds: it is not ours to change.
        kept = {0: f"*{held}, ", 1: ""}.get(maxlength, f"*{held}[{1 - maxlength}:], ")
        return [f"s.{slot.attribute} = [{kept}{value}]"]

    def _decorate(self, column: t.Column) -> Iterator[str]:
        expr, write = column.expr, self._expressions
        match expr.type.kind:
            case Kind.NULL:
                return
            case Kind.MAP:
                picked = write.filtered(expr) if isinstance(expr, t.AttributeFilter) else None
                if picked is None or expr in write.computed:
                    yield f"spread_into(d, {write.value(expr)})"
                    return
                for slot, place in picked:
                    yield f"if {place} is not None:"
                    # Only lists that grow are changed in place.
                    yield _JOINT + f"d[{slot.name!r}] = {place}{'[:]' if slot.grows else ''}"
            case Kind.OBJECT:
                yield f"decorate(d, {column.name!r}, {write.value(expr)})"
            case Kind.ARRAY | Kind.LIST:
                element = expr.type.element
                constant = "None" if element is None else self._module.constant(element, "element")
                yield f"decorate_list(d, {column.name!r}, {write.value(expr)}, {constant})"
            case _:
                yield from self._present(expr, f"d[{escaped(repr(column.name))}] = {{0}}")
