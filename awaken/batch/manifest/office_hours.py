"""Office hours: days of the week and a time of day, as a manifest writes them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from datetime import time as time_of_day

from msgspec import Struct

from awaken.contract import UserError

_CLOSED = 3600.0
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOURS = re.compile(
    r"(?:(?P<first>[A-Z][a-z]{2})(?:-(?P<last>[A-Z][a-z]{2}))?\s+)?"
    r"(?P<start>\d{1,2}:\d{2})-(?P<stop>\d{1,2}:\d{2})"
)


class OfficeHours(Struct, frozen=True):
    """Days of the week (Monday is 0) and a time of day, in local time."""

    days: frozenset[int]
    start: time_of_day
    stop: time_of_day

    def seconds_until(self, now: datetime) -> float:
        """Return how long it is until the office opens, 0 while it is open."""
        for days in range(9):
            day = (now + timedelta(days=days)).date()
            opens = datetime.combine(day, self.start, now.tzinfo)
            closes = datetime.combine(day, self.stop, now.tzinfo)
            if day.weekday() in self.days and now < closes:
                return max(0.0, (opens - now).total_seconds())
        return _CLOSED


def office_hours(text: str) -> OfficeHours | None:
    """Return what ``Mon-Fri 09:00-17:00`` says, None for an empty text. Raises UserError."""
    if not text:
        return None
    match = _HOURS.fullmatch(text.strip())
    wrong = UserError(f"{text!r} are no office hours; write for instance Mon-Fri 09:00-17:00")
    if match is None:
        raise wrong
    first, last = match["first"] or "Mon", match["last"] or match["first"] or "Sun"
    if first not in _DAYS or last not in _DAYS:
        raise wrong
    at, end = _DAYS.index(first), _DAYS.index(last)
    days = range(at, end + 1) if at <= end else (*range(at, 7), *range(end + 1))
    try:
        start, stop = (
            datetime.strptime(match[name], "%H:%M").time()  # noqa: DTZ007  a time of day
            for name in ("start", "stop")
        )
    except ValueError:
        raise wrong from None
    if start >= stop:
        raise wrong
    return OfficeHours(frozenset(days), start, stop)
