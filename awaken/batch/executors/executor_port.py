"""The port of executors, which do tasks: one takes and gives plain data, and writes no state."""

from __future__ import annotations

from typing import Protocol


class Executor(Protocol):
    """Does several tasks at once; ``capacity`` is how many it should be given before any ends."""

    capacity: int

    def submit(self, identity: str, document: bytes) -> None:
        """Begin a task, or keep it until there is room."""

    def next_outcome(self, seconds: float) -> tuple[str, bytes | str] | None:
        """Return the outcome of a task that ended, with its identity; None after ``seconds``.

        In the place of an outcome it may be a sentence on what happened to the worker.
        """

    def close(self) -> None:
        """End whatever still runs."""
