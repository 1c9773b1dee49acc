"""What a name or a member means: event fields, parameters, variables, aliases of expressions, session variables."""

from __future__ import annotations

from epl import ast, types
from epl.checker.calls import CallChecker
from epl.checker.scope import SESSION_VARIABLES, Event
from epl.diagnostics import did_you_mean, name_codes, type_codes
from epl.schema import is_readable
from epl.source import Span
from epl.typed import Const, Expr, Field, MapValue, Now


class NameChecker(CallChecker):
    """Checks names and members."""

    def _field(self, event: Event, name: str, span: Span) -> Expr | None:
        type_ = event.fields.get(name)
        if type_ is None:
            hint = did_you_mean(name, event.fields)
            self.problems.add(name_codes.UNKNOWN_FIELD, span, type=event.type_name, name=name, hint=hint)
            return None
        return Field(type_, True, name)

    def _reference(self, name: str, span: Span) -> Expr | None:
        parameter = self.names.parameters.get(name)
        if isinstance(parameter, Expr):
            return parameter
        event = self.names.event
        if event is not None and name in event.fields:
            return Field(event.fields[name], True, name)
        if name in self.names.variables:
            return self.names.variables[name]
        declared = self.names.declared.get(name)
        if declared is not None and declared.alias:
            return self._expand(declared, (), span)
        if name == "current_timestamp":
            return Now(types.LONG, False)
        if name in SESSION_VARIABLES or self.event_named(ast.Reference(name, span=span)) is not None:
            self.problems.add(name_codes.AMBIGUOUS_TYPE, span, name=name)
            return None
        known = [*(event.fields if event else ()), *self.names.variables, *self.names.declared, *SESSION_VARIABLES]
        known += [*self.names.parameters]
        self.problems.add(name_codes.UNKNOWN_NAME, span, name=name, hint=did_you_mean(name, known))
        return None

    def _member(self, node: ast.Member) -> Expr | None:
        event = self.event_named(node.target)
        if event is not None:
            return self._field(event, node.name, node.span)
        variable = self._session_variable(node.target)
        if variable is not None:
            return self._session_member(node, *variable)
        target = self.check(node.target)
        if target is None:
            return None
        if target.type == types.MAP:
            return MapValue(types.OBJECT, True, target, Const(types.STRING, False, node.name))
        if target.type.is_sequence and node.name == "length":
            return self._apply_method(target, "size", (), node.span)
        self.problems.add(type_codes.NOT_A_MEMBER, node.span, found=str(target.type), name=node.name)
        return None

    def _dynamic(self, target: ast.Expression) -> Expr | None:
        match target:
            case ast.Reference(name) if self.names.event is not None:
                return self._dynamic_field(self.names.event, name, target.span)
            case ast.Member(owner, name) if (event := self.event_named(owner)) is not None:
                return self._dynamic_field(event, name, target.span)
            case _:
                return self.check(target)

    def _dynamic_field(self, event: Event, name: str, span: Span) -> Expr | None:
        if not is_readable(name):
            self.problems.add(name_codes.FIELD_NAME, span, name=name)
            return None
        return Field(types.OBJECT, True, name, declared=name in event.fields)
