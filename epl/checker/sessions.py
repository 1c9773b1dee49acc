"""Session variables: their properties, the attributes that rules write, getters, `contains` and `filter`."""

from __future__ import annotations

from epl import ast, types
from epl.checker.base import Checker
from epl.checker.scope import SESSION_VARIABLES, known_in
from epl.diagnostics import annotation_codes, did_you_mean, name_codes, type_codes
from epl.session_schema import GETTERS, PROPERTIES
from epl.source import Span
from epl.typed import Attribute, AttributeContains, AttributeFilter, Const, Expr, Namespace, Scope, SessionProperty


class SessionChecker(Checker):
    """Checks what rules read of sessions."""

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
        if node.name not in written and node.name in self.names.attempted:
            return None
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
        near = did_you_mean(node.name, [*GETTERS, "contains", "filter"])
        self.problems.add(name_codes.UNKNOWN_SESSION_MEMBER, node.span, owner=variable, name=node.name, hint=near)
        return None
