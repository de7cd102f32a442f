"""The proof: after the change, all that waits is awaited, and nothing waits synchronously."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.operations_of_files import WORDS
from awaken.contract import Change, ChangeId, Place, Problem
from awaken.knowledge.asynchronous import twins
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.migrations import is_environment, is_revision
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project

_LOST = {"called", "dropped", "tested", "unread", "used"}
"""What becomes of a coroutine that nobody awaits."""

_RUN = {"awaited", "run"}


def problems(after: Project, changes: Sequence[Change]) -> Iterator[Problem]:
    """Yield what ``changes`` broke in ``after``, the program with them."""
    ids = tuple(change.id for change in changes)
    paths = {path for change in changes for path in change.paths if path.endswith(".py")}
    asynchronous = _Asynchronous(after)
    for path in sorted(paths):
        module = after.module(path)
        if module is not None and not is_revision(module) and not is_environment(module):
            yield from _synchronous(after, module, ids)
    # Who is handed an asynchronous session need not have changed.
    for path in after.files_with(WORDS):
        module = after.module(path)
        if module is not None:
            yield from _lost_operations(after, module, ids)
    for call in after.calls.graph().calls():
        if call.place.path in paths or any(one.path in paths for one in call.functions):
            yield from _unawaited(after, asynchronous, call, ids)


def _synchronous(
    after: Project, module: Module, changes: tuple[ChangeId, ...]
) -> Iterator[Problem]:
    """Yield the synchronous operations of a file that are awaited."""
    for operation in after.orm.operations(module):
        above = module.parent(operation.node)
        is_awaited = isinstance(above, ast.Await) or isinstance(
            None if above is None else module.parent(above), ast.AsyncWith
        )
        if operation.how != "unknown" and is_awaited:
            what = f"`{module.excerpt(operation.node)}` is awaited, and still synchronous"
            yield Problem(module.place(operation.node), what, changes)
    for call in after.object_factories.calls(module):
        what = f"`{module.excerpt(call)}` makes an object where it may not wait"
        yield Problem(module.place(call), what, changes)


def _lost_operations(
    after: Project, module: Module, changes: tuple[ChangeId, ...]
) -> Iterator[Problem]:
    """Yield the operations of asynchronous sessions that nothing awaits."""
    awaited = {one for methods in twins().awaited.values() for one in methods}
    for node in module.walk():
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr not in awaited or isinstance(module.parent(node), ast.Await):
            continue
        session = after.orm.session_of(module, node.func.value)
        is_asynchronous = isinstance(session, SessionProof) and session.kind.startswith("async")
        if is_asynchronous and not {one.kind for one in after.effects.fates(module, node)} & _RUN:
            what = f"`{module.excerpt(node)}` is an operation that nothing awaits"
            yield Problem(module.place(node), what, changes)


class _Asynchronous:
    """Which functions of a program give coroutines, and which asynchronous generators."""

    def __init__(self, after: Project) -> None:
        self._after = after
        self._kinds: dict[str, dict[int, str]] = {}

    def kind(self, function: FunctionPlace) -> str:
        """Return ``coroutine``, ``generator``, or nothing for a plain function."""
        if function.path not in self._kinds:
            self._kinds[function.path] = dict(self._of_file(function.path))
        return self._kinds[function.path].get(function.start, "")

    def _of_file(self, path: str) -> Iterator[tuple[int, str]]:
        module = self._after.module(path)
        for node in module.walk() if module is not None else ():
            if module is not None and isinstance(node, ast.AsyncFunctionDef):
                kind = "generator" if module.is_generator(node) else "coroutine"
                yield module.span(node).start, kind


def _unawaited(
    after: Project, asynchronous: _Asynchronous, call: Call, changes: tuple[ChangeId, ...]
) -> Iterator[Problem]:
    kinds = {asynchronous.kind(one) for one in call.functions}
    module = after.module(call.place.path)
    nodes = [] if module is None else module.calls_at(call.place.span)
    if module is None or not nodes or kinds in ({""}, set()):
        is_awaited = module is not None and bool(nodes) and _is_awaited(module, nodes[0])
        if is_awaited and kinds == {""} and call.kind == "one" and module is not None:
            yield from _plain(after, module, nodes[0], call.place, changes)
        return
    above = module.parent(nodes[0])
    if kinds == {"coroutine"} and not isinstance(above, ast.Await):
        fates = {one.kind for one in after.effects.fates(module, nodes[0])}
        is_value = isinstance(above, ast.Dict | ast.DictComp) and not fates & _RUN
        if fates & _LOST or is_value:
            what = f"`{module.excerpt(nodes[0])}` gives a coroutine that nothing awaits"
            yield Problem(call.place, what, changes)
    if kinds == {"generator"} and isinstance(above, ast.For | ast.Await | ast.YieldFrom):
        what = f"`{module.excerpt(nodes[0])}` gives an asynchronous generator"
        yield Problem(call.place, what, changes)


def _is_awaited(module: Module, call: ast.Call) -> bool:
    return isinstance(module.parent(call), ast.Await)


def _plain(
    after: Project, module: Module, call: ast.Call, place: Place, changes: tuple[ChangeId, ...]
) -> Iterator[Problem]:
    """Yield the problem of an ``await`` of what is proved to be nothing that can be awaited."""
    if after.effects.awaitable(module, call) is None:
        what = f"`{module.excerpt(call)}` is awaited, and gives nothing that can be"
        yield Problem(place, what, changes)
