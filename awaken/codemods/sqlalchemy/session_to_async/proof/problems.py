"""Problems that the changes of session-to-async cause, over all files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.find.operations_of_files import WORDS
from awaken.codemods.sqlalchemy.session_to_async.proof.before import Before
from awaken.codemods.sqlalchemy.session_to_async.proof.call_proof import Calls
from awaken.codemods.sqlalchemy.session_to_async.proof.double_proof import synchronous_doubles
from awaken.codemods.sqlalchemy.session_to_async.proof.function_groups import Together
from awaken.codemods.sqlalchemy.session_to_async.proof.misplaced_awaits import misplaced_awaits
from awaken.codemods.sqlalchemy.session_to_async.proof.operation_proof import (
    lost_operations,
    synchronous,
)
from awaken.contract import Change, Place, Problem
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_of_alembic

if TYPE_CHECKING:
    from awaken.project import Project

Wrong = tuple[Place, str]
"""A place, and the clause that says what is wrong there."""


def problems(before: Before, after: Project, changes: Sequence[Change]) -> Iterator[Problem]:
    """Yield what ``changes`` broke in ``after``, the program with them."""
    ids = tuple(change.id for change in changes)
    paths = {path for change in changes for path in change.paths if path.endswith(".py")}
    told: set[Place] = set()
    calls = Calls(after, before)
    together = Together(after, before, calls)
    result = (
        _in_files(after, paths),
        _newly_lost(before, after, paths),
        calls.wrong(paths),
        together.wrong(paths),
        synchronous_doubles(after, calls, paths),
    )
    wrong = [*chain.from_iterable(result)]
    earlier = before.project(after) if wrong else after
    for place, what in wrong:
        # A file that could not be imported before calls nothing.
        module = earlier.module(place.path)
        if place not in told and (module is None or not earlier.failing_import(module)):
            told.add(place)
            yield Problem(place, what, ids)


def _in_files(after: Project, paths: set[str]) -> Iterator[Wrong]:
    for module in after.modules_at(sorted(paths)):
        if not is_of_alembic(module):
            yield from misplaced_awaits(after, module)
            yield from synchronous(after, module)


def _newly_lost(before: Before, after: Project, paths: set[str]) -> Iterator[Wrong]:
    """Yield the operations that nothing awaits, without those that were lost before."""
    # A receiver of an asynchronous session need not have changed.
    for module in after.modules_at(sorted({*paths, *after.files_with(WORDS)})):
        result = list(lost_operations(after, module))
        if not result:
            continue
        earlier = before.project(after)
        source = earlier.module(module.path)
        known = Counter(
            () if source is None else _named_functions(source, lost_operations(earlier, source))
        )
        for name, wrong in zip(_named_functions(module, result), result, strict=True):
            known[name] -= 1
            if known[name] < 0:
                yield wrong


def _named_functions(module: Module, found: Iterable[Wrong]) -> Iterator[tuple[str, str]]:
    """Yield the function of each, and what is wrong there."""
    functions = list(module.functions)
    for place, what in found:
        around = [function for function in functions if module.span(function).contains(place.span)]
        yield module.qualname(around[-1]) if around else "", what
