"""Where days end in a tenant's time zone, for sessions that no midnight may pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_QUARTER_MS = 15 * 60 * 1000
_MOST_KNOWN = 10_000
_LAST_MS = 253_402_214_400_000
"""The last day that Python's calendar knows, in ms since 1970; before year 1 it knows none either."""
_FIRST_MS = -62_135_510_400_000


class DayEnds:
    """The midnights of a time zone. Its changes of offset are honoured, so a day may have 23 or 25 hours."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        # Midnights fall on whole quarters of an hour, apart from some places before 1972.
        self._known: dict[int, int] = {}

    def end_ms(self, time_ms: int) -> int:
        """The first midnight after a time, both in ms since 1970; a time beyond the calendar has none soon."""
        quarter = time_ms // _QUARTER_MS
        known = self._known.get(quarter)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[quarter] = self._find(quarter * _QUARTER_MS)
        return known if known > time_ms else self._find(time_ms)

    def _find(self, time_ms: int) -> int:
        if not _FIRST_MS < time_ms < _LAST_MS:
            return time_ms + 86_400_000
        local = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(self._zone)
        midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), self._zone)
        return round(midnight.timestamp() * 1000)
