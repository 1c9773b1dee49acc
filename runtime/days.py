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
        self._known: dict[int, tuple[int, int]] = {}

    def end_ms(self, time_ms: int) -> int:
        """The first midnight after a time, both in ms since 1970; a time beyond the calendar has none soon.

        A day also ends where the clocks go back into the day before.
        """
        quarter = time_ms // _QUARTER_MS
        known = self._known.get(quarter)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[quarter] = (time_ms, self._find(time_ms))
        since_ms, end_ms = known
        # Mostly midnights fall on whole quarters of an hour, and so one answer holds for all of it.
        return end_ms if since_ms <= time_ms < end_ms else self._find(time_ms)

    def _find(self, time_ms: int) -> int:
        if not _FIRST_MS < time_ms < _LAST_MS:
            return time_ms + 86_400_000
        try:
            local = self._local(time_ms)
            midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), self._zone)
            end_ms = round(midnight.timestamp() * 1000)
            if end_ms <= time_ms:
                # The clocks have gone back over midnight, which so comes twice.
                end_ms = round(midnight.replace(fold=1).timestamp() * 1000)
            if local.utcoffset() == self._local(end_ms).utcoffset():
                return end_ms
            change_ms = self._change_ms(time_ms, end_ms)
            return change_ms if self._local(change_ms).date() < local.date() else end_ms
        except OverflowError:
            # It is within a day of the ends of the calendar.
            return time_ms + 86_400_000

    def _change_ms(self, time_ms: int, end_ms: int) -> int:
        """When the offset of a time gives way to that of a later one, which is another."""
        offset = self._local(time_ms).utcoffset()
        while end_ms - time_ms > 1:
            middle_ms = (time_ms + end_ms) // 2
            if self._local(middle_ms).utcoffset() == offset:
                time_ms = middle_ms
            else:
                end_ms = middle_ms
        return end_ms

    def _local(self, time_ms: int) -> datetime:
        return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(self._zone)
