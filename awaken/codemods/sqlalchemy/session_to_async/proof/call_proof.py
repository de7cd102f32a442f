"""Calls of the program's own functions: their results are awaited, iterated or entered.

Results of the program's own functions: coroutines, generators, managers.

Operations of the database: none that is awaited is synchronous, and none is lost.

Before the change, a test may pass a coroutine to a mock that gives it to the program, and a program
may forget one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import cache, partial
from itertools import chain
from typing import TYPE_CHECKING, Literal, NamedTuple

from awaken.contract import Place
from awaken.kit.names_here import value_behind
from awaken.knowledge.asynchronous import Resource, session_classes, twins
from awaken.knowledge.library_names import library_names, name_list, name_table
from awaken.project.effects.own_nodes import own_nodes
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.names.functions.decorators import TRANSPARENT
from awaken.project.source.expressions.alternatives import branches
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, children, last_name
from awaken.project.values.domain import InstanceOf, Producer, Session, Value
from awaken.workspace.parsing import Unparsable, parse_text
from awaken.workspace.sources import Snapshot

if TYPE_CHECKING:
    from awaken.project import Project

RUN = {"awaited", "run"}
"""What becomes of a coroutine that runs."""

_CLASSES: dict[str, Resource] = name_table("asynchronous_resources")
_SPAWN = "sqlalchemy.util.greenlet_spawn"
_THREAD = "asyncio.to_thread"
_OWN = {"remove", "run_sync", "stream", "stream_scalars"}
"""Coroutine functions that the asynchronous side alone has, ``remove`` of a registry."""
_ENTERED = name_list("entered_asynchronously")
_COROUTINES = {"aclose", "enter_async_context"}  # of whatever object
_NOT_AWAITED = "is an operation that nothing awaits"
_NOT_ENTERED = "is not entered asynchronously"
_MANAGERS = library_names().manager_makers
Kind = Literal["coroutine", "generator", "manager", "plain", "plain generator", "plain manager"]
ASYNCHRONOUS: frozenset[Kind] = frozenset({"coroutine", "generator", "manager"})
"""What has to be awaited, or iterated or entered asynchronously."""
_AWAITABLE = ("Awaitable", "Coroutine", "Future", "Task")
_ANY = "Any"
_LOST = {"called", "dropped", "tested", "unread", "used"}
"""What becomes of a coroutine that nobody awaits."""
_TAKING = {"aiter", "anext"}
"""Builtins that take asynchronous generators."""


def synchronous(after: Project, module: Module) -> Iterator[tuple[Place, str]]:
    """Yield the synchronous operations of a file that are awaited."""
    # Of the program after it hardly anything but this is synchronous: the rest is not asked for.
    for operation in after.orm.operations.in_module(module, partial(_is_awaited, module)):
        if operation.how != "unknown":
            what = f"`{module.excerpt(operation.node)}` is awaited, but still synchronous"
            yield module.place(operation.node), what
    for call in after.object_factories.calls(module):
        what = f"`{module.excerpt(call)}` makes an object where the code cannot await"
        yield module.place(call), what


def _is_awaited(module: Module, node: ast.AST) -> bool:
    above = module.parent(node)
    return isinstance(above, ast.Await) or isinstance(module.parent(above), ast.AsyncWith)


def lost_operations(after: Project, module: Module) -> Iterator[tuple[Place, str]]:
    """Yield the operations of asynchronous sessions, engines and clients that nothing awaits."""
    for node in module.nodes_of(ast.Call, ast.Attribute, ast.For, ast.comprehension, ast.withitem):
        match node:
            case ast.Call() if not isinstance(module.parent(node), ast.Await):
                what = _lost_text(after, module, node)
                if what:
                    yield module.place(node), f"`{module.excerpt(node)}` {what}"
            # The receiver may await a passed value.
            case ast.Attribute(value=ast.Attribute(attr="awaitable_attrs")) if not isinstance(
                module.parent(node), ast.Await | ast.Call | ast.Starred
            ):
                yield module.place(node), f"`{module.excerpt(node)}` {_NOT_AWAITED}"
            case ast.For(iter=given) | ast.comprehension(iter=given, is_async=0):
                if _is_streamed(after, module, given):
                    what = f"`{module.excerpt(given)}` is not iterated asynchronously"
                    yield module.place(given), what
            case ast.withitem(context_expr=ast.Call(func=given)) if (
                isinstance(module.parent(node), ast.AsyncWith)
                and after.qualified_name(module, given) == "contextlib.ExitStack"
            ):
                yield module.place(given), f"`{module.excerpt(given)}` is not asynchronous"
            case ast.withitem(context_expr=given) if isinstance(module.parent(node), ast.With):
                if any(_is_entered(after, module, branch) for branch in branches(given)):
                    yield module.place(given), f"`{module.excerpt(given)}` {_NOT_ENTERED}"


def _is_entered(after: Project, module: Module, node: ast.expr) -> bool:
    """Whether only ``async with`` enters an object."""
    kind = _resource(after, module, node)
    if kind in {"client", "connection", "session", "transaction"}:
        return True
    made = after.qualified_name(module, node.func) if isinstance(node, ast.Call) else None
    return made in _ENTERED or not _ENTERED.isdisjoint(after.instance_of(module, node))


def _is_streamed(after: Project, module: Module, given: ast.expr) -> bool:
    """Whether ``given`` awaits a result that comes row by row."""
    match given:
        case ast.Await(value=ast.Call(func=ast.Attribute(value=receiver, attr=method))):
            is_stream = method in {"stream", "stream_scalars"}
            return is_stream and _resource(after, module, receiver) is not None
        # Methods of such a result give another one: `.unique()`, `.tuples()`.
        case ast.Call(func=ast.Attribute(value=inner)):
            return _is_streamed(after, module, inner)
    return False


def _lost_text(after: Project, module: Module, node: ast.Call) -> str:
    """Return what is wrong with a call that is not awaited; or nothing."""
    name = last_name(node.func)
    if any(word.endswith(f".{name}") for word in _written_coroutines()):
        is_written = after.qualified_name(module, node.func) in _written_coroutines()
        return _NOT_AWAITED if is_written and _is_unread(after, module, node) else ""
    called = value_behind(module, node.func)
    if isinstance(called, ast.Attribute) and called.attr in _COROUTINES:
        return _NOT_AWAITED if _is_unread(after, module, node) else ""
    if not isinstance(called, ast.Attribute) or called.attr not in _methods():
        return ""
    owner = called.value
    if node.args and after.qualified_name(module, owner) in _session_classes():
        owner = node.args[0]  # `AsyncSession.commit(db)`
    name, kind = called.attr, _resource(after, module, owner)
    if kind is None:
        return ""
    if kind == "client":
        waits = name in twins().clients.awaited
    else:
        waits = name in _OWN or name in twins().awaited.get(kind, ())
    if waits:
        return _NOT_AWAITED if _is_unread(after, module, node) else ""
    is_entered = name in twins().entered.get(kind, ())
    return _NOT_ENTERED if is_entered and not _may_be_entered(module, node) else ""


def _is_unread(after: Project, module: Module, node: ast.Call) -> bool:
    return not {fate.kind for fate in after.effects.fates(module, node)} & RUN


@cache
def _methods() -> frozenset[str]:
    """Return the names of all methods of the asynchronous side that have to be awaited."""
    known = twins()
    tables = (*known.awaited.values(), *known.entered.values(), known.clients.awaited)
    return frozenset(chain(*tables, _OWN))


@cache
def _session_classes() -> frozenset[str]:
    """Return the names of the classes of asynchronous sessions."""
    return frozenset(twins().names[name] for name in session_classes())


@cache
def _written_coroutines() -> frozenset[str]:
    """Return the coroutine functions of libraries that the rule writes."""
    return frozenset({*twins().functions.values(), _SPAWN, _THREAD, "builtins.anext"})


def _may_be_entered(module: Module, node: ast.expr) -> bool:
    """Whether something may enter what ``node`` gives asynchronously, or awaits it."""
    above = module.parent(node)
    match above:
        case ast.Assign(targets=[ast.Name() as name]):
            reads = module.scopes.reads_of(name)
            return any(isinstance(module.parent(part), ast.Await | ast.withitem) for part in reads)
        case ast.withitem():
            return isinstance(module.parent(above), ast.AsyncWith)
        case ast.Expr():
            return False
        case ast.Call():
            return last_name(above.func) != "enter_context"
    return True


def _resource(after: Project, module: Module, node: ast.expr) -> Resource | None:
    """Return which asynchronous resource an expression is."""
    session = after.orm.session_of(module, node)
    if isinstance(session, SessionProof):
        return "session" if session.kind.startswith("async") else None
    values = after.values.of(module, node)
    kinds = {_of_value(alternative) for alternative in values.alternatives}
    return kinds.pop() if len(kinds) == 1 and values.is_known else None


def _of_value(value: Value) -> Resource | None:
    match value:
        case InstanceOf():
            return _CLASSES.get(value.qualified)
        case Session(kind=kind) if kind.startswith("async"):
            return "session"
        case Producer(how="factory", inner=(Session(kind=kind),)) if kind.startswith("async"):
            return "factory"
    return None


class Kinds:
    """Answers for one program."""

    def __init__(self, after: Project) -> None:
        self._after = after

    def kind_of(self, function: FunctionPlace) -> Kind:
        """Return what a call of ``function`` gives."""
        return self._kinds(function.path).get(function.start, "plain")

    @cached_method
    def _kinds(self, path: str) -> dict[int, Kind]:
        module = self._after.module(path)
        return {} if module is None else dict(self._of_file(module))

    def promises(self, function: FunctionPlace) -> bool:
        """Whether a plain function says, or shows, that it returns something to await.

        Of one that may return anything each result counts of which it is not known what it is.
        """
        home = self._after.calls.definition_of(function)
        if home is None:
            return False
        module, node = home
        declared = "" if node.returns is None else module.text_of(node.returns)
        if any(word in declared for word in _AWAITABLE):
            return True
        if declared and _ANY not in declared:
            return False
        returned = [part.value for part in own_nodes(node.body) if isinstance(part, ast.Return)]
        result = [self._after.effects.awaitable(module, one) for one in returned if one is not None]
        return any(one is not None and (bool(declared) or isinstance(one, str)) for one in result)

    def is_wrapped(self, function: FunctionPlace) -> bool:
        """Whether a decorator may give something else than ``function`` does."""
        names = {
            self._after.qualified_name(module, decorator)
            for module, node in self._after.calls.definitions_of([function])
            for decorator in node.decorator_list
        }
        return not names <= TRANSPARENT

    def _of_file(self, module: Module) -> Iterator[tuple[int, Kind]]:
        for node in module.functions:
            yield module.span(node).start, self._of_function(module, node)

    def _of_function(self, module: Module, node: Function) -> Kind:
        waits = isinstance(node, ast.AsyncFunctionDef)
        if any(self._after.qualified_name(module, one) in _MANAGERS for one in node.decorator_list):
            return "manager" if waits else "plain manager"
        if module.is_generator(node):
            return "generator" if waits else "plain generator"
        return "coroutine" if waits else "plain"


class Calls:
    """The calls of one program."""

    def __init__(self, after: Project, before: Before) -> None:
        self._after = after
        self._before = before
        self.kinds = Kinds(after)

    def wrong(self, paths: AbstractSet[str]) -> Iterator[tuple[Place, str]]:
        """Yield what is wrong with calls in the files ``paths``, and of functions in them."""
        for home, called, call in self._of_changed(paths):
            for what in self._names_of(home, called, call):
                yield call.place, what
        for module in self._after.modules_at(sorted(paths)):
            for node in module.nodes_of(ast.With, ast.AsyncWith):
                yield from self._entered_classes(module, node)

    def _of_changed(self, paths: AbstractSet[str]) -> Iterator[tuple[Module, ast.Call, Call]]:
        """Yield the calls in the files ``paths``, and those of functions in them.

        Only calls that may reach a function that waits, or are awaited, ask what callers pass.
        """
        graph = self._after.calls.graph()
        waiting = [item for item in graph.functions() if self.kinds.kind_of(item) in ASYNCHRONOUS]
        names = {item.name for item in waiting}
        for function in graph.calls():
            call = graph.resolved_by_callers(function) if function.name in names else function
            if call.place.path in paths or any(item.path in paths for item in call.functions):
                for module, node in self._after.calls_at(call.place)[:1]:
                    is_awaited = isinstance(module.parent(node), ast.Await)
                    yield module, node, graph.resolved_by_callers(call) if is_awaited else call

    def _names_of(self, module: Module, node: ast.Call, call: Call) -> Iterator[str]:
        """Yield what is wrong with a call: any function may run that it may reach."""
        kinds = {function: self.kinds.kind_of(function) for function in call.functions}
        shown = f"`{module.excerpt(node)}`"
        waiting = [function for function, kind in kinds.items() if kind in ASYNCHRONOUS]
        result, wrong = set(kinds.values()), list[str]()
        if "coroutine" in result and not self.is_run(module, node):
            wrong.append(f"nothing awaits the coroutine that {shown} returns")
        if "generator" in result and not self._is_iterated(module, node):
            wrong.append(f"{shown} returns an asynchronous generator")
        if "manager" in result and not self._is_entered(module, node):
            wrong.append(f"{shown} returns an asynchronous context manager")
        # The file before the change is parsed only where that decides.
        if wrong and not self._before.is_same(module, node, waiting):
            yield from wrong
        is_wrong = call.kind != "class" and any(
            kind not in ASYNCHRONOUS and self._is_taken_for_another(module, node, call, one)
            for one, kind in kinds.items()
        )
        if is_wrong and not self._before.was_awaited(module, node):
            yield f"{shown} is awaited, but does not return an awaitable"

    # ------------------------------------------------------------------------------------ calls
    def is_run(self, module: Module, node: ast.Call) -> bool:
        """Whether the coroutine that ``node`` gives is awaited, or run by something else."""
        above = module.parent(node)
        # The callers of a lambda are found with its receiver.
        if isinstance(above, ast.Await | ast.Lambda):
            return True
        result = self._after.effects.fates(module, node)
        fates = {fate.kind for fate in result}
        around = module.enclosing_function(node)
        # Callers have to await the result of a plain function.
        passed = {fate.kind for fate in result if not fate.chain} & {"returned", "yielded"}
        is_passed = bool(passed) and not isinstance(around, ast.AsyncFunctionDef)
        return (bool(fates & (RUN | {"closed"})) or is_passed) and not fates & _LOST

    def _is_iterated(self, module: Module, node: ast.expr) -> bool:
        match module.parent(node):
            case ast.Call(func=func) as taking if func is not node:
                name = module.scopes.builtin_called(taking)
                return not name or name in _TAKING
            case ast.comprehension(is_async=is_asynchronous):
                return bool(is_asynchronous)
            case ast.NamedExpr() as named:
                return self._is_iterated(module, named)
            case ast.Assign(targets=[ast.Name()]) | ast.AnnAssign():
                return True
            case ast.Attribute(attr=name):
                return name.startswith(("a", "__a"))
            case ast.AsyncFor() | ast.keyword() | ast.Lambda() | ast.Return():
                return True
        return False

    def _is_entered(self, module: Module, node: ast.Call) -> bool:
        above = module.parent(node)
        match above:
            case ast.withitem():
                return isinstance(module.parent(above), ast.AsyncWith)
            case ast.Call():
                return last_name(above.func) != "enter_context"
            case ast.Attribute(attr=name):
                return name.startswith("__a")
            case ast.Await() | ast.For() | ast.Expr():
                return False
        return True

    def _is_taken_for_another(
        self, module: Module, node: ast.Call, call: Call, function: FunctionPlace
    ) -> bool:
        kind, above = self.kinds.kind_of(function), module.parent(node)
        match above:
            case ast.Await():
                if call.kind == "one" and self._after.effects.awaitable(module, node) is None:
                    return True
                return not self.kinds.is_wrapped(function) and not self.kinds.promises(function)
            case ast.AsyncFor(iter=iterated) | ast.comprehension(is_async=1, iter=iterated):
                return kind == "plain generator" and iterated is node
            case ast.withitem():
                is_waiting = isinstance(module.parent(above), ast.AsyncWith)
                return kind == "plain manager" and is_waiting
            case ast.Call():
                is_waiting = last_name(above.func) in {"anext", "enter_async_context"}
                return kind != "plain" and is_waiting
        return False

    # ---------------------------------------------------------------------------------- managers
    def _entered_classes(
        self, module: Module, node: ast.With | ast.AsyncWith
    ) -> Iterator[tuple[Place, str]]:
        """Yield the classes of the program that are entered in the way of another kind."""
        ways = ("__enter__", "__aenter__")
        wanted, other = ways if isinstance(node, ast.With) else ways[::-1]
        kin = self._after.calls.override_sets()
        for item in node.items:
            for one in self._after.values.of(module, item.context_expr).alternatives:
                if not isinstance(one, InstanceOf) or not self._after.class_facts(one.qualified):
                    continue
                if kin.methods(one.qualified, other) and not kin.methods(one.qualified, wanted):
                    shown = module.excerpt(item.context_expr)
                    yield module.place(item.context_expr), f"`{shown}` has no `{wanted}`"


class _File(NamedTuple):
    """The functions of a file, and the calls in them: those that are awaited there, and others.

    Functions by their qualified names, calls by that of the function around and what is called.
    """

    coroutines: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()
    awaited: frozenset[tuple[str, str]] = frozenset()
    unawaited: frozenset[tuple[str, str]] = frozenset()


class Before:
    """The program before its change; its files are parsed where they are asked for."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._project: Project | None = None

    def project(self, after: Project) -> Project:
        """Return the program before the change that made ``after`` of it."""
        if self._project is None:
            self._project = after.with_snapshot(self._snapshot)
        return self._project

    def is_same(self, module: Module, call: ast.Call, functions: Iterable[FunctionPlace]) -> bool:
        """Whether ``call`` was in ``module`` before, and ``functions`` were coroutine functions."""
        is_found = _key(module, call) in self._file(module.path).unawaited
        return is_found and all(map(self.was_coroutine, functions))

    def was_awaited(self, module: Module, call: ast.Call) -> bool:
        """Whether ``call`` was in ``module`` in the same form, and was awaited."""
        return _key(module, call) in self._file(module.path).awaited

    def was_coroutine(self, function: FunctionPlace) -> bool:
        """Whether ``function`` was a coroutine function."""
        return function.qualname in self._file(function.path).coroutines

    def was_plain(self, function: FunctionPlace) -> bool:
        """Whether ``function`` was there, and no coroutine function."""
        return function.qualname in self._file(function.path).plain

    @cached_method
    def _file(self, path: str) -> _File:
        source = self._snapshot.get(path)
        try:
            tree = None if source is None else parse_text(source.text)
        except Unparsable:
            tree = None
        return _File() if tree is None else _read(tree)


