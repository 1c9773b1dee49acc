"""A typed program to handlers: one Python function an event type, reads before writes (engine.md §4 in the design)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import msgspec

from epl import typed as t
from epl.compiler.analysis import can_fail, expressions_of, fields_read, implied, meet, reads, row_of, writes
from epl.compiler.contract import COUNTER_TAKEN, SPLIT, Handler
from epl.compiler.dispatch import Piece, dispatched, wanted_by
from epl.compiler.effects import Effects
from epl.compiler.expressions import Expressions
from epl.compiler.module import Constant, Module
from epl.compiler.text import remark, replace_words, ungrouped
from epl.layout import SessionLayout, slot_name
from epl.structs import replace
from epl.typed_walk import subexpressions
from epl.types import OBJECT, Type

_INDENT = "    "
_NO_ATTRIBUTES = SessionLayout({}, {})


@dataclass(frozen=True, slots=True)
class Body:
    """The lines of a function below its head, without their indentation."""

    function: Handler
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compiled:
    """Handlers by event type; `fields` are the event fields that they read, by event type.

    `matches` counts the rows of each statement by its number, and goes on counting; `python` is the generated source,
    `constants` what it calls by names that are bound outside of it, `bodies` what each handler is made of.
    """

    program: t.Program
    handlers: Mapping[str, Handler]
    fields: Mapping[str, Mapping[str, Type]]
    matches: list[int]
    python: str
    constants: Mapping[str, Constant]
    bodies: Mapping[str, Body]


def compile_program(
    program: t.Program,
    layout: SessionLayout = _NO_ATTRIBUTES,
    parent: SessionLayout | None = None,
    *,
    profiles: Sequence[str] = (),
    sub_sessions: Sequence[str] = (),
    report: bool = False,
    guarded: bool = False,
) -> Compiled:
    """Compiles a program without errors.

    `layout`: the slots of this rule set's session, `parent`: those of the enclosing one. The places of names in
    `profiles` and `sub_sessions` are the numbers in `Effects.routes` and `Effects.subs`. `report`: every row is also
    handed to `Effects.report`. `guarded`: every rule may be made to fail while it is evaluated, by whoever watches it.
    """
    program = _without_shadows(program)
    if report:
        program = _reporting(program)
    module = Module(program.source.name)
    by_type = _by_event_type(program)
    names = {type_name: f"on_{slot_name(type_name)}" for type_name in by_type}
    fields = {name: _declared_fields(program, name, statements, report) for name, statements in by_type.items()}
    for type_name in program.routed & by_type.keys():
        slots = [(slot_name(name), Any) for name in fields[type_name]]
        module.define(f"ROW_{names[type_name]}", msgspec.defstruct(f"Row_{names[type_name]}", slots, gc=False))
    size = 1 + max((statement.number for statement in program.statements()), default=-1)
    matches = [0] * size
    module.define("m", matches)
    module.define("SPLIT", SPLIT)
    module.define("COUNTER_TAKEN", COUNTER_TAKEN)
    handled = {type_name: (names[type_name], tuple(fields[type_name])) for type_name in by_type}

    def function(type_name: str, statements: Sequence[t.Rule | t.Update]) -> _Function:
        layouts = {t.Scope.SESSION: layout}
        if parent is not None:
            layouts[t.Scope.PARENT] = parent
        expressions = Expressions(module, layouts)
        effects = Effects(module, expressions, layout, profiles, sub_sessions, handled)
        return _Function(names[type_name], module, program, statements, expressions, effects, report, guarded)

    bodies: dict[str, list[str]] = {}
    for type_name, statements in by_type.items():
        if module.lines:
            module.lines += ["", ""]
        head, *body = function(type_name, statements).lines()
        module.lines += [head, *(_INDENT + line for line in body)]
        bodies[type_name] = body
    namespace = module.load()
    handlers: dict[str, Callable[..., Any]] = {type_name: namespace[name] for type_name, name in names.items()}
    made = {type_name: Body(handlers[type_name], tuple(lines)) for type_name, lines in bodies.items()}
    return Compiled(program, handlers, fields, matches, module.text, module.constants, made)


def _without_shadows(program: t.Program) -> t.Program:
    """The program with rules that only count where they are tried out."""
    rules = (replace(rule, effects=()) if rule.shadow else rule for rule in program.rules)
    return replace(program, rules=tuple(rules))


def _reporting(program: t.Program) -> t.Program:
    rules = (
        # An update reports its row itself.
        rule if rule.of_update else replace(rule, effects=(*rule.effects, t.Report(rule.columns)))
        for rule in program.rules
    )
    return replace(program, rules=tuple(rules))


def _by_event_type(program: t.Program) -> dict[str, list[t.Rule | t.Update]]:
    """The statements of each event type, in file order."""
    found: dict[str, list[t.Rule | t.Update]] = {}
    for statement in program.statements():
        found.setdefault(statement.event_type, []).append(statement)
    return found


def _declared_fields(
    program: t.Program, type_name: str, statements: Sequence[t.Rule | t.Update], report: bool
) -> Mapping[str, Type]:
    declared = program.event_types.get(type_name, {})
    used = fields_read(statements)
    for statement in statements:
        if isinstance(statement, t.Update):
            # The row of an update is the whole event.
            used |= declared.keys() if report else {column.name for column in statement.assignments}
        else:
            used |= {part.name for part in _changed(statement) if part.name is not None}
    return {name: declared.get(name, OBJECT) for name in sorted(used)}


def _changed(rule: t.Rule) -> Iterator[t.Changed]:
    """What a rule takes from the row of an update."""
    tops = expressions_of(rule)
    return (part for top in tops for part in subexpressions(top) if isinstance(part, t.Changed))


class _Function:
    """The handler of one event type."""

    def __init__(
        self,
        name: str,
        module: Module,
        program: t.Program,
        statements: Sequence[t.Rule | t.Update],
        expressions: Expressions,
        effects: Effects,
        report: bool,
        guarded: bool,
    ) -> None:
        self._is_guarded = guarded
        self._module = module
        self._name = name
        self._program = program
        self._updates = [statement for statement in statements if isinstance(statement, t.Update)]
        self._rules = [statement for statement in statements if isinstance(statement, t.Rule)]
        self._write = expressions
        self._effects = effects
        self._report = report
        self._assigned: set[str] = set()
        self._columns = 0

    def lines(self) -> list[str]:
        """The function's source: its head, and the lines below it without their indentation."""
        changed = [line for update in self._updates for line in self._headed(update, self._update(update))]
        splits = [line for rule in self._rules for line in self._headed(rule, self._split(rule), " (splits first)")]
        first: list[Piece] = []
        second: list[Piece] = []
        written: set[tuple[object, str]] = set()
        for rule in self._rules:
            own = writes(rule)
            # One effect that writes one slot reads all it needs before it writes.
            disturbing = own if len(own) > 1 or len(rule.effects) > 1 else frozenset()
            read = reads(rule)
            wanted = wanted_by(rule.condition)
            if meet(read, written) or meet(read, disturbing) or self._can_fail(rule):
                evaluated, applied = self._in_two_steps(rule)
                first.append(Piece(rule.number, self._headed(rule, evaluated, " (what it reads)"), wanted))
                second.append(Piece(rule.number, self._headed(rule, applied), wanted))
            else:
                second.append(Piece(rule.number, self._headed(rule, self._at_once(rule)), wanted))
            written |= own
        decorates = any(isinstance(effect, t.Decorate) for rule in self._rules for effect in rule.effects)
        read_lines, other_lines = dispatched(first, second, self._write, self._module)
        body = [*changed, *splits, *read_lines, *(["d = {}"] if decorates else []), *other_lines]
        body += ["return d"] if decorates else [] if body else ["pass"]
        head = f"def {self._name}(e, s, p, now, fx):"
        return [head, *self._with_fields(body)]

    def _can_fail(self, statement: t.Rule | t.Update) -> bool:
        return self._is_guarded or can_fail(expressions_of(statement))

    def _headed(self, statement: t.Rule | t.Update, lines: list[str], part: str = "") -> list[str]:
        """The lines below a comment that says whose they are: place and name, or the text where there is no name."""
        if not lines:
            return lines
        source = self._program.source
        place = f"{PurePath(source.name).name}:{source.position(statement.span.start).line}"
        is_named = not statement.name.endswith(place)
        title = statement.name if is_named else source.slice(statement.span)
        return [remark(f"{place} {title}") + part, *lines]

    def _with_fields(self, body: list[str]) -> list[str]:
        """Loads fields that are used more than once into locals; a single use reads the event where it stands."""
        places = {local: f"e.{slot_name(name)}" for name, local in sorted(self._write.fields.items())}
        text = "\n".join(body)
        uses = Counter[str]()

        def count(word: str) -> str:
            uses[word] += 1
            return word

        replace_words(text, count)
        loaded = [local for local in places if local in self._assigned or uses[local] > 1]
        loads = [f"{local} = {places.pop(local)}" for local in loaded]
        return [*loads, *replace_words(text, lambda word: places.get(word, word)).split("\n")]

    def _update(self, update: t.Update) -> list[str]:
        locals_ = [self._write_field(column.name) for column in update.assignments]
        self._assigned |= set(locals_)
        with self._write.knowing(implied(update.condition) if update.condition else ()):
            values = ", ".join(ungrouped(self._write.value(column.expr)) for column in update.assignments)
        lines = [f"m[{update.number}] += 1", f"{', '.join(locals_)} = {values}"]
        row = next((rule for rule in self._rules if rule.of_update and rule.number == update.number), None)
        taken = dict.fromkeys(_changed(row)) if row is not None else {}
        for part in taken:
            # Later updates change the event again.
            value = "True" if part.name is None else self._write_field(part.name)
            lines.append(f"{self._write.value(part)} = {value}")
        if self._report:
            every = self._program.event_types[update.event_type]
            fields = ", ".join(f"{name!r}: {self._write_field(name)}" for name in every)
            lines.append(f"fx.report({update.number}, {{{fields}}})")
        lines = self._when(update.condition, lines)
        guarded = self._guarded(lines, update.name) if self._can_fail(update) else lines
        return [*(f"{self._write.value(part)} = False" for part in taken if part.name is None), *guarded]

    def _write_field(self, name: str) -> str:
        return self._write.value(t.Field(OBJECT, True, name))

    def _split(self, rule: t.Rule) -> list[str]:
        if not any(isinstance(effect, t.SplitSession) for effect in rule.effects):
            return []
        test = "" if rule.condition is None else f" and {self._write.truth(rule.condition)}"
        with self._write.knowing(implied(rule.condition) if rule.condition else ()):
            failing = [self._write.value(expr) for expr in row_of(rule) if can_fail([expr])]
        lines = [f"if not fx.is_new{test}:", *(_INDENT + line for line in (*failing, "return SPLIT"))]
        if not self._can_fail(rule):
            return lines
        # A rule that fails has no row to split by; the failure is reported where the rule runs.
        return ["try:", *(_INDENT + line for line in lines), "except Exception:", _INDENT + "pass"]

    def _when(self, condition: t.Expr | None, lines: list[str]) -> list[str]:
        if condition is None:
            return lines
        return [f"if {ungrouped(self._write.truth(condition))}:", *(_INDENT + line for line in lines)]

    @staticmethod
    def _guarded(lines: list[str], name: str) -> list[str]:
        return [
            "try:",
            *(_INDENT + line for line in lines),
            "except Exception as error:",
            _INDENT + f"fx.fail({name!r}, error, e)",
        ]

    def _applied(self, rule: t.Rule) -> list[str]:
        lines = [] if rule.of_update else [f"m[{rule.number}] += 1"]
        for effect in rule.effects:
            lines += self._effects.lines(effect, rule)
        return lines or ["pass"]

    def _at_once(self, rule: t.Rule) -> list[str]:
        """Condition and effects together: nothing that the rule reads has been written yet, and it cannot fail."""
        with self._write.knowing(implied(rule.condition) if rule.condition else ()):
            lines = self._applied(rule)
        return self._when(rule.condition, lines)

    def _in_two_steps(self, rule: t.Rule) -> tuple[list[str], list[str]]:
        """All that the rule reads, before anything is written; and its effects, in its place among the others."""
        row = f"r{rule.number}"
        taken: list[str] = []
        computed: dict[t.Expr, str] = {}
        with self._write.knowing(implied(rule.condition) if rule.condition else ()):
            for expr in row_of(rule):
                if isinstance(expr, t.Const | t.Field | t.Changed) or expr in computed:
                    continue  # neither changes while effects are applied
                self._columns += 1
                local = f"c{self._columns}"
                taken.append(f"{local} = {ungrouped(self._write.value(expr))}")
                computed[expr] = local
        fails = self._can_fail(rule)
        if not taken and rule.condition is not None and not fails:
            evaluated = [f"{row} = {self._write.truth(rule.condition)}"]
        else:
            step = self._when(rule.condition, [*taken, f"{row} = True"])
            evaluated = [f"{row} = False", *(self._guarded(step, rule.name) if fails else step)]
        self._write.computed = computed
        with self._write.knowing(implied(rule.condition) if rule.condition else ()):
            applied = self._applied(rule)
        self._write.computed = {}
        return evaluated, [f"if {row}:", *(_INDENT + line for line in applied)]
