"""One pure function over many items, in this process or in several: same results, same order.

A process costs 5 ms to fork and 50 ms to spawn, so work of less than about a second is done here,
larger work always in workers: what happens to an item depends on no number of processes.
A worker that dies (segmentation fault, out of memory) costs its item, not the run; in
``concurrent.futures`` one death breaks the whole pool, without saying whose it was.

An item that takes too long, or too much memory, is given up
(``awaken.engine.machine.work_limits``).
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct

from awaken.engine.machine.signals import STOPPING
from awaken.engine.machine.work_limits import (
    BYTES_PER_WORKER,
    SECONDS_PER_ITEM,
    TOOK_TOO_MUCH,
    TookTooLong,
    end_after,
    memory_of,
    processor_time,
    took_too_long,
)

if TYPE_CHECKING:
    from multiprocessing.context import ForkContext, SpawnContext
    from multiprocessing.process import BaseProcess

SECONDS_WORTH_A_POOL = 1.0
"""Below this, starting processes costs more than it saves."""

_TRIES = 2
"""Deaths after which an item is given up. The first may be another's doing: a machine short of
memory kills any process."""
_SECONDS_BETWEEN_LOOKS = 1.0
"""How often the memory of the workers is looked at; Python fills a gigabyte in about that time."""
_CHUNK = 64
"""Items handed out at once. A choice: enough that sending them costs nothing beside planning, few
enough that no worker is left with the last of them while the others wait."""
_SAFE_PATH = "PYTHONSAFEPATH"

Item = TypeVar("Item")
Result = TypeVar("Result")


class Died(Struct, frozen=True):
    """The result of an item that ended its worker twice, or exceeded a limit.

    ``message`` is a clause without subject: "ended its worker process twice (SIGSEGV)".
    ``by_limit`` says that a limit ended it.
    """

    message: str
    by_limit: bool = False


def run_many(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    jobs: int | None = None,
    estimated_seconds: float = SECONDS_WORTH_A_POOL,
    arrived: Callable[[int], None] = lambda _: None,
) -> list[Result | Died]:
    """Return ``function(item)`` for each item, in order, whatever the number of jobs.

    ``function``, its results and the items must be picklable, the items small: what all share
    belongs into ``function`` (``functools.partial``), which a forked worker has for nothing.
    ``jobs`` is the number of processes, None for one per core. Where ``estimated_seconds`` promises
    too little, everything runs here: an item may end this process then, and only its time is
    limited. ``arrived`` is called each time with the number of results. Raises what ``function``
    raised for the first item that failed.
    """
    workers = min(jobs or available_cores(), len(items))
    if not items or estimated_seconds < SECONDS_WORTH_A_POOL:
        return list(_one_by_one(function, items, arrived))
    return _Pool(function, items, workers, arrived).run()


def run_here(function: Callable[[Item], Result], item: Item, seconds: int) -> Result | Died:
    """Return ``function(item)``, given up after so many ``seconds`` of processor time."""
    try:
        with processor_time(seconds):
            return function(item)
    except TookTooLong:
        return Died(took_too_long(seconds), by_limit=True)


def _one_by_one(
    function: Callable[[Item], Result], items: Sequence[Item], arrived: Callable[[int], None]
) -> Iterator[Result | Died]:
    for number, item in enumerate(items, 1):
        yield run_here(function, item, SECONDS_PER_ITEM)
        arrived(number)


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def start_method() -> str:
    """Return how to start workers: ``fork`` where that is safe, else ``spawn``.

    Fork shares the parsed project for nothing, but a lock that another thread holds would stay
    locked for ever in the child; macOS's own libraries start threads.
    """
    return "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"


class _Worker:
    """A process with the indices of the items that it still owes."""

    def __init__(self, process: BaseProcess, connection: Connection) -> None:
        self.process = process
        self.connection = connection
        self.owed: deque[int] = deque()

    def end(self) -> str:
        """End the process now; return how it ended."""
        self.connection.close()
        self.process.join(timeout=0.5)  # by itself, if it can: so its exit code is its own
        self.process.kill()
        self.process.join()
        code = self.process.exitcode or 0
        self.process.close()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


class _Pool(Generic[Item, Result]):
    """Hands out chunks of items and replaces workers that die."""

    def __init__(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        workers: int,
        arrived: Callable[[int], None],
    ) -> None:
        self._function = function
        self._arrived = arrived
        self._items = items
        self._size = workers
        # Eight chunks a worker even out files that take longer than others.
        length = max(1, min(_CHUNK, len(items) // (workers * 8)))
        indices = range(len(items))
        self._chunks: deque[Sequence[int]] = deque(
            indices[i : i + length] for i in indices[::length]
        )
        self._results: dict[int, Result | Died] = {}
        self._errors: dict[int, Exception] = {}
        self._deaths: Counter[int] = Counter()
        self._workers: dict[Connection, _Worker] = {}
        self._forks = start_method() == "fork"
        self._context: ForkContext | SpawnContext = (
            multiprocessing.get_context("fork")
            if self._forks
            else multiprocessing.get_context("spawn")
        )

    def run(self) -> list[Result | Died]:
        """Return all results in order."""
        try:
            while self._chunks and len(self._workers) < self._size:
                self._start(self._chunks.popleft())
            while self._workers:
                for connection in wait(list(self._workers), timeout=_SECONDS_BETWEEN_LOOKS):
                    self._receive(self._workers[connection])  # type: ignore[index]
                for worker in list(self._workers.values()):
                    if memory_of(worker.process.pid or 0) > BYTES_PER_WORKER:
                        worker.process.kill()
                        self._bury(worker, TOOK_TOO_MUCH)
        finally:
            for worker in self._workers.values():
                worker.process.kill()
            for worker in self._workers.values():
                worker.end()
        if self._errors:
            # The first item's, not the first to arrive: the same for any number of workers.
            raise self._errors[min(self._errors)]
        return [self._results[index] for index in range(len(self._items))]

    def _start(self, chunk: Sequence[int]) -> None:
        ours, theirs = self._context.Pipe()
        # a forked worker must not keep its sisters' pipes open: they would not notice our end
        inherited = [ours, *self._workers] if self._forks else []
        process = self._context.Process(
            target=_serve, args=(theirs, self._function, inherited), daemon=True
        )
        with _no_current_directory():
            process.start()
        theirs.close()
        worker = self._workers[ours] = _Worker(process, ours)
        self._hand_out(worker, chunk)

    def _hand_out(self, worker: _Worker, chunk: Sequence[int]) -> None:
        worker.owed.extend(chunk)
        try:
            worker.connection.send([self._items[index] for index in chunk])
        except (BrokenPipeError, ConnectionResetError):
            self._bury(worker)

    def _receive(self, worker: _Worker) -> None:
        """Take one result; then the next chunk is due, or the end."""
        try:
            value, error = worker.connection.recv()
        except (EOFError, ConnectionResetError):
            self._bury(worker)
            return
        index = worker.owed.popleft()
        if error is None:
            self._results[index] = value
        else:
            self._errors[index] = error
        self._arrived(len(self._results) + len(self._errors))
        if worker.owed:
            return
        if self._chunks:
            self._hand_out(worker, self._chunks.popleft())
        else:
            del self._workers[worker.connection]
            worker.end()

    def _bury(self, worker: _Worker, limit: str = "") -> None:
        """Give a dead worker's items to others: the one it died of, alone, to a new process.

        One that was ended by a ``limit`` would only come to it again.
        """
        del self._workers[worker.connection]
        ending = worker.end()
        limit = limit or (took_too_long(SECONDS_PER_ITEM) if ending == "SIGXCPU" else "")
        # Items are answered in order, so the first that is owed is the one it died of.
        culprit, *rest = worker.owed
        if rest:
            self._chunks.appendleft(rest)
        self._deaths[culprit] += 1
        if not limit and self._deaths[culprit] < _TRIES:
            self._start([culprit])
            return
        message = limit or f"ended its worker process twice ({ending})"
        self._results[culprit] = Died(message, by_limit=bool(limit))
        self._arrived(len(self._results) + len(self._errors))
        if self._chunks:
            self._start(self._chunks.popleft())


@contextmanager
def _no_current_directory() -> Iterator[None]:
    """Keep a Python that is started inside from importing what lies in the current directory.

    A spawned worker begins with ``python -c``, which looks there for ``multiprocessing`` first.
    """
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before


def _serve(
    connection: Connection, function: Callable[[Any], Any], inherited: Sequence[Connection]
) -> None:
    """Answer chunks of items, one result at a time, until the other end closes."""
    for other in inherited:
        other.close()
    for number in STOPPING:
        # The parent ends us. A terminal or a supervisor tells all processes of a group; whoever
        # means this one alone has SIGTERM, which a fork may have from its parent as a handler.
        alone = number is signal.SIGTERM
        signal.signal(number, signal.SIG_DFL if alone else signal.SIG_IGN)
    gc.freeze()  # a collection that visits inherited objects would copy their pages
    try:
        while True:
            for item in connection.recv():
                _answer(connection, function, item)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _answer(connection: Connection, function: Callable[[Any], Any], item: object) -> None:
    end_after(SECONDS_PER_ITEM)
    try:
        result = function(item)
    except Exception as error:  # noqa: BLE001 - the parent raises it
        connection.send((None, _portable(error)))
    else:
        connection.send((result, None))


def _portable(error: Exception) -> Exception:
    """Return ``error``, or its text where it cannot be sent."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - a constructor may do anything
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
