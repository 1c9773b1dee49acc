"""Live sessions as plain data: found by profile and key, listed in pages, one with all that is known of it."""

from __future__ import annotations

from itertools import islice
from typing import Any

from epl.layout import SessionLayout
from epl.typed import Namespace
from runtime.profile import Profile
from runtime.protocol import answers
from runtime.service.served import Served
from runtime.session import MainSession, SessionBase, SubSession

_MOST_LOOKED_AT = 20_000
"""Sessions that one search looks at: about 10 ms of the loop's time."""


def profile_named(served: Served, name: str) -> Profile | None:
    """A profile by its name."""
    return next((profile for profile in served.tenant.engine.profiles if profile.name == name), None)


def find_sessions(profile: Profile, text: str, start: int, limit: int) -> answers.Sessions:
    """Live sessions whose key holds a text, beginning with the one at a place. That with the very key comes first.

    A search that finds little looks at so many sessions and no more; `next` then goes on from there.
    """
    sessions: list[answers.SessionFacts] = []
    exact = profile.table.find(text) if text and not start else None
    if exact is not None:
        sessions.append(session_facts(profile, exact))
    place = start
    for session in islice(profile.table.peek(start), _MOST_LOOKED_AT):
        if len(sessions) >= limit:
            break
        place += 1
        if text in session.key and session.key != (text if exact is not None else None):
            sessions.append(session_facts(profile, session))
    return {"sessions": sessions, "next": place if place < len(profile.table) else None}


def session_facts(profile: Profile, session: MainSession) -> answers.SessionFacts:
    """A session in a few numbers."""
    return {"profile": profile.name, **_base_facts(session), "sub_sessions": len(session.sub_sessions or ())}


def session_details(profile: Profile, session: MainSession, now_ms: int) -> answers.SessionDetails:
    """All that is known of a session; `now_ms` is by its clock."""
    subs = [_sub_facts(profile, sub) for sub in session.sub_sessions or ()]
    return {
        "now_ms": now_ms,
        "profile": profile.name,
        **_base_facts(session),
        "max_active_ms": profile.max_active_ms,
        "state": _attributes(profile.layout, session, Namespace.STATE),
        "metadata": _attributes(profile.layout, session, Namespace.METADATA),
        "sub_sessions": subs,
    }


def _sub_facts(profile: Profile, sub: SubSession) -> answers.SubSessionFacts:
    kind = profile.sub_sessions[sub.number]
    return {
        "sub_session": kind.name,
        **_base_facts(sub),
        "state": _attributes(kind.layout, sub, Namespace.STATE),
        "metadata": _attributes(kind.layout, sub, Namespace.METADATA),
    }


def _base_facts(session: SessionBase) -> answers.SessionNumbers:
    return {
        "key": session.key,
        "session_id": session.session_id,
        "first_event_ms": session.first_event_ms,
        "created_ms": session.created_ms,
        "modified_ms": session.modified_ms,
        "expires_at_ms": session.expires_at_ms,
        "gap_ms": session.gap_ms,
        "duration_ms": session.duration_ms,
        "events": session.count,
        "bot_type": session.bot_type,
        "bot_events": session.bot_count,
    }


def _attributes(layout: SessionLayout, session: SessionBase, namespace: Namespace) -> dict[str, Any]:
    """State or metadata by name, without what is null."""
    return {
        slot.name: value
        for slot in layout.of(namespace).values()
        if (value := getattr(session, slot.attribute)) is not None
    }
