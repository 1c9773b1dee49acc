"""The initial values of variables: computed from constants, other variables and pure functions alone."""

from __future__ import annotations

from collections.abc import Iterator

from epl import ast, structs, types
from epl.checker.base import widened
from epl.checker.expressions import ExpressionChecker
from epl.checker.scope import Names
from epl.diagnostics import Problems, name_codes, type_codes
from epl.limits import MAX_EXPANSION
from epl.stage import Stage
from epl.structs import replace
from epl.typed import Apply, Const, Expr, Now
from epl.typed_walk import extent, subexpressions


def initial_value(statement: ast.CreateVariable, names: Names, problems: Problems) -> Expr:
    """The value of a variable, of its declared type; null where it has problems. `names` has those before it."""
    # Without an event in scope, whatever reads one is an unknown name; sessions are refused by hand.
    checker = ExpressionChecker(problems, replace(names, stage=Stage.CONTROLLER))
    target = checker.value_type(statement.type) or types.OBJECT
    if statement.value is None:
        return Const(target, True, None)
    if any(name not in names.variables for name in _names_read(statement.value, checker)):
        problems.add(type_codes.NOT_CONSTANT, statement.value.span)
        return Const(target, True, None)
    value = checker.whole(statement.value)
    if value is None:
        return Const(target, True, None)
    if any(isinstance(part, Now) or (isinstance(part, Apply) and not part.pure) for part in subexpressions(value)):
        # It would be another value wherever, and whenever, the variable is read.
        problems.add(type_codes.NOT_CONSTANT, statement.value.span)
        return Const(target, True, None)
    if extent(value).size > MAX_EXPANSION:
        problems.add(name_codes.TOO_LARGE, statement.value.span)
        return Const(target, True, None)
    if not types.assignable(target, value.type):
        problems.add(
            type_codes.NOT_ASSIGNABLE,
            statement.value.span,
            name=statement.name.text,
            target=str(target),
            source=str(value.type),
        )
        return Const(target, True, None)
    fitted = widened(value, target)
    # A null still is of the declared type, and an int literal in a long variable is a long.
    return fitted if fitted.type == target else structs.replace(fitted, type=target)


def _names_read(value: ast.Expression, checker: ExpressionChecker) -> Iterator[str]:
    """The names that an expression reads; `Math` of `Math.abs(…)` is none."""
    classes = {
        id(part)
        for node in ast.walk(value)
        if isinstance(node, ast.MethodCall) and checker.class_name(node.target) is not None
        for part in ast.walk(node.target)
    }
    return (node.name for node in ast.walk(value) if isinstance(node, ast.Reference) and id(node) not in classes)
