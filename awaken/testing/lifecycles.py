"""Starts and stops the application of a case on both sides, and compares all that ran.

The program of such a case calls ``note(...)`` of the shared program ``record``, which remembers
each note and can fail at a chosen one. FastAPI is imported here, and only on use.
"""

from __future__ import annotations

import asyncio
import importlib
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from awaken.testing.cases import Case
from awaken.testing.execution import importable
from awaken.testing.running import CaseResult, require

__tracebackhide__ = True  # as in running

Run = Callable[[Any], object]
"""Does something with an application and returns what it came to."""

_RECORD = "record"


def assert_same_lifecycle(result: CaseResult) -> None:
    """Assert that the application after the run starts and stops like the one before.

    It must not, where ``differs`` of the case names ``application``.
    """
    before = observe(result.case, result.case.before)
    after = observe(result.case, result.files)
    found = [
        f"{name}: before {old}, after {after.get(name)}"
        for name, old in before.items()
        if after.get(name) != old
    ]
    if "application" in result.case.settings.differs:
        require(found, "the application was said to differ, and does not")
    else:
        require(not found, "the application does not do the same:\n" + "\n".join(found))


def observe(case: Case, files: Mapping[str, bytes]) -> dict[str, object]:
    """Return what the application of one side of ``case`` does, by the name of each run.

    It is imported afresh for each: to serve requests, to be called without being started, to be
    cancelled while it serves, and once for every note at which it can fail.
    """
    seen = {name: _observe(case, files, run) for name, run in _RUNS.items()}
    result: dict[str, object] = {**seen}
    # Only notes that some run came to, each once: a failure elsewhere would show nothing.
    for note in dict.fromkeys(item for _, notes in seen.values() for item in notes):
        for name, run in _FAILING.items():
            result[f"{name} failing at {note}"] = _observe(case, files, run, note)
    return result


def _observe(
    case: Case, files: Mapping[str, bytes], run: Run, failing: object = None
) -> tuple[object, tuple[object, ...]]:
    with warnings.catch_warnings(), importable(files, {}):
        warnings.simplefilter("ignore")
        record: Any = importlib.import_module(_RECORD)
        # Inside, for a program may fail as early as it is imported.
        module, _, name = (case.settings.application or "").partition(":")
        outcome: object
        try:
            application = getattr(importlib.import_module(module), name)
            record.FAILING = failing
            outcome = run(application)
        except Exception as error:  # noqa: BLE001  whatever it raises is the observation
            outcome = _picture(error)
        return outcome, tuple(record.NOTES)


def _picture(error: BaseException) -> object:
    inner = getattr(error, "exceptions", None)
    if inner:
        return tuple(_picture(item) for item in inner)
    return type(error).__name__, str(error)


# ------------------------------------------------------------------------------------------- runs
def _served_value(application: Any) -> object:
    from starlette.testclient import TestClient  # noqa: PLC0415

    with TestClient(application) as client:
        return _responses(application, client)


def _not_started(application: Any) -> object:
    from starlette.testclient import TestClient  # noqa: PLC0415

    # Without `with` the client runs no lifespan.
    return _responses(application, TestClient(application, raise_server_exceptions=False))


def _interrupted_value(application: Any) -> object:
    from starlette.testclient import TestClient  # noqa: PLC0415

    with TestClient(application):
        raise RuntimeError("while it serves")


def _managed_value(application: Any) -> object:
    from asgi_lifespan import LifespanManager  # noqa: PLC0415

    async def live() -> str:
        async with LifespanManager(application):
            return "lived"

    return asyncio.run(live())


def _cancelled_value(application: Any) -> object:
    async def live() -> None:
        # A cancellation must reach the `yield` itself, which no client lets it do.
        async with application.router.lifespan_context(application):
            raise asyncio.CancelledError

    try:
        asyncio.run(live())
    except asyncio.CancelledError:
        return "cancelled"
    return "lived"


def _described_value(application: Any) -> object:
    openapi = getattr(application, "openapi", None)
    return None if openapi is None else openapi()


def _responses(application: Any, client: Any) -> object:
    described = _described_value(application)
    paths = described["paths"] if isinstance(described, dict) else ("/",)
    result = [(path, client.get(path)) for path in paths if "{" not in path]
    return tuple((path, answer.status_code, answer.text) for path, answer in result)


_RUNS: Mapping[str, Run] = {
    "served": _served_value,
    "not started": _not_started,
    "interrupted": _interrupted_value,
    "managed": _managed_value,
    "cancelled": _cancelled_value,
    "described": _described_value,
}
_FAILING: Mapping[str, Run] = {"managed": _managed_value, "cancelled": _cancelled_value}
