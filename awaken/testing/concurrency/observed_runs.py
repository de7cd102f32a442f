"""Runs coroutine functions again and again, and notes all that can be seen of each run.

The program notes what it does in ``steps.NOTES``, by steps that the runs let fail
(``fixtures/asyncio/_programs/steps``). Only the standard library is used: another Python runs this
file as a script, which reads a ``Request`` as JSON and writes what was seen.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import selectors
import sys
import tempfile
import warnings
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from itertools import combinations, islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple

_STEPS = "steps"
_MOST_PAIRS = 6  # of failing steps: pairs of four, which is more than most cases have
CANCELLED = " is cancelled"
_DEEPEST = 4  # exceptions behind exceptions


class Stop(BaseException):
    """What no ``except Exception`` catches."""


class Run(NamedTuple):
    """All that can be seen of one run.

    ``outcome`` is the result or the exception, ``notes`` what was noted by then, ``left`` how many
    tasks still ran, and ``later`` what these noted afterwards. A note is a time and a text.
    """

    outcome: Any
    notes: Any
    left: int
    later: Any


class Loop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own: it does not wait, it puts the clock forward."""

    def __init__(self) -> None:
        self._now = 0.0
        self._in_threads = 0
        super().__init__(_Selector(self))
        self._threads = ThreadPoolExecutor()
        self.set_default_executor(self._threads)

    def time(self) -> float:
        """Return how many seconds the program believes to have waited."""
        return self._now

    def pass_time(self, seconds: float | None) -> None:
        """Put the clock forward. Raises RuntimeError where nothing would ever happen."""
        if seconds is None:
            raise RuntimeError("all tasks wait for ever")
        self._now += seconds

    @property
    def waits_for_threads(self) -> bool:
        """Whether time has to pass outside of the program."""
        return self._in_threads > 0

    # Code in a thread takes no time by the clock of the loop.
    def run_in_executor(self, *arguments: Any) -> Any:  # type: ignore[override]
        """Run a function in a thread, as any loop does."""
        self._in_threads += 1
        future: Any = super().run_in_executor(*arguments)
        future.add_done_callback(self._came_back)
        return future

    def _came_back(self, _: object) -> None:
        self._in_threads -= 1

    async def shutdown_default_executor(self, *_: Any) -> None:
        """Leave it to ``close``: a time limit for threads makes no sense to this clock."""

    def close(self) -> None:
        """Close the loop, and end its threads."""
        self._threads.shutdown()
        super().close()


class _Selector(selectors.SelectSelector):
    """Asks the loop to put its clock forward where others would wait."""

    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if self._loop.waits_for_threads:
            return super().select(timeout)
        ready = super().select(0)
        if not ready and timeout != 0:
            self._loop.pass_time(timeout)
        return ready


# ---------------------------------------------------------------------------------- observations
def observe_all(module: Any, pattern: str, *, eager: bool = False) -> dict[str, dict[str, Run]]:
    """Return what was seen of each coroutine function that ``pattern`` names, run by run."""
    return {
        name: _observe(value, eager=eager)
        for name, value in list(vars(module).items())  # warnings are remembered in it
        if fnmatchcase(name, pattern) and inspect.iscoroutinefunction(value)
    }


def _observe(function: Callable[[], Coroutine[Any, Any, Any]], *, eager: bool) -> dict[str, Run]:
    """Run ``function`` as it is, with each failure of its steps, and cancelled at each time."""

    def run(endings: Mapping[str, BaseException], cancelled_at: float | None = None) -> Run:
        return _run(function, endings, cancelled_at, eager=eager)

    usual = run({})
    runs = {"it runs": usual}
    noted = [*usual.notes, *usual.later]
    names = {text.removesuffix(" is done"): None for _, text in noted if text.endswith(" is done")}
    for name in names:
        for failure in (ValueError(name), Stop(name), ExceptionGroup(name, [ValueError(name)])):
            runs[f"{name} fails with {type(failure).__name__}"] = run({name: failure})
    for pair in islice(combinations(names, 2), _MOST_PAIRS):
        runs[f"{' and '.join(pair)} fail"] = run({name: ValueError(name) for name in pair})
    for before, after in _gaps(noted):
        moment = (before + after) / 2
        runs[f"it is cancelled at {moment}"] = run({}, moment)
    return runs


def _gaps(noted: list[tuple[float, str]]) -> Iterator[tuple[float, float]]:
    times = sorted({time for time, _ in noted})
    return pairwise(times)


def _run(
    function: Callable[[], Coroutine[Any, Any, Any]],
    endings: Mapping[str, BaseException],
    cancelled_at: float | None,
    *,
    eager: bool,
) -> Run:
    steps: Any = sys.modules.get(_STEPS)
    if steps is None:
        raise LookupError("the program does not import `steps`")
    steps.NOTES, steps.ENDINGS = [], dict(endings)

    async def live() -> Run:
        loop = asyncio.get_running_loop()
        # Exceptions that nobody retrieves are reported when they are collected: at any time.
        loop.set_exception_handler(lambda *_: None)
        if eager:
            loop.set_task_factory(getattr(asyncio, "eager_task_factory"))  # noqa: B009  since 3.12
        task = asyncio.create_task(function())
        if cancelled_at is not None:
            loop.call_at(cancelled_at, task.cancel)
        try:
            outcome: Any = ("returns", repr(await task))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  whatever it raises is the observation
            outcome = ("raises", picture(error, endings))
        noted = len(steps.NOTES)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            await asyncio.wait(left)
        return Run(
            outcome, _in_order(steps.NOTES[:noted]), len(left), _in_order(steps.NOTES[noted:])
        )

    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(live())


def _in_order(notes: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Return notes with those of one time sorted, from the first cancellation on.

    A ``TaskGroup`` holds its tasks in a set, so it cancels them in any order.
    """
    cancelled = (n for n, (_, text) in enumerate(notes) if text.endswith(CANCELLED))
    first = next(cancelled, len(notes))
    return [*notes[:first], *sorted(notes[first:])]


def picture(
    error: BaseException | None, endings: Mapping[str, BaseException], depth: int = 0
) -> Any:
    """Return a comparable picture of an exception: its type, its text, and its causes.

    The step whose exception it is says which.
    """
    if error is None or depth > _DEEPEST:
        return None
    return {
        "type": type(error).__name__,
        "text": str(error),
        "of": next((name for name, item in endings.items() if item is error), None),
        "cause": picture(error.__cause__, endings, depth + 1),
        "context": picture(error.__context__, endings, depth + 1),
        "suppressed": error.__suppress_context__,
        "inside": [picture(item, endings, depth + 1) for item in getattr(error, "exceptions", ())],
    }


# -------------------------------------------------------------------------------- another Python
class Request(NamedTuple):
    """The request to another Python: the files of a program, and the module with its functions."""

    files: Mapping[str, str]
    module: str
    pattern: str
    eager: bool


def _answer(request: Request) -> dict[str, dict[str, Run]]:
    with tempfile.TemporaryDirectory(prefix="awaken-case-") as directory:
        for path, text in request.files.items():
            target = Path(directory, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        sys.path.insert(0, directory)
        module = importlib.import_module(request.module)
        return observe_all(module, request.pattern, eager=request.eager)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    json.dump(_answer(Request(**json.load(sys.stdin))), sys.stdout)
