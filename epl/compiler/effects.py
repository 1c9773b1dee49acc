"""Effects to Python statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from epl import typed as t
from epl import types
from epl.compiler.expressions import Expressions
from epl.compiler.module import Module
from epl.layout import SessionLayout, Slot
from epl.types import Kind

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

    def lines(self, effect: t.Effect, number: int) -> Iterator[str]:
        """The statements of one effect of the rule with this number."""
        write = self._expressions
        match effect:
            case t.WriteAttributes(namespace, columns):
                for column in columns:
                    yield from self._write(self._layout.of(namespace)[column.name], column.expr)
            case t.AddToCounter(name, amount):
                yield from self._add(self._layout.state[name], amount, number)
            case t.AppendToList(name, item, unique, maxlength):
                yield from self._append(self._layout.state[name], item, unique, maxlength)
            case t.SetDuration(duration):
                yield from self._present(duration, "fx.set_duration(s, {0})")
            case t.Decorate(columns):
                for column in columns:
                    yield from self._decorate(column)
            case t.RouteToProfile(profile, key, timestamp, duration, passive):
                place = f"fx.routes[{self._profiles.index(profile)}]"
                times = f"{self._optional(timestamp)}, {self._optional(duration)}"
                yield from self._present(key, f"{place} = ({{0}}, {times}, {passive})")
            case t.OpenSubSession(name, key, duration):
                place = f"fx.subs[{self._sub_sessions.index(name)}]"
                yield from self._present(key, f"{place} = ({{0}}, {self._optional(duration)})")
            case t.CountDebug(counter, value, audit):
                if value is None:
                    yield f"fx.count({counter!r})"
                else:
                    yield f"fx.count({counter + '-'!r} + debug_text({write.value(value)}))"
                if audit is not None:
                    yield f"fx.audit({number}, {self._row(audit)})"
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
            case t.Report(columns):
                yield f"fx.report({number}, {self._row(columns)})"
            case _:
                raise AssertionError(f"no code for {type(effect).__name__}")

    def _row(self, columns: Sequence[t.Column]) -> str:
        pairs = ", ".join(f"{column.name!r}: {self._expressions.value(column.expr)}" for column in columns)
        return f"{{{pairs}}}"

    def _optional(self, expr: t.Expr | None) -> str:
        return "None" if expr is None else self._expressions.value(expr)

    def _present(self, expr: t.Expr, statement: str) -> Iterator[str]:
        """A statement about a value, if there is one."""
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
        text = self._expressions.value(expr)
        yield f"{place} = {text}"
        if slot.kind_attribute is None:
            return
        if expr.type.kind is Kind.OBJECT:
            yield f"s.{slot.kind_attribute} = kind_name({place})"
        elif expr.type.kind is Kind.NULL:
            yield f"s.{slot.kind_attribute} = None"
        else:
            kind = Kind.LIST if expr.type.kind is Kind.ARRAY else expr.type.kind
            yield f"s.{slot.kind_attribute} = None if {place} is None else {kind.value!r}"

    def _add(self, slot: Slot, amount: t.Expr | None, number: int) -> Iterator[str]:
        place = f"s.{slot.attribute}"
        if slot.kind is not None:
            zero = "0.0" if slot.kind in (Kind.FLOAT, Kind.DOUBLE) else "0"
            statement = f"{place} = ({place} or {zero}) + {{0}}"
            if amount is None:
                yield statement.format("1")
            else:
                yield from self._present(amount, statement)
            return
        # The name also holds values of other kinds: a counter leaves those alone (engine.md §4).
        kind = types.INT.kind if amount is None else types.wider(amount.type, types.INT).kind
        numbers = tuple(kind.value for kind in Kind if t.Type(kind).is_numeric)
        kind_place = f"s.{slot.kind_attribute}"
        yield f"if {place} is not None and {kind_place} not in {self._module.constant(numbers, 'numbers')}:"
        yield _JOINT + f"fx.fail({number}, COUNTER_TAKEN, e)"
        first, later = ("1", "1") if amount is None else self._expressions.bound(amount)
        yield "else:" if amount is None else f"elif {first} is not None:"
        yield _JOINT + f"{place} = ({place} or 0) + {later}"
        yield _JOINT + f"{kind_place} = {kind.value!r}"

    def _append(self, slot: Slot, item: t.Expr, unique: bool, maxlength: int) -> Iterator[str]:
        # Always a new list: whoever read the old one keeps what it read (engine.md §4).
        place = f"s.{slot.attribute}"
        kept = {0: "*{0}, ", 1: ""}.get(maxlength, f"*{{0}}[{1 - maxlength}:], ")
        is_list = f"{place} is not None" if slot.kind is Kind.LIST else f"type({place}) is list"
        tests = []
        write = self._expressions
        if write.nullable(item):
            first, value = write.bound(item)
            tests.append(f"{first} is not None")
        else:
            first, value = write.bound(item)
            if first != value:
                yield f"{value} = {first.split(' := ', 1)[1][:-1]}"
        if tests:
            yield f"if {tests[0]}:"
        indent = _JOINT if tests else ""
        plain = slot.element is not None and slot.element.kind is not Kind.OBJECT
        repeated = f"{value} not in {place}" if plain else f"not has_item({place}, {value})"
        yield f"{indent}if not ({is_list}):" if slot.kind is not Kind.LIST else f"{indent}if {place} is None:"
        yield f"{indent}{_JOINT}{place} = [{value}]"
        yield f"{indent}elif {repeated}:" if unique else f"{indent}else:"
        yield f"{indent}{_JOINT}{place} = [{kept.format(place)}{value}]"
        if slot.kind_attribute is not None:
            yield f"{indent}s.{slot.kind_attribute} = 'list'"

    def _decorate(self, column: t.Column) -> Iterator[str]:
        expr, write = column.expr, self._expressions
        match expr.type.kind:
            case Kind.NULL:
                return
            case Kind.MAP:
                yield f"spread_into(d, {write.value(expr)})"
            case Kind.OBJECT:
                yield f"decorate(d, {column.name!r}, {write.value(expr)})"
            case Kind.ARRAY | Kind.LIST:
                element = expr.type.element
                constant = "None" if element is None else self._module.constant(element, "element")
                yield f"decorate_list(d, {column.name!r}, {write.value(expr)}, {constant})"
            case _:
                yield from self._present(expr, f"d[{self._brace(repr(column.name))}] = {{0}}")

    @staticmethod
    def _brace(text: str) -> str:
        return text.replace("{", "{{").replace("}", "}}")
