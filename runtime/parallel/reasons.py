"""What must be so for files to be cut in time, and how long a session can be quiet and still be live.

A worker that begins in the middle may treat a key as new once the key has been quiet for longer than any session
lives without events. That says nothing where events of different keys have to do with each other: for those, one
process does the work, and the summary says why.
"""

from __future__ import annotations

from collections.abc import Iterable

from epl.compiler.analysis import expressions_of
from epl.typed import Apply, Call, Const, Effect, Expr, Now, Program, RouteToProfile, SetDuration
from epl.typed_walk import subexpressions
from runtime.config import Late, TimeDomain, TimePolicy
from runtime.rules import TenantRules


def why_in_one_piece(rules: TenantRules) -> str | None:
    """Why the events of a tenant have to go through one process, one after the other; None when they need not."""
    config = rules.config
    if config.time.policy is not TimePolicy.GAP:
        return f"`time.policy: {config.time.policy.value}` judges each session by the events of all"
    if config.time.domain is TimeDomain.EVENT:
        if config.time.allowed_lateness_ms:
            return "`time.allowed_lateness` makes events wait for those of all sessions"
        if config.time.late is not Late.EXTEND:
            return f"`time.late: {config.time.late.value}` judges an event by those of all sessions"
    if config.limits.rate:
        return "`limits.rate` counts the events of all sessions"
    if config.limits.sessions:
        return "`limits.sessions` counts the sessions of all"
    if len(rules.profiles) > 1:
        return "an event may belong to sessions of several profiles"
    for compiled in rules.programs():
        if any(isinstance(effect, Call) for effect in _effects(compiled.program)):
            return "an annotation calls Python code, which may go by what it was called with before"
        if any(isinstance(part, Apply) and not part.pure for part in _expressions(compiled.program)):
            return "rules call a function that is not pure, which may go by what it was called with before"
    if any(isinstance(part, Now) for part in _expressions(rules.controller.program)):
        return "the controller reads the clock, which stands where the event before has left it"
    return None


def longest_pause_ms(rules: TenantRules) -> int:
    """How long a session can at most be quiet before it ends.

    That is the profile's gap; where rules give gaps that nobody knows beforehand, it is `limits.max_idle`. A
    sub-session is no exception: it does not outlast the gap that its session had.
    """
    (profile,) = rules.profiles
    longest_ms = profile.config.gap_ms
    durations: list[Expr | None] = [
        effect.duration_ms for effect in _effects(rules.controller.program) if isinstance(effect, RouteToProfile)
    ]
    durations += [
        effect.duration_ms for effect in _effects(profile.compiled.program) if isinstance(effect, SetDuration)
    ]
    for duration in durations:
        match duration:
            case None:
                pass
            case Const(_, _, int(gap_ms)):
                longest_ms = max(longest_ms, gap_ms)
            case _:
                longest_ms = rules.config.limits.max_idle_ms
    return min(longest_ms, rules.config.limits.max_idle_ms)


def _effects(program: Program) -> Iterable[Effect]:
    return (effect for rule in program.rules for effect in rule.effects)


def _expressions(program: Program) -> Iterable[Expr]:
    tops = (top for statement in program.statements() for top in expressions_of(statement))
    return (part for top in tops for part in subexpressions(top))
