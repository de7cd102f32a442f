"""Rates: so many an hour, so many open at once, in office hours, and pauses as the server says.

An hour is counted by the clock, which may jump: what the log has from the future counts as of now,
and no pause is longer than an hour for it. Within a process a clock that never jumps decides.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from datetime import time as time_of_day

from msgspec import Struct

from awaken.contract import UserError

HOUR = 3600.0
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
        return HOUR


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


class Clock:
    """The clocks of the machine, and how to wait; tests have one of their own."""

    def now(self) -> float:
        """Return the time of day, which may jump."""
        return time.time()

    def steady(self) -> float:
        """Return a time that only grows."""
        return time.monotonic()

    def local(self) -> datetime:
        """Return the local time."""
        return datetime.now().astimezone()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Pace:
    """Says how long to wait before the next pull request.

    ``earlier`` are the times at which the campaign opened others, by the clock.
    """

    def __init__(
        self, per_hour: int, hours: OfficeHours | None, earlier: Iterable[float], clock: Clock
    ) -> None:
        self._per_hour, self._hours, self._clock = per_hour, hours, clock
        now, steady = clock.now(), clock.steady()
        ages = sorted((max(0.0, now - at) for at in earlier), reverse=True)
        self._opened = deque(steady - age for age in ages if age < HOUR)

    def seconds(self) -> float:
        """Return how long to wait now, 0 if not at all."""
        if self._hours is not None:
            closed = self._hours.seconds_until(self._clock.local())
            if closed:
                return closed
        steady = self._clock.steady()
        while self._opened and self._opened[0] <= steady - HOUR:
            self._opened.popleft()
        if len(self._opened) < self._per_hour:
            return 0.0
        return self._opened[-self._per_hour] + HOUR - steady

    def note(self) -> None:
        """Note that one was opened now."""
        self._opened.append(self._clock.steady())
