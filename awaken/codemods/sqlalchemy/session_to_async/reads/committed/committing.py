"""Calls after which something is committed: commits, and calls of functions that commit.

A function that commits a session which it makes itself commits nothing of its callers.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.stale import needs_relationships
from awaken.contract import Place
from awaken.kit.search import nodes_with
from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Commit, Later
from awaken.project.frameworks.sqlalchemy.commits.reloads import LOADING
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.programs.alembic_files import is_in_revision
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function, arguments_of
from awaken.project.values.domain import functions_in

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.committed.written_rows import Writes
    from awaken.codemods.sqlalchemy.session_to_async.reads.loaded_relationships import Loading
    from awaken.project import Project

_PARTIAL = "functools.partial"
_MAKING = {"class", "factory"}
"""What gives a new session each time."""


def seen_behind_commits(project: Project) -> tuple[Later, ...]:
    """Return the loads after commits, in the functions that lead to one.

    And what functions load that these call then. Nothing where no commit expires what is loaded.
    """
    if project.orm.reads.expiry.never_by_commit():
        return ()
    commits = _committing_calls(project)
    own = _functions_of_own_sessions(project)
    if own is not None:
        # No other function is given a session that expires.
        commits = [
            commit
            for commit in commits
            if (located := _located(project, commit.place)) and located[2] in own
        ]
        seen = project.orm.commits.seen_in_functions(commits)
        return tuple(event for event in seen if event.kind != "call")
    seen = project.orm.commits.seen_in_functions(commits)
    below = loads_below(project, _called_after(project, seen))
    return tuple(dict.fromkeys([*(x for x in seen if x.kind != "call"), *below]))


def loads_after_writes(project: Project, loading: Loading, writes: Writes) -> Iterator[Later]:
    """Yield the loads of objects with relationships that a write before them may change.

    These are in the function that writes, and in what it calls then.
    """
    changes = {
        key: [
            place
            for place in writes.places()
            if writes.changes(place, *key) and not is_read_before(project, place, key[1])
        ]
        for key in sorted(loading.keys(declared=False))
    }
    places = sorted({place for places in changes.values() for place in places})
    loads = loading.loading_of(key for key, places in changes.items() if places)
    seen = project.orm.commits.seen_in_functions([Commit(x, is_async=False) for x in places])
    below = loads_below(project, _called_after(project, seen))
    for load in (*(event for event in seen if event.kind == "load"), *below):
        for module, call in project.calls_at(load.place)[:1]:
            if needs_relationships(project, module, call, loads):
                yield load


def is_read_before(project: Project, write: Place, name: str) -> bool:
    """Whether a relationship is read before a write in its function: that value stays."""
    for module in project.modules_at([write.path]):
        node = next(module.nodes_at({write.span}))
        function = function_around(module, node)
        if isinstance(function, Function):
            start = module.span(function).start
            return any(
                start < module.span(item).start < write.span.start for item in module.mentions(name)
            ) or are_read(project, called_around(project, module, function, before=node), name)
    return False


def _functions_of_own_sessions(project: Project) -> set[Function] | None:
    """Return the functions that make all sessions that expire, and hand none of them on.

    None where such a session may be that of any function.
    """
    expiring = project.orm.reads.expiry.expiring()
    calls = {call for _, call in expiring or ()}
    result: set[Function] = set()
    for module, call in expiring or ():
        function = function_around(module, call)
        if function is None or not _is_kept_apart(project, module, call, calls):
            return None
        result.add(function)
    return None if expiring is None else result


def _is_kept_apart(
    project: Project, module: Module, call: ast.Call, expiring: Collection[ast.Call]
) -> bool:
    """Whether a session that ``call`` makes is one variable, of which methods alone are called."""
    made = project.orm.made_session(module, call)
    if made is None or made.source != "class":
        return False
    name = module.variable_of(call)
    return (
        name is not None
        and all(binding.value in expiring for binding in module.scopes.bindings_of(name))
        and all(module.method_call_on(node) for node in module.scopes.reads_of(name))
    )


def _located(project: Project, place: Place) -> tuple[Module, ast.AST, Function] | None:
    """Return the call, or the block, at a place, with its file and the function around it."""
    for module in project.modules_at([place.path]):
        nodes = module.nodes_at({place.span})
        node = next((node for node in nodes if isinstance(node, ast.Call | ast.With)), None)
        function = None if node is None else function_around(module, node)
        if node is not None and function is not None:
            return module, node, function
    return None


def loads_below(project: Project, functions: Collection[FunctionPlace]) -> Iterator[Later]:
    """Yield the loads in ``functions``, and in what they call, by sessions of their callers."""
    graph = project.calls.graph()
    reached = set(graph.reachable(functions))
    modules = project.modules_at(sorted({item.path for item in reached}))
    for module, node in nodes_in(modules, ast.Call):
        if _loads(project, module, node) and graph.place_around(module, node) in reached:
            place = module.place(node)
            yield Later("load", place, module.excerpt(node), place)


def are_read(project: Project, functions: Iterable[FunctionPlace], *names: str) -> bool:
    """Whether a function, or one that it calls, reads an attribute of one of these names."""
    called = [*functions]
    return any(not project.calls.reading(name).isdisjoint(called) for name in names)


def called_around(
    project: Project,
    module: Module,
    function: Function,
    *,
    before: ast.AST | None = None,
    after: ast.AST | None = None,
) -> list[FunctionPlace]:
    """Return the functions that ``function`` calls, before or after a node of it."""
    graph = project.calls.graph()
    calls = graph.callees(graph.place_of(module, function))
    if before is not None:
        start = module.span(before).start
        calls = [call for call in calls if call.place.span.end <= start]
    if after is not None:
        end = module.span(after).end
        calls = [call for call in calls if call.place.span.start > end]
    return [each for call in calls for each in call.functions]


def _called_after(project: Project, seen: Collection[Later]) -> set[FunctionPlace]:
    """Return the functions that are called after commits.

    A test that commits what it needs says nothing of the functions that it calls.
    """
    graph, functions = project.calls.graph(), set[FunctionPlace]()
    unknown = set[FunctionPlace]()
    called = dict.fromkeys(event.place for event in seen if event.kind == "call")
    for place in called:
        for module, call in () if is_test_file(place.path) else project.calls_at(place)[:1]:
            own = graph.place_around(module, call)
            for each in graph.calls_at(own, place.span):
                functions.update(each.functions)
                if not each.functions:
                    unknown.add(own)
    for path in sorted({item.path for item in unknown}):
        functions.update(_in_partials(project, path))
    return functions.union(*(_in_lambdas(project, item) for item in unknown))


def _in_lambdas(project: Project, function: FunctionPlace) -> Iterator[FunctionPlace]:
    """Yield what the lambdas of a function call."""
    graph = project.calls.graph()
    for call in graph.callees(function):
        if graph.lambda_around(call) is not None:
            yield from call.functions


def _in_partials(project: Project, path: str) -> Iterator[FunctionPlace]:
    """Yield the functions that objects of `functools.partial` of a file call."""
    for module, node in nodes_in(project.modules_at([path]), ast.Call):
        if node.args and project.qualified_name(module, node.func) == _PARTIAL:
            for pair in functions_in(project.values.of(module, node.args[0]).alternatives):
                yield project.calls.graph().place_of(*pair)


def _loads(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether a session that the callers of a function may have given it loads objects."""
    match call.func:
        case ast.Attribute(value=owner, attr=method) if method in LOADING:
            pass
        case _:
            return False
    return (
        project.orm.resource_of(module, owner) in BLOCKING_SESSIONS
        and project.orm.commits.reloads.reload_by(module, call) is not None
        and is_of_callers(project, module, call)
    )


