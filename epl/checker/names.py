"""What a name, a member or a call means: event fields, session variables, functions, methods, declared expressions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable


from epl import ast, types
from epl.checker.scope import SESSION_VARIABLES, Event, Names, known_in
from epl.diagnostics import Problems, annotation_codes, did_you_mean, name_codes, syntax_codes, type_codes
from epl.registry import select
from epl.registry.model import Entry, Nulls, Signature
from epl.session_schema import GETTERS, PROPERTIES
from epl.source import Span
from epl.typed import (
    Apply,
    Attribute,
    AttributeContains,
    AttributeFilter,
    Const,
    Convert,
    Expr,
    Field,
    Is,
    MapValue,
    Namespace,
    Now,
    Scope,
    SessionProperty,
)
from epl.types import Type

AGGREGATIONS = frozenset(
    "count sum avg median stddev avedev first last window prev prevtail prevwindow prevcount prior nth rate "
    "leaving fmin fmax countever minever maxever firstever lastever maxby minby sorted".split()
)
_BUILT_IN = ("coalesce", "min", "max", "typeof", "exists", "current_timestamp")


class NameChecker(ABC):
    """The part of the checker that resolves names; operators come with `ExpressionChecker`."""

    def __init__(self, problems: Problems, names: Names) -> None:
        self.problems = problems
        self.names = names

    @abstractmethod
    def check(self, node: ast.Expression) -> Expr | None: ...

    @abstractmethod
    def check_all(self, nodes: Iterable[ast.Expression]) -> tuple[Expr, ...] | None: ...

    @abstractmethod
    def coalesce(self, node: ast.Call) -> Expr | None: ...

    @abstractmethod
    def extreme(self, node: ast.Call) -> Expr | None: ...

    @abstractmethod
    def type_of(self, node: ast.Call) -> Expr | None: ...

    def check_name(self, node: ast.Expression) -> Expr | None:
        """The typed form of a name, a member, a dynamic property or a call."""
        match node:
            case ast.Reference(name):
                return self._reference(name, node.span)
            case ast.Member():
                return self._member(node)
            case ast.Dynamic(target):
                return self._dynamic(target)
            case ast.Call():
                return self._call(node)
            case ast.MethodCall():
                return self._method(node)
            case ast.Star():
                self.problems.add(syntax_codes.UNEXPECTED, node.span, found="`*`", expected="an expression")
                return None
            case _:
                raise AssertionError(f"unknown expression {type(node).__name__}")

    def value_type(self, type_name: ast.TypeName) -> Type | None:
        """The type of a name, or a problem."""
        type_ = types.parse_type(type_name.name)
        if type_ is None:
            hint = did_you_mean(type_name.name, types.TYPE_NAMES)
            self.problems.add(name_codes.UNKNOWN_VALUE_TYPE, type_name.span, name=type_name.name, hint=hint)
        return type_

    # ---- names and members

    def _event_named(self, node: ast.Expression) -> Event | None:
        """The event that a name stands for: a parameter, an alias, or the type's own name."""
        if not isinstance(node, ast.Reference):
            return None
        parameter = self.names.parameters.get(node.name)
        if isinstance(parameter, Event):
            return parameter
        return self.names.event if node.name in self.names.aliases else None

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
        if name in SESSION_VARIABLES or self._event_named(ast.Reference(name, span=span)) is not None:
            self.problems.add(name_codes.AMBIGUOUS_TYPE, span, name=name)
            return None
        known = [*(event.fields if event else ()), *self.names.variables, *self.names.declared, *SESSION_VARIABLES]
        known += [*self.names.parameters]
        self.problems.add(name_codes.UNKNOWN_NAME, span, name=name, hint=did_you_mean(name, known))
        return None

    def _member(self, node: ast.Member) -> Expr | None:
        event = self._event_named(node.target)
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
                return Field(types.OBJECT, True, name, declared=name in self.names.event.fields)
            case ast.Member(owner, name) if (event := self._event_named(owner)) is not None:
                return Field(types.OBJECT, True, name, declared=name in event.fields)
            case _:
                return self.check(target)

    # ---- sessions

    def _session_variable(self, node: ast.Expression) -> tuple[str, Scope, Namespace] | None:
        if not isinstance(node, ast.Reference) or node.name not in SESSION_VARIABLES:
            return None
        if self.names.event is not None and node.name in self.names.event.fields:
            return None
        return (node.name, *SESSION_VARIABLES[node.name])

    def _known_here(self, variable: str, scope: Scope, span: Span) -> bool:
        if known_in(self.names.stage, scope):
            return True
        self.problems.add(annotation_codes.NOT_IN_STAGE, span, name=variable, stage=self.names.stage.value)
        return False

    def _session_member(self, node: ast.Member, variable: str, scope: Scope, namespace: Namespace) -> Expr | None:
        if not self._known_here(variable, scope, node.target.span):
            return None
        if namespace is Namespace.STATE and node.name in PROPERTIES:
            return SessionProperty(PROPERTIES[node.name].type, False, scope, node.name)
        written = self.names.attributes_of(scope).of(namespace)
        if node.name not in written:
            known = [*written, *(PROPERTIES if namespace is Namespace.STATE else ())]
            hint = did_you_mean(node.name, known)
            self.problems.add(name_codes.UNKNOWN_ATTRIBUTE, node.span, owner=variable, name=node.name, hint=hint)
            return None
        found = written[node.name]
        (type_,) = found if len(found) == 1 else (types.OBJECT,)
        return Attribute(type_, True, scope, namespace, node.name)

    def _session_method(self, node: ast.MethodCall, variable: str, scope: Scope, namespace: Namespace) -> Expr | None:
        if not self._known_here(variable, scope, node.target.span):
            return None
        arguments = self.check_all(node.arguments)
        if arguments is None:
            return None
        name = node.name
        if name.startswith("get") and len(name) > 3:
            # Java's spelling: getInt('n') for int('n'), getEventCount() for eventCount.
            name = name[3].lower() + name[4:]
        if not arguments and namespace is Namespace.STATE and name in PROPERTIES:
            return SessionProperty(PROPERTIES[name].type, False, scope, name)
        found = ", ".join(str(argument.type) for argument in arguments)
        called = f"{variable}.{node.name}"
        if name in GETTERS:
            if len(arguments) != 1 or arguments[0].type != types.STRING:
                self.problems.add(type_codes.ARGUMENTS, node.span, name=called, found=found, hint="give one name")
                return None
            if not isinstance(arguments[0], Const):
                self.problems.add(type_codes.NEEDS_LITERAL, node.arguments[0].span)
                return None
            return Attribute(GETTERS[name], True, scope, namespace, arguments[0].value)
        if name == "contains":
            if len(arguments) not in (1, 2) or arguments[0].type != types.STRING:
                hint = "contains('name') or contains('list', value)"
                self.problems.add(type_codes.ARGUMENTS, node.span, name=called, found=found, hint=hint)
                return None
            item = arguments[1] if len(arguments) == 2 else None
            return AttributeContains(types.BOOLEAN, False, scope, namespace, arguments[0], item)
        if name == "filter":
            strings = types.array_of(types.STRING)
            if len(arguments) != 1 or arguments[0].type not in (strings, types.NULL, types.array_of(types.OBJECT)):
                hint = "filter({'a', 'b'}), or filter(null) for all"
                self.problems.add(type_codes.ARGUMENTS, node.span, name=called, found=found, hint=hint)
                return None
            names = None if arguments[0].type == types.NULL else arguments[0]
            return AttributeFilter(types.MAP, False, scope, namespace, names)
        hint = did_you_mean(node.name, [*GETTERS, "contains", "filter"])
        self.problems.add(name_codes.UNKNOWN_SESSION_MEMBER, node.span, owner=variable, name=node.name, hint=hint)
        return None

    # ---- calls

    def _enough(self, node: ast.Call, least: int, most: int | None = None) -> bool:
        if len(node.arguments) >= least and (most is None or len(node.arguments) <= most):
            return True
        needed = f"{least} arguments" if most is not None else f"{least} arguments or more"
        self.problems.add(
            type_codes.ARGUMENTS, node.span, name=node.name, found=f"{len(node.arguments)}", hint=f"it takes {needed}"
        )
        return False

    def _call(self, node: ast.Call) -> Expr | None:
        declared = self.names.declared.get(node.name)
        if declared is not None:
            return self._expand(declared, node.arguments, node.span)
        match node.name.lower():
            case "coalesce":
                return self.coalesce(node)
            case "min" | "max":
                return self.extreme(node)
            case "typeof":
                return self.type_of(node)
            case "exists":
                return self._exists(node)
            case "current_timestamp" if not node.arguments:
                return Now(types.LONG, False)
        event = self.names.event
        if event is not None and event.fields.get(node.name) == types.MAP and len(node.arguments) == 1:
            return self._map_value(Field(types.MAP, True, node.name), node)
        entry = self.names.environment.catalog.function(node.name)
        if entry is not None:
            arguments = self.check_all(node.arguments)
            return None if arguments is None else self._apply(entry, node.name, arguments, node.span)
        if node.name.lower() in AGGREGATIONS:
            self.problems.add(syntax_codes.AGGREGATION, node.span)
            return None
        known = [*self.names.environment.catalog.function_names(), *_BUILT_IN, *self.names.declared]
        hint = did_you_mean(node.name, known)
        self.problems.add(name_codes.UNKNOWN_FUNCTION, node.span, name=node.name, hint=hint)
        return None

    def _map_value(self, target: Expr, node: ast.Call | ast.MethodCall) -> Expr | None:
        key = self.check(node.arguments[0])
        if key is None:
            return None
        if key.type != types.STRING:
            self.problems.add(type_codes.ARGUMENTS, node.span, name=node.name, found=str(key.type), hint="give a key")
            return None
        return MapValue(types.OBJECT, True, target, key)

    def _exists(self, node: ast.Call) -> Expr | None:
        if not self._enough(node, 1, most=1):
            return None
        operand = self.check(node.arguments[0])
        if operand is None:
            return None
        if isinstance(operand, Field) and operand.declared:
            # A declared field exists even when it is null.
            return Const(types.BOOLEAN, False, True)
        return Is(types.BOOLEAN, False, operand, Const(types.NULL, True, None), negated=True)

    def _expand(self, declared: ast.CreateExpression, arguments: tuple[ast.Expression, ...], span: Span) -> Expr | None:
        """Puts the body of a declared expression in place of its call."""
        name = declared.name.text
        if name in self.names.expanding:
            self.problems.add(name_codes.RECURSIVE_EXPRESSION, span, name=name)
            return None
        if len(arguments) != len(declared.parameters):
            hint = f"it takes {len(declared.parameters)}"
            self.problems.add(type_codes.ARGUMENTS, span, name=name, found=f"{len(arguments)} arguments", hint=hint)
            return None
        bound: dict[str, Expr | Event] = {}
        for parameter, argument in zip(declared.parameters, arguments, strict=True):
            value = self._event_named(argument) or self.check(argument)
            if value is None:
                return None
            bound[parameter.text] = value
        outer = self.names
        self.names = outer.inside(name, bound, keeps_event=declared.alias)
        try:
            return self.check(declared.body)
        finally:
            self.names = outer

    def _method(self, node: ast.MethodCall) -> Expr | None:
        variable = self._session_variable(node.target)
        if variable is not None:
            return self._session_method(node, *variable)
        event = self._event_named(node.target)
        if event is not None:
            # `ev.props('k')`: a map of the event, read by key.
            if event.fields.get(node.name) == types.MAP and len(node.arguments) == 1:
                return self._map_value(Field(types.MAP, True, node.name), node)
            self.problems.add(name_codes.UNKNOWN_FIELD, node.span, type=event.type_name, name=node.name)
            return None
        owner = self._class_name(node.target)
        if owner is not None:
            return self._static(owner, node)
        target = self.check(node.target)
        if target is None:
            return None
        arguments = self.check_all(node.arguments)
        return None if arguments is None else self._apply_method(target, node.name, arguments, node.span)

    def _class_name(self, node: ast.Expression) -> str | None:
        """The class that a dotted name stands for, unless a name of the statement hides it."""
        parts: list[str] = []
        while isinstance(node, ast.Member):
            parts.append(node.name)
            node = node.target
        if not isinstance(node, ast.Reference):
            return None
        hidden = (self.names.event is not None and node.name in self.names.event.fields) or any(
            node.name in names for names in (self.names.variables, self.names.parameters, self.names.declared)
        )
        name = ".".join([node.name, *reversed(parts)])
        is_class = name in ("System", "java.lang.System") or self.names.environment.catalog.is_static_owner(name)
        return None if hidden or not is_class else name.rsplit(".", 1)[-1]

    def _static(self, owner: str, node: ast.MethodCall) -> Expr | None:
        if owner == "System" and node.name == "currentTimeMillis" and not node.arguments:
            return Now(types.LONG, False)
        catalog = self.names.environment.catalog
        entry = catalog.static(owner, node.name)
        arguments = self.check_all(node.arguments)
        if entry is None:
            hint = did_you_mean(node.name, catalog.static_names(owner))
            self.problems.add(name_codes.UNKNOWN_STATIC, node.span, owner=owner, name=node.name, hint=hint)
            return None
        return None if arguments is None else self._apply(entry, f"{owner}.{node.name}", arguments, node.span)

    def _apply_method(self, target: Expr, name: str, arguments: tuple[Expr, ...], span: Span) -> Expr | None:
        if target.type == types.OBJECT:
            self.problems.add(type_codes.NEEDS_CAST, span)
            return None
        catalog = self.names.environment.catalog
        entry = catalog.method(target.type, name)
        if entry is None:
            hint = did_you_mean(name, catalog.method_names(target.type))
            self.problems.add(name_codes.UNKNOWN_METHOD, span, type=str(target.type), name=name, hint=hint)
            return None
        return self._apply(entry, name, arguments, span, target)

    def _apply(
        self, entry: Entry, called: str, arguments: tuple[Expr, ...], span: Span, target: Expr | None = None
    ) -> Expr | None:
        signature = select(entry, [argument.type for argument in arguments])
        if signature is None:
            found = ", ".join(str(argument.type) for argument in arguments)
            hint = "; ".join(_shown_signature(called, known) for known in entry.signatures)
            self.problems.add(type_codes.ARGUMENTS, span, name=called, found=found, hint=hint)
            return None
        given = arguments if target is None else (target, *arguments)
        passed = tuple(
            self._fitted(argument, signature, index - (target is not None)) for index, argument in enumerate(given)
        )
        result_types = [argument.type for argument in given]
        inputs_nullable = entry.nulls is Nulls.PROPAGATE and any(argument.nullable for argument in given)
        nullable = signature.may_be_null or inputs_nullable
        return Apply(signature.result(result_types), nullable, called, signature, entry.nulls, passed)

    @staticmethod
    def _fitted(argument: Expr, signature: Signature, index: int) -> Expr:
        """An integer given where a double is asked for."""
        if index < 0 or not signature.params:
            return argument
        wanted = signature.params[min(index, len(signature.params) - 1)].type
        if isinstance(wanted, Type) and wanted.is_fractional and argument.type.is_integral:
            return Convert(wanted, argument.nullable, argument, float, can_fail=False)
        return argument


def _shown_signature(name: str, signature: Signature) -> str:
    parameters = [
        f"{parameter.name}: {parameter.type if isinstance(parameter.type, Type) else parameter.type.value}"
        for parameter in signature.params
    ]
    return f"{name}({', '.join(parameters)}{', …' if signature.variadic else ''})"
