"""What a call means: a built-in, a declared expression, a function, a method, a static function, a map read by key."""

from __future__ import annotations

from epl import ast, types
from epl.checker.choices import ChoiceChecker
from epl.checker.scope import Event, Names
from epl.checker.sessions import SessionChecker
from epl.diagnostics import Problems, did_you_mean, name_codes, syntax_codes, type_codes
from epl.limits import MAX_DEPTH, MAX_EXPANDED_DEPTH, MAX_EXPANSION, MAX_EXPANSIONS
from epl.registry import select
from epl.registry.model import Entry, Nulls, Signature
from epl.source import Span
from epl.typed import Apply, Const, Convert, Expr, Field, Is, MapValue, Now
from epl.typed_walk import extent
from epl.types import Type

_AGGREGATIONS = (
    "count sum avg median stddev avedev first last window prev prevtail prevwindow prevcount prior nth rate "
    "leaving fmin fmax countever minever maxever firstever lastever maxby minby sorted"
)
AGGREGATIONS = frozenset(_AGGREGATIONS.split())
"""EPL's aggregation functions, which are refused by name."""

_BUILT_IN = ("coalesce", "min", "max", "typeof", "exists", "current_timestamp")


class CallChecker(SessionChecker, ChoiceChecker):
    """Checks calls."""

    def __init__(self, problems: Problems, names: Names) -> None:
        super().__init__(problems, names)
        self._open_depth = 0
        self._expanded = 0

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
        if not self.enough(node, 1, most=1):
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
            value = self.event_named(argument) or self.check(argument)
            if value is None:
                return None
            bound[parameter.text] = value
        return self._put_in_place(declared, bound, span)

    def _put_in_place(self, declared: ast.CreateExpression, bound: dict[str, Expr | Event], span: Span) -> Expr | None:
        """The checked body. Expressions that contain others several times over grow without bound: that is refused."""
        if self._expanded > MAX_EXPANSIONS:
            return None  # reported already
        depth = ast.depth(declared.body)
        self._expanded += sum(1 for _ in ast.walk(declared.body))
        if self._open_depth + depth > MAX_DEPTH or self._expanded > MAX_EXPANSIONS:
            self.problems.add(name_codes.TOO_LARGE, span)
            return None
        outer = self.names
        self.names = outer.inside(declared.name.text, bound, keeps_event=declared.alias)
        self._open_depth += depth
        try:
            body = self.check(declared.body)
        finally:
            self._open_depth -= depth
            self.names = outer
        if body is None:
            return None
        size, levels = extent(body)
        if size > MAX_EXPANSION or levels > MAX_EXPANDED_DEPTH:
            self.problems.add(name_codes.TOO_LARGE, span)
            return None
        return body

    def _method(self, node: ast.MethodCall) -> Expr | None:
        variable = self._session_variable(node.target)
        if variable is not None:
            return self._session_method(node, *variable)
        event = self.event_named(node.target)
        if event is not None:
            # `ev.props('k')`: a map of the event, read by key.
            if event.fields.get(node.name) == types.MAP and len(node.arguments) == 1:
                return self._map_value(Field(types.MAP, True, node.name), node)
            self.problems.add(name_codes.UNKNOWN_FIELD, node.span, type=event.type_name, name=node.name)
            return None
        owner = self.class_name(node.target)
        if owner is not None:
            return self._static(owner, node)
        target = self.check(node.target)
        if target is None:
            return None
        arguments = self.check_all(node.arguments)
        return None if arguments is None else self._apply_method(target, node.name, arguments, node.span)

    def class_name(self, node: ast.Expression) -> str | None:
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
        return Apply(signature.result(result_types), nullable, called, signature, entry.nulls, passed, entry.pure)

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