def _key(module: Module, call: ast.Call) -> tuple[str, str] | None:
    around = module.enclosing_function(call)
    if not isinstance(around, Function):
        return None
    return module.qualname(around), ast.unparse(call.func)


def _read(tree: ast.Module) -> _File:
    coroutines, others = set[str](), set[str]()
    awaited, unawaited = set[tuple[str, str]](), set[tuple[str, str]]()
    waiting: list[tuple[ast.AST, str, str]] = [(tree, "", "")]
    while waiting:
        # ``function`` is empty outside of all, ``prefix`` begins the names of those inside.
        node, function, prefix = waiting.pop()
        for child in children(node):
            match child:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    is_coroutine = isinstance(child, ast.AsyncFunctionDef)
                    (coroutines if is_coroutine else others).add(f"{prefix}{name}")
                    waiting.append((child, f"{prefix}{name}", f"{prefix}{name}.<locals>."))
                    continue
                case ast.ClassDef(name=name):
                    waiting.append((child, function, f"{prefix}{name}."))
                    continue
                case ast.Call(func=called) if function:
                    calls = awaited if isinstance(node, ast.Await) else unawaited
                    calls.add((function, ast.unparse(called)))
            waiting.append((child, function, prefix))
    kept = frozenset(coroutines), frozenset(others - coroutines)
    return _File(*kept, frozenset(awaited), frozenset(unawaited))
