"""Live sessions as plain data: found by profile and key, listed in pages, one with all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from epl.layout import SessionLayout
from epl.typed import Namespace
from runtime.profile import Profile
from runtime.service.served import Served
from runtime.session import MainSession, SessionBase, SubSession

_MOST_LOOKED_AT = 20_000
"""Sessions that one search looks at: about 10 ms of the loop's time."""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of sessions; `next` is where the next page begins, None at the end."""

    sessions: list[dict[str, Any]]
    next: int | None


def profile_named(served: Served, name: str) -> Profile | None:
    """A profile by its name."""
    return next((profile for profile in served.tenant.engine.profiles if profile.name == name), None)


def find_sessions(profile: Profile, text: str, start: int, limit: int) -> Found:
    """Live sessions whose key holds a text, beginning with the one at a place. That with the very key comes first.

    A search that finds little looks at so many sessions and no more; `next` then goes on from there.
    """
    sessions = []
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
    return Found(sessions, place if place < len(profile.table) else None)


def session_facts(profile: Profile, session: MainSession) -> dict[str, Any]:
    """A session in a few numbers."""
    return {"profile": profile.name, **_base_facts(session), "sub_sessions": len(session.sub_sessions or ())}


def session_details(profile: Profile, session: MainSession) -> dict[str, Any]:
    """All that is known of a session."""
    subs = [_sub_facts(profile, sub) for sub in session.sub_sessions or ()]
    return {
        "profile": profile.name,
        **_base_facts(session),
        "max_active_ms": profile.max_active_ms,
        **_attributes(profile.layout, session),
        "sub_sessions": subs,
    }


def _sub_facts(profile: Profile, sub: SubSession) -> dict[str, Any]:
    kind = profile.sub_sessions[sub.number]
    return {"sub_session": kind.name, **_base_facts(sub), **_attributes(kind.layout, sub)}


def _base_facts(session: SessionBase) -> dict[str, Any]:
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


def _attributes(layout: SessionLayout, session: SessionBase) -> dict[str, Any]:
    """State and metadata by name, without what is null."""
    return {
        title: {
            slot.name: value
            for slot in layout.of(namespace).values()
            if (value := getattr(session, slot.attribute)) is not None
        }
        for title, namespace in (("state", Namespace.STATE), ("metadata", Namespace.METADATA))
    }