def _committing_calls(project: Project) -> list[Commit]:
    """Return the synchronous commits of a program, and the calls that lead to one.

    None of a revision of Alembic: it keeps its session, which loads again what a commit expires.
    """
    graph = project.calls.graph()
    commits = (commit for commit in project.orm.commits.all() if not commit.is_async)
    result = {item.place: item for item in commits if not is_in_revision(project, item.place)}
    seen, waiting = set[FunctionPlace](), sorted(result)
    while waiting:
        reached: set[FunctionPlace] = set()
        # Those of one file one after the other: its tree is kept that long.
        for place in waiting:
            function = _committed_for_callers(project, place)
            if function is not None and function not in seen:
                reached.add(function)
        seen |= reached
        called = {call.place for function in reached for call in graph.callers(function)}
        entered = {place for function in reached for place in entering(project, function)}
        further = (called | entered) - set(result)
        waiting = sorted(item for item in further if not is_in_revision(project, item))
        result |= {place: Commit(place, is_async=False) for place in waiting}
    return [result[place] for place in sorted(result)]


def entering(project: Project, function: FunctionPlace) -> Iterator[Place]:
    """Yield the calls that make what a block is entered with, if ``function`` runs at its end."""
    owner, _, name = function.qualname.rpartition(".")
    word = owner.rpartition(".")[2]
    words = (word.encode(),) if name == "__exit__" else ()
    for module, node in nodes_with(project, words, ast.With):
        for item in node.items:
            call = item.context_expr
            made = project.qualified_name(module, call.func) if isinstance(call, ast.Call) else None
            pair = None if made is None else project.class_definition(made)
            if pair is not None and pair[0].path == function.path:
                span = pair[0].span(pair[1])
                if span.start <= function.start < span.end:
                    yield module.place(call)


def _committed_for_callers(project: Project, place: Place) -> FunctionPlace | None:
    """Return the function around a commit, if its callers gave it the session.

    None where the function makes the session itself, and for what no function has.
    """
    located = _located(project, place)
    if located is None or not is_of_callers(project, *located[:2]):
        return None
    return project.calls.graph().place_around(*located[:2])


def is_of_callers(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether a call, or a block, may do something to a session that its function did not make."""
    return not any(_is_made(project, module, session) for session in _sessions(module, node))


def _sessions(module: Module, node: ast.AST) -> Iterator[ast.expr]:
    """Yield what gives the sessions that a call, or a block, may commit."""
    if isinstance(node, ast.With):
        for item in node.items:
            match item.context_expr:
                case ast.Call(func=ast.Attribute(value=owner)) as call:
                    yield from (call, owner)
        return
    arguments = arguments_of(node) if isinstance(node, ast.Call) else []
    called = node.func if isinstance(node, ast.Call) else None
    for part in (*arguments, called.value if isinstance(called, ast.Attribute) else called):
        for binding in module.scopes.bindings_of(part):
            if binding.scope.kind == "function" and binding.value is not None:
                yield binding.value


def _is_made(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether an expression makes a session, or is what makes some."""
    if isinstance(node, ast.Call):
        made = project.orm.made_session(module, node)
        if made is not None and made.source in _MAKING:
            return True
    return project.orm.resource_of(module, node) == "factory"
