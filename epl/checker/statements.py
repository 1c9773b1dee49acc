"""Statements to typed rules; the whole rule set to a typed program, or to all of its problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from epl import ast, structs, types
from epl.canonical import canonical
from epl.checker.attempts import attempted_attributes
from epl.checker.base import widened
from epl.checker.declarations import Declarations
from epl.checker.effects import Bound, EffectChecker, Row
from epl.checker.expressions import ExpressionChecker
from epl.checker.scope import Event, Names
from epl.checker.variables import initial_value
from epl.diagnostics import Problems, annotation_codes, did_you_mean, name_codes, type_codes
from epl.environment import Environment
from epl.parser import Parsed
from epl.session_schema import Attributes, written_attributes
from epl.source import Span
from epl.stage import Stage
from epl.structs import replace
from epl.typed import And, Changed, Column, Const, Effect, Expr, Field, Insert, Program, Rule, Update
from epl.types import Type


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking gave. `program` holds the sound statements; compile it only when `problems` has no errors.

    `environment` is the one given, its stage decided.
    """

    parsed: Parsed
    environment: Environment
    program: Program
    problems: Problems
    attributes: Attributes


def check(parsed: Parsed, environment: Environment) -> Checked:
    """Checks a parsed rule set; the problems of parsing are among those of the answer."""
    stage = environment.stage or _stage_of(parsed.statements)
    environment = replace(environment, stage=stage)
    attributes = Attributes()
    before: list[Attributes] = []
    while True:
        problems = Problems(parsed.source)
        program = _RuleSetChecker(parsed, environment, stage, attributes, problems).program()
        # `session.views` takes its type from the rules that write `views`, which may read others in turn: repeat
        # until nothing new turns up.
        found = written_attributes(program.rules)
        if found == attributes:
            break
        before.append(attributes)
        if found in before or len(before) > len(parsed.statements):
            # A rule that writes an attribute as text because it reads it as a number has no answer. Types that only
            # ever become more do end, and leave a problem where the attribute is read.
            found = found.merged(attributes)
            if found == attributes:
                break
        attributes = found
    problems.extend(parsed.problems)
    if {name_codes.UNKNOWN_ATTRIBUTE} < {problem.code for problem in problems}:
        problems = _without_consequences(parsed, environment, stage, attributes, problems)
    return Checked(parsed, environment, program, problems, attributes)


def _without_consequences(
    parsed: Parsed, environment: Environment, stage: Stage, attributes: Attributes, problems: Problems
) -> Problems:
    """The problems without those that follow from others: attributes that only a rule with mistakes writes."""
    attempted = attempted_attributes(parsed)
    remaining = Problems(parsed.source)
    _RuleSetChecker(parsed, environment, stage, attributes, remaining, attempted).program()
    remaining.extend(parsed.problems)
    return remaining if remaining.has_errors else problems


def _stage_of(statements: tuple[ast.Statement, ...]) -> Stage:
    """For a file on its own: @Session makes it a controller, parentSession the rules of a sub-session."""
    if any(annotation.name == "Session" for statement in statements for annotation in statement.annotations):
        return Stage.CONTROLLER
    parents = ("parentSession", "parentMetadata")
    for statement in statements:
        if any(isinstance(node, ast.Reference) and node.name in parents for node in ast.walk(statement)):
            return Stage.SUB
    return Stage.MAIN


