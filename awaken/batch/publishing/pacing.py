"""Rates: so many an hour, so many open at once, in office hours, and pauses as the server says.

The clock may jump: log entries from the future count as of now, and no pause exceeds an hour.
Within a process a clock that never jumps decides.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from datetime import datetime

from awaken.batch.manifest.office_hours import OfficeHours

HOUR = 3600.0


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
