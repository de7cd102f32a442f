"""The work on this machine: a thread for each repository at once, which starts its processes.

A process that dies costs its own repository alone; a pool of processes would lose what is queued.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor

from awaken.batch.working.repository_work import work
from awaken.engine.machine.programs import StoppedError


class LocalExecutor:
    """Works on ``jobs`` repositories at once."""

    def __init__(self, jobs: int) -> None:
        self.capacity = jobs
        self._stop = threading.Event()
        self._outcomes: queue.SimpleQueue[tuple[str, bytes | str]] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="awaken-batch")

    def submit(self, identity: str, document: bytes) -> None:
        """Begin a task, or keep it until there is room."""
        self._threads.submit(self._work, identity, document)

    def next_outcome(self, seconds: float) -> tuple[str, bytes | str] | None:
        """Return the outcome of a task that ended; None after ``seconds``."""
        try:
            return self._outcomes.get(timeout=seconds)
        except queue.Empty:
            return None

    def close(self) -> None:
        """End whatever still runs."""
        self._stop.set()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _work(self, identity: str, document: bytes) -> None:
        try:
            self._outcomes.put((identity, work(document, self._stop)))
        except StoppedError:
            return
        except Exception as error:  # noqa: BLE001  a thread that ends without a word would be waited for
            what = " ".join(f"{type(error).__name__}: {error}".split())
            self._outcomes.put((identity, f"internal error: {what}"))
