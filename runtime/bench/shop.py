"""Sessions like those of a shop (examples/shop), for measuring where they are kept: about 200 bytes of state each."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from epl.layout import SessionLayout, Slot
from epl.types import STRING, Kind
from runtime.session import MainSession, session_class

GAP_MS = 1_800_000
_START_MS = 1_767_618_610_995


def _slot(name: str, prefix: str, kind: Kind) -> Slot:
    return Slot(name, f"{prefix}{name}", kind, STRING if kind is Kind.LIST else None, None, kind is Kind.LIST)


LAYOUT = SessionLayout(
    {
        "last_url": _slot("last_url", "st_", Kind.STRING),
        "items": _slot("items", "st_", Kind.LIST),
        "views": _slot("views", "st_", Kind.INT),
        "searches": _slot("searches", "st_", Kind.INT),
        "purchases": _slot("purchases", "st_", Kind.INT),
        "revenue_cents": _slot("revenue_cents", "st_", Kind.LONG),
    },
    {name: _slot(name, "md_", Kind.STRING) for name in ("landing", "campaign", "device", "country")},
)
"""What the rules of a shop keep (examples/shop)."""

SESSION = session_class(MainSession, LAYOUT, 0)


def key_of(number: int) -> str:
    """36 characters that look random, and are different for each number."""
    return str(UUID(int=number * 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835 % (1 << 128)))


def _values(number: int) -> dict[str, Any]:
    return {
        "st_last_url": f"https://shop.example/p/{number % 5000}",
        "st_items": [f"sku-{(number + step) % 5000:05}" for step in range(number % 6)] or None,
        "st_views": number % 40 + 1,
        "st_searches": number % 5 or None,
        "st_purchases": 1 if number % 20 == 0 else None,
        "st_revenue_cents": number % 20_000 + 300 if number % 20 == 0 else None,
        "md_landing": f"https://shop.example/p/{number % 700}",
        "md_campaign": "spring" if number % 9 == 0 else None,
        "md_device": ("mobile", "desktop", "tablet")[number % 3],
        "md_country": ("DE", "US", "FR", "IN", "BR", "JP")[number % 6],
    }


def made_sessions(first: int, count: int) -> list[MainSession]:
    """So many sessions from a number on, as events would have left them."""
    made = []
    for number in range(first, first + count):
        now_ms = _START_MS + number // 5
        session: MainSession = SESSION.begin(key_of(number), now_ms, now_ms, GAP_MS)
        session.count = number % 60 + 1
        for name, value in _values(number).items():
            setattr(session, name, value)
        made.append(session)
    return made


def as_dict(number: int) -> dict[str, Any]:
    """The same session as a dict."""
    now_ms = _START_MS + number // 5
    times = {"first_event_ms": now_ms, "created_ms": now_ms, "modified_ms": now_ms, "gap_ms": GAP_MS}
    attributes = {name[3:]: value for name, value in _values(number).items() if value is not None}
    return {"key": key_of(number), **times, "count": number % 60 + 1, **attributes}
