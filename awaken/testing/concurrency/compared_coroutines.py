"""Compares the coroutines of a case on both sides: results, exceptions, tasks, side effects.

The rule's messages announce two differences: a failure cancels the siblings, and it arrives in an
``ExceptionGroup``.
"""

from __future__ import annotations

import importlib
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from awaken.testing.cases import MODULE, Case
from awaken.testing.concurrency.observed_runs import CANCELLED, Run, Stop, observe_all
from awaken.testing.execution import importable
from awaken.testing.running import CaseResult, require

__tracebackhide__ = True  # as in running

Runs = Mapping[str, Mapping[str, Run]]
"""What was seen, by the name of the function and of the run."""

Observe = Callable[[Case, Mapping[str, bytes], bool], Runs]
"""Runs the functions of one side, with tasks that are eager or not."""

_NAME = MODULE.removesuffix(".py")
_BEGINS = " begins"
_FAILURES = (" fails", CANCELLED)
_ENDS = (*_FAILURES, " is done")
_GROUPS = {"ExceptionGroup", "BaseExceptionGroup"}


def assert_same_concurrency(
    result: CaseResult, observe: Observe | None = None, *, eager: bool = False
) -> None:
    """Assert that the coroutines after the run do what those before did, in every run of them.

    ``cancels``, ``groups`` and ``differs`` of the case name those that must differ, and how.
    ``observe`` runs the functions of one side, in this process if it is not given. With ``eager``
    tasks begin when they are made, which Python can since 3.12.
    """
    case = result.case
    observe = observe or observe_here
    before = observe(case, case.before, eager)
    after = observe(case, result.files, eager)
    require(before, f"there is no coroutine function {case.settings.functions} to run")
    require(before.keys() == after.keys(), "the coroutine functions are not the same after the run")
    for name, old in before.items():
        _compare(case, name, old, after[name])


def observe_here(case: Case, files: Mapping[str, bytes], eager: bool) -> Runs:
    """Run the coroutine functions of one side in this process."""
    with warnings.catch_warnings(), importable(files, {}):
        warnings.simplefilter("ignore")
        return observe_all(importlib.import_module(_NAME), case.settings.functions, eager=eager)


def _compare(case: Case, name: str, before: Mapping[str, Run], after: Mapping[str, Run]) -> None:
    def matches_name(patterns: tuple[str, ...]) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns)

    settings = case.settings
    cancels, groups = matches_name(settings.cancels), matches_name(settings.groups)
    if not cancels:
        before, after = without_stops(before), without_stops(after)
    if before.keys() != after.keys():
        different = sorted(before.keys() ^ after.keys())
        require(matches_name(settings.differs), f"{name} has other steps: {different}")
        return
    equal = all(not any(_equal(old, after[run])) for run, old in before.items())
    if matches_name(settings.differs):
        require(not equal, f"{name} was said to differ, and does not")
        return
    result = differences(before, after, cancels=cancels, groups=groups)
    require(not result, f"{name} does not do the same:\n" + "\n".join(result))
    if cancels:
        require(not equal, f"{name} was said to cancel siblings, and does not")


def without_stops(runs: Mapping[str, Run]) -> dict[str, Run]:
    """Leave out the runs with a ``Stop``: *safe* says of an ``Exception`` that none is raised."""
    return {run: seen for run, seen in runs.items() if Stop.__name__ not in run}


def differences(
    before: Mapping[str, Run],
    after: Mapping[str, Run],
    *,
    cancels: bool = False,
    groups: bool = False,
) -> list[str]:
    """Return what is not the same in the runs of one function, one line for each.

    With ``cancels`` a failure may cancel tasks next to it, with ``groups`` in a group as well.
    """
    check = partial(_cancelled_differences, groups=groups) if cancels else _equal
    return [
        f"{run}: {difference}"
        for run, old in before.items()
        for difference in check(old, after[run])
    ]


def _equal(before: Run, after: Run) -> Iterator[str]:
    """Yield what is not the same of two runs."""
    # Cancelled, `gather` raises when the first task has ended, and a task group after the last.
    silent = not before.later and not after.later
    for what, old, new in zip(before._fields, before, after, strict=True):
        if old != new and not (what == "left" and silent):
            yield f"{what}: {old} became {new}"


def _cancelled_differences(before: Run, after: Run, *, groups: bool) -> Iterator[str]:
    """Yield the differences, except that a failure cancels tasks next to it, and waits.

    With ``groups`` the failure is the first in an exception group. Without, it may have been raised
    while the group was handled, which then is its context.
    """
    noted, now = _texts(before), _texts(after)
    failed = next((n for n, text in enumerate(noted) if text.endswith(_FAILURES)), None)
    if failed is None:
        yield from _equal(before, after)
        return
    outcome = _first_inside(after.outcome) if groups else after.outcome
    if _without_group(outcome) != before.outcome and outcome != before.outcome:
        yield f"outcome: {before.outcome} became {after.outcome}"
    if noted[: failed + 1] != now[: failed + 1]:
        yield f"until the failure: {noted} became {now}"
    if after.left or after.later:
        yield f"{after.left} tasks are left, and note {after.later}"
    for text in now:
        name = text.removesuffix(_BEGINS)
        if text.endswith(_BEGINS) and not any(f"{name}{end}" in now for end in _ENDS):
            yield f"{name} does not end: {now}"
    more = Counter(word for word in now if not word.endswith(CANCELLED)) - Counter(noted)
    if more:
        yield f"it does more than before: {sorted(more)}"


def _texts(run: Run) -> list[str]:
    return [text for _, text in (*run.notes, *run.later)]


def _without_group(outcome: Any) -> Any:
    """Return how it ended, without the group that the exception was taken from as its context."""
    how, what = outcome
    context = what["context"] if how == "raises" else None
    if context is None or context["type"] not in _GROUPS or context["inside"][0]["of"] is None:
        return outcome
    taken = context["inside"][0]
    # A context that the exception had before is gone; one that is its cause as well is known.
    return (how, {**what, "context": what["cause"]}) if taken["of"] == what["of"] else outcome


def _first_inside(outcome: Any) -> Any:
    """Return how it ended, with what failed first in place of its exception group."""
    how, what = outcome
    return (how, what["inside"][0]) if how == "raises" and what["type"] in _GROUPS else outcome