class _RuleSetChecker:
    def __init__(
        self,
        parsed: Parsed,
        environment: Environment,
        stage: Stage,
        attributes: Attributes,
        problems: Problems,
        attempted: frozenset[str] = frozenset(),
    ) -> None:
        self._source = parsed.source
        self._statements = parsed.statements
        self._problems = problems
        self._declarations = Declarations.collect(parsed.statements, environment.event_types, problems)
        self._effects = EffectChecker(problems, environment, stage)
        self._names = Names(
            environment, stage, declared=self._declarations.expressions, attributes=attributes, attempted=attempted
        )
        variables: dict[str, Expr] = {}
        for name, statement in self._declarations.variables.items():
            variables[name] = initial_value(statement, replace(self._names, variables=variables), problems)
        self._names = replace(self._names, variables=variables)
        self._declarations.infer(self._quiet_columns)
        self._check_uncalled()

    def program(self) -> Program:
        rules: list[Rule] = []
        updates: list[Update] = []
        for number, statement in enumerate(self._statements):
            bound = self._effects.bind(statement.annotations)
            name = next((each.arguments["value"] for each in bound if each.entry.name == "Name"), None)
            line = self._source.position(statement.span.start).line
            rule_name = name or f"{PurePath(self._source.name).name}:{line}"
            match statement:
                case ast.Select():
                    self._refuse_split_by_row(bound, statement.stream.type_name.text)
                    rule = self._select(number, rule_name, statement, self._problems)
                    if rule is not None:
                        made = self._of_row(bound, rule, statement)
                        rules.append(self._with_effects(rule, statement, bound, made))
                case ast.Update():
                    update = self._update(number, rule_name, statement)
                    if update is not None:
                        updates.append(update)
                        rule = self._row_of_update(update)
                        made = self._effects.effects(bound, _row(rule, True))
                        if made:
                            rules.append(self._with_effects(rule, statement, bound, made))
                case _:
                    self._effects.refuse_without_row(bound)
        return Program(
            self._source,
            dict(self._declarations.event_types),
            self._declarations.routed,
            tuple(updates),
            tuple(rules),
        )

    @staticmethod
    def _with_effects(
        rule: Rule, statement: ast.Statement, bound: list[Bound], made: list[tuple[ast.Annotation, Effect]]
    ) -> Rule:
        # By identity: the same annotation may stand there twice.
        places = {id(annotation): place for place, annotation in enumerate(statement.annotations)}
        return structs.replace(
            rule,
            effects=(*(effect for _, effect in made), *rule.effects),
            made_by=tuple(places[id(annotation)] for annotation, _ in made),
            shadow=any(each.entry.name == "Shadow" for each in bound),
        )

    def _row_of_update(self, update: Update) -> Rule:
        """The row that `update istream` yields, the whole event as it leaves it, for its annotations."""
        fields = self._declarations.event_types[update.event_type]
        columns = tuple(Column(name, Changed(type_, True, update.number, name)) for name, type_ in fields.items())
        applied = Changed(types.BOOLEAN, False, update.number, None)
        return Rule(update.number, update.name, update.span, update.event_type, applied, columns, (), of_update=True)

    def _refuse_split_by_row(self, bound: list[Bound], type_name: str) -> None:
        """Rows of `insert into` come when the event has had its pass, which is too late to split before it."""
        outside = self._names.environment.event_types or self._declarations.schemas
        for each in bound:
            if each.entry.name == "SplitSession" and type_name in self._declarations.routed - set(outside):
                self._problems.add(annotation_codes.SPLIT_BY_ROW, each.annotation.span, type=type_name)

    def _of_row(self, bound: list[Bound], rule: Rule, statement: ast.Select) -> list[tuple[ast.Annotation, Effect]]:
        expected = len(statement.columns)
        complete = len(rule.columns) >= expected or any(isinstance(c, ast.Wildcard) for c in statement.columns)
        return self._effects.effects(bound, _row(rule, complete))

    # ---- declarations

    def _check_uncalled(self) -> None:
        """An expression without parameters has one type wherever it is called, and even where it is not."""
        for declared in self._declarations.expressions.values():
            if not declared.parameters and not declared.alias:
                names = self._names.inside(declared.name.text, {}, keeps_event=False)
                ExpressionChecker(self._problems, names).whole(declared.body)

    # ---- statements

    def _event(self, type_name: ast.Name, problems: Problems) -> Event | None:
        if type_name.text in self._declarations.circular:
            return None
        fields = self._declarations.event_types.get(type_name.text)
        if fields is None:
            hint = did_you_mean(type_name.text, self._declarations.known_types())
            problems.add(name_codes.UNKNOWN_EVENT_TYPE, type_name.span, name=type_name.text, hint=hint)
            return None
        return Event(type_name.text, fields)

    def _quiet_columns(self, statement: ast.Select) -> Mapping[str, Type]:
        rule = self._select(0, "", statement, Problems(self._source), inserting=False)
        return {} if rule is None else {column.name: column.expr.type for column in rule.columns}

    def _checker(self, event: Event, alias: ast.Name | None, problems: Problems) -> ExpressionChecker:
        aliases = {event.type_name} if alias is None else {event.type_name, alias.text}
        return ExpressionChecker(problems, replace(self._names, event=event, aliases=frozenset(aliases)))

    @staticmethod
    def _condition(checker: ExpressionChecker, nodes: list[ast.Expression]) -> tuple[Expr | None, bool]:
        """All filters and-ed, or None when there are none; and whether that is all of them.

        Those with problems are left out: they are reported, or follow from one that is.
        """
        checked = [checker.whole(node, condition=True) for node in nodes]
        sound = tuple(each for each in checked if each is not None)
        whole = len(sound) == len(nodes)
        if len(sound) < 2:
            return (sound[0] if sound else None), whole
        return And(types.BOOLEAN, any(each.nullable for each in sound), sound), whole

    def _select(
        self, number: int, name: str, statement: ast.Select, problems: Problems, *, inserting: bool = True
    ) -> Rule | None:
        event = self._event(statement.stream.type_name, problems)
        if event is None:
            return None
        checker = self._checker(event, statement.stream.alias, problems)
        filters = [*statement.stream.filters, *([] if statement.where is None else [statement.where])]
        condition, whole = self._condition(checker, filters)
        columns = self._columns(checker, event, statement)
        into = statement.insert_into
        if into is not None and into.columns is not None:
            columns = self._renamed(into, into.columns, columns, problems)
        effects: tuple[Effect, ...] = ()
        if into is not None and inserting:
            insert = self._insert(into.type_name, columns, problems)
            effects = () if insert is None else (insert,)
        expected = sum(isinstance(item, ast.Column) for item in statement.columns)
        whole = whole and len(columns) >= expected
        return Rule(number, name, statement.span, event.type_name, condition, columns, effects, whole)

    def _columns(self, checker: ExpressionChecker, event: Event, statement: ast.Select) -> tuple[Column, ...]:
        columns: dict[str, Column] = {}
        for item in statement.columns:
            if isinstance(item, ast.Wildcard):
                alias = item.alias
                if alias is not None and alias.text not in checker.names.aliases:
                    hint = did_you_mean(alias.text, checker.names.aliases)
                    checker.problems.add(name_codes.UNKNOWN_NAME, alias.span, name=alias.text, hint=hint)
                    continue
                found = [(Column(name, Field(type_, True, name)), item.span) for name, type_ in event.fields.items()]
            else:
                expr = checker.whole(item.expression)
                if expr is None:
                    continue
                name = canonical(item.expression) if item.name is None else item.name.text
                found = [(Column(name, expr), item.span)]
            for column, span in found:
                if column.name in columns:
                    checker.problems.add(name_codes.DUPLICATE_COLUMN, span, name=column.name)
                columns[column.name] = column
        return tuple(columns.values())

    def _renamed(
        self, into: ast.InsertInto, names: tuple[ast.Name, ...], columns: tuple[Column, ...], problems: Problems
    ) -> tuple[Column, ...]:
        if len(names) != len(columns):
            problems.add(
                type_codes.ARGUMENTS,
                into.span,
                name=f"insert into {into.type_name.text}",
                found=f"{len(columns)} columns",
                hint=f"it names {len(names)}",
            )
            return columns
        return tuple(Column(name.text, column.expr) for name, column in zip(names, columns, strict=True))

    def _insert(self, type_name: ast.Name, columns: tuple[Column, ...], problems: Problems) -> Insert | None:
        if type_name.text in self._declarations.circular:
            return None
        fields = self._declarations.event_types[type_name.text]
        given = {column.name: column.expr for column in columns}
        for column in columns:
            target = fields.get(column.name)
            if target is None:
                hint = did_you_mean(column.name, fields)
                problems.add(name_codes.UNKNOWN_FIELD, type_name.span, type=type_name.text, name=column.name, hint=hint)
                return None
            if not self._assignable(column.name, target, column.expr, type_name.span, problems):
                return None
        null = Const(types.NULL, True, None)
        fitted = (Column(name, widened(given.get(name, null), target)) for name, target in fields.items())
        return Insert(type_name.text, tuple(fitted))

    def _assignable(self, name: str, target: Type, expr: Expr, span: Span, problems: Problems) -> bool:
        if types.assignable(target, expr.type):
            return True
        problems.add(type_codes.NOT_ASSIGNABLE, span, name=name, target=str(target), source=str(expr.type))
        return False

    def _update(self, number: int, name: str, statement: ast.Update) -> Update | None:
        event = self._event(statement.type_name, self._problems)
        if event is None:
            return None
        checker = self._checker(event, statement.alias, self._problems)
        condition, _ = self._condition(checker, [] if statement.where is None else [statement.where])
        assignments: list[Column] = []
        for assignment in statement.assignments:
            expr = checker.whole(assignment.expression)
            field_name = assignment.name.text
            target = event.fields.get(field_name)
            if target is None:
                hint = did_you_mean(field_name, event.fields)
                self._problems.add(
                    name_codes.UNKNOWN_FIELD, assignment.name.span, type=event.type_name, name=field_name, hint=hint
                )
            elif expr is not None and self._assignable(
                field_name, target, expr, assignment.expression.span, self._problems
            ):
                assignments.append(Column(field_name, widened(expr, target)))
        return Update(number, name, statement.span, event.type_name, condition, tuple(assignments))


def _row(rule: Rule, complete: bool) -> Row:
    return Row(rule.event_type, {column.name: column for column in rule.columns}, complete)
