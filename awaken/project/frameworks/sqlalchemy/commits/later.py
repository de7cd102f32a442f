"""The code of one function that runs after a commit: what it reads of before, and loads again."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeGuard

from msgspec import Struct

from awaken.contract import Place
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.effects.own_nodes import own_nodes, what_runs
from awaken.project.effects.places.events_between import EventGraph
from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Later
from awaken.project.frameworks.sqlalchemy.commits.late_readers import reads_later, sources_of
from awaken.project.frameworks.sqlalchemy.commits.loaded_objects import Loaded
from awaken.project.frameworks.sqlalchemy.commits.owners import Owners, origins_inside
from awaken.project.frameworks.sqlalchemy.commits.reloads import LOADING, Callees, Reloads
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.expressions.expression_uses import reads_value
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, With, last_name, parameter_names
from awaken.project.source.worklist import MOST_NODES, groups_of, multimap
from awaken.project.values.domain import Origin, Session, instances_in, origins_of, union

_HARMLESS = {"add", "add_all", "close", "expire", "expunge", "refresh"}
"""Methods of sessions that read nothing of the objects that they are given."""
_FLUSHING = name_list("writing_methods")
_TAKING = name_list("taking_objects")
_KEEPING = (library_names().growing_methods - {"add"}) | {"put", "put_nowait", "send"}
"""Methods of containers and queues by which they get objects; sessions have `add` as well."""
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.GeneratorExp)
_LEAVING = (ast.Break, ast.Continue, ast.Return)


@dataclass(frozen=True)
class _Body:
    """One function: the flow of control in it, and the nodes that it runs itself.

    ``ends`` are, by the name of a variable, the nodes that give it another object, and calls that
    may reload its object; ``kept_in_module`` are the variables of the file that it reads.
    ``taken`` are variables whose objects some session may get, ``captured`` are by functions,
    lambdas and generators what these read of its variables; ``capturing`` is the reverse.
    ``methods`` are the calls of methods, by their names.
    ``foreign`` are variables whose objects are not those of the session; ``session`` is what
    commits, as it is written, and ``owner`` its expression. ``is_any_refreshed`` says that a
    refresh reads all of an object again.
    """

    module: Module
    function: Function
    graph: EventGraph
    nodes: tuple[ast.AST, ...]
    ends: Mapping[str, Sequence[ast.Name | ast.Call]]
    kept_in_module: tuple[ast.Name, ...]
    taken: frozenset[str]
    captured: Mapping[ast.AST, Sequence[ast.AST]]
    capturing: Mapping[ast.AST, Sequence[ast.AST]]
    methods: Mapping[str, Sequence[ast.Call]]
    foreign: frozenset[str] = frozenset()
    session: str = ""
    owner: ast.expr | None = None
    is_any_refreshed: bool = False


class _Held(Struct, frozen=True):
    """Reads through a variable: ``node`` is the expression whose objects have the ``origins``.

    Of a store it is the attribute that is set.
    """

    kind: Literal["read", "store", "unknown"]
    node: ast.expr
    origins: tuple[Origin | None, ...] = ()


class LaterInFunction:
    """Answers for one program."""

    def __init__(
        self, evaluator: ProgramEvaluator, loaded: Loaded, reloads: Reloads, owners: Owners
    ) -> None:
        self._evaluator = evaluator
        self._loaded = loaded
        self._reloads = reloads
        self._owners = owners
        self._callees = Callees(evaluator, self._loads_objects)

    def events_after(
        self, module: Module, function: Function, start: ast.AST, commit: Place, *, shared: bool
    ) -> Iterator[Later]:
        """Yield what may happen in one run of ``function`` after ``start``, in source order.

        Of a block that is ``start``'s that is what happens after it is left. A session that is not
        ``shared`` has nothing but what this function loads and adds.
        """
        body = self._body(module, function)
        if body is None:
            why = f"`{function.name}` is too large to follow"
            yield Later("unknown", module.place(function), why, commit)
            return
        foreign = frozenset[str]() if shared else parameter_names(function.args) - body.taken
        body = replace(_committed_body(body, start, commit), foreign=foreign)
        starts = _starts(module, body.nodes, start)
        reached = body.graph.reached_from(starts)
        events = [*self._reads(body, starts, reached, commit)]
        events += self._loads(body, starts, reached, commit)
        # Nobody else is given a session of its own.
        events += (
            self._loading_calls(body, reached, commit) if shared else self._let_out(body, commit)
        )
        yield from _in_order(events)

    def reads(
        self, module: Module, function: Function, start: ast.AST, commit: Place
    ) -> Iterator[Later]:
        """Yield what one run of ``function`` may read of before after ``start``, and no more."""
        body = self._body(module, function)
        if body is not None:
            starts = _starts(module, body.nodes, start)
            reached = body.graph.reached_from(starts)
            events = self._reads(body, starts, reached, commit)
            yield from _in_order(event for event in events if event.kind != "store")

    def uses_after(
        self, module: Module, function: Function, start: ast.AST, commit: Place
    ) -> Iterator[Later]:
        """Yield what one run of ``function`` reads of before after ``start``, loads and calls.

        As far as it is seen: of loads that are not known nothing is said. Refreshed objects do not
        count: their eager relationships are loaded again too.
        """
        body = self._body(module, function)
        if body is not None:
            body = replace(_committed_body(body, start, commit), is_any_refreshed=True)
            starts = _starts(module, body.nodes, start)
            reached = body.graph.reached_from(starts)
            uses = self._reads(body, starts, reached, commit)
            reads = [event for event in uses if event.kind != "store"]
            reads += self._of_before(body, starts, self._loads(body, starts, reached, commit))
            for node in reached:
                if isinstance(node, ast.Call) and not self._is_of_session(module, node):
                    reads.append(Later("call", module.place(node), module.excerpt(node), commit))
            yield from _in_order(reads)

    def _body(self, module: Module, function: Function) -> _Body | None:
        """Return the flow of control in a function; None if that is too large."""

        def make() -> _Body | None:
            nodes = tuple(own_nodes(what_runs(function)))
            return None if len(nodes) > MOST_NODES else _body_of(module, function, nodes)

        return module.memoize((_Body, function), make)

    # ----------------------------------------------------------------------------------- reads
    def _reads(
        self, body: _Body, starts: Sequence[ast.AST], reached: set[ast.AST], commit: Place
    ) -> Iterator[Later]:
        for start in starts:
            # Returned from inside of a block that commits when it is left.
            if isinstance(start, ast.Return) and start.value is not None:
                for name in _names(body.module.walk(start.value)):
                    yield from self._read(body, name, commit)
        for name in body.kept_in_module:
            events = list(self._read(body, name, commit))
            yield from (event for event in events if event.kind != "unknown")
        names = _names([*reached, *_captured_variables(body, reached)])
        by_variable = groups_of(names, lambda node: node.id)
        carrying = self._carrying(body, starts, reached)
        stops = {name: self._stops(body, name) - carrying for name in by_variable}
        bound = {
            name: [stop for stop in nodes if isinstance(stop, ast.Name)]
            for name, nodes in stops.items()
            if body.is_any_refreshed
        }
        alive, kept = (body.graph.reached_by_each(starts, each) for each in (stops, bound))
        for identifier, same in sorted(by_variable.items()):
            for name in same:
                holders = (name, *body.capturing.get(name, ()))
                # A variable that is rebound, or refreshed, on all paths is not an old one.
                if any(alive.has(holder, identifier) for holder in holders):
                    yield from self._read(body, name, commit)
                elif identifier in bound and kept.has(name, identifier):
                    yield from self._read_behind(body, name, commit)

    def _stops(self, body: _Body, identifier: str) -> set[ast.AST]:
        """Return the nodes at which a variable is bound, or its object is refreshed."""
        ends = body.ends.get(identifier, ())
        return {end for end in ends if isinstance(end, ast.Name) or self._refreshes(body, end)}

    def _carrying(
        self, body: _Body, starts: Sequence[ast.AST], reached: set[ast.AST]
    ) -> set[ast.AST]:
        """Return the bindings after ``starts`` that give a variable an object of before."""
        graph, sources = body.graph, dict[ast.AST, list[ast.Name]]()
        ends = (end for ends in body.ends.values() for end in ends if end in reached)
        bound = {end: _bound_to(body.module, end, starts) for end in ends}
        again = graph.reached_by_each(
            starts, {value: [value] for value, is_item in bound.values() if value and is_item}
        )
        carrying = set[ast.AST]()
        for end, (value, is_item) in bound.items():
            # The items of a loop are loaded before its first run.
            if value and is_item and again.has(end, value):
                carrying.add(end)
            elif value and (names := self._sources(body, end, value)):
                sources[end] = names
        if not sources:
            return carrying
        old = {name.id for names in sources.values() for name in names}
        # A call that commits may return an argument, which was read before.
        passed = {x for start in starts if isinstance(start, ast.Call) for x in ast.walk(start)}
        while True:
            stops = {name: self._stops(body, name) - carrying for name in old}
            alive = graph.reached_by_each(starts, stops)
            more = {
                end
                for end, names in sources.items()
                if end not in carrying
                and any(name in passed or alive.has(name, name.id) for name in names)
            }
            if not more:
                return carrying
            carrying |= more

    def _sources(self, body: _Body, bound: ast.expr, value: ast.expr) -> list[ast.Name]:
        """Return the variables in ``value`` that hold all objects that a variable is bound to."""
        key = "sources", bound, self._evaluator.follows_callers
        module = body.module
        return module.memoize(key, lambda: self._look_for_sources(module, bound, value))

    def _look_for_sources(self, module: Module, bound: ast.expr, value: ast.expr) -> list[ast.Name]:
        names, values = [*_names(module.walk(value))], self._evaluator.values
        held = [(name, values(module, name)) for name in names]
        held = [(name, each) for name, each in held if self._loaded.held_kind(each) == "objects"]
        origins = {*origins_of(values(module, bound))} if held else set()
        return [
            name for name, each in held if origins and origins <= {*origins_of(instances_in(each))}
        ]

    def _refreshes(self, body: _Body, node: ast.Call) -> bool:
        values = self._evaluator.values(body.module, node.args[0])
        return body.is_any_refreshed or self._loaded.is_whole_after_refresh(values)

    def _read(self, body: _Body, name: ast.Name, commit: Place) -> Iterator[Later]:
        if name.id in body.foreign:
            return
        held = self._held_by(body, name)
        if held is None or (held.kind != "unknown" and self._is_of_other(body, name, held)):
            return
        module = body.module
        text = module.excerpt(held.node)
        why = f"the content of `{text}` is unknown" if held.kind == "unknown" else text
        yield Later(held.kind, module.place(held.node), why, commit)

    def _held_by(self, body: _Body, name: ast.Name) -> _Held | None:
        """Return the reads through a variable; None if it holds no object, or is not read."""
        key = _Held, name, self._evaluator.follows_callers
        return body.module.memoize(key, lambda: self._look_at(body.module, name))

    def _look_at(self, module: Module, name: ast.Name) -> _Held | None:
        if self._is_harmless(module, name):
            return None
        longest: ast.expr = name
        unknown: _Held | None = None
        while True:
            values = self._evaluator.values(module, longest)
            if reads_later(values):
                sources = sources_of(module, longest, self._evaluator.values)
                read = (self._evaluator.values(module, source.node) for source in sources)
                values = union(values, *read)
            held = self._loaded.held_kind(values)
            above = module.parent(longest)
            stored = above if longest is name and _is_stored(above, module) else None
            if held == "objects":
                kind: Literal["read", "store"] = "read" if stored is None else "store"
                return _Held(kind, stored or longest, tuple(origins_inside(values)))
            unknown = _Held("unknown", longest) if held == "unknown" else unknown
            if not isinstance(above, ast.Attribute) or stored is not None:
                return unknown
            longest = above

    def _read_behind(self, body: _Body, name: ast.Name, commit: Place) -> Iterator[Later]:
        """Yield the read of an object that another one, which was refreshed, leads to."""
        module = body.module
        above = module.parent(name)
        if not isinstance(above, ast.Attribute):
            return
        held = self._loaded.held_kind(self._evaluator.values(module, above))
        if held == "objects" and isinstance(module.parent(above), ast.Attribute):
            yield Later("read", module.place(above), module.excerpt(above), commit)

    def _is_of_other(self, body: _Body, name: ast.Name, held: _Held) -> bool:
        """Whether another session loaded all that a variable holds, and no session takes it."""
        if body.owner is None or name.id in body.taken:
            return False
        return self._owners.are_others(body.module, held.origins, body.owner)

    def _let_out(self, body: _Body, commit: Place) -> Iterator[Later]:
        """Yield where objects get out of the function other than by its result."""
        module = body.module
        for node in body.nodes:
            # ``sqlalchemy.update(users)`` is no method of a dictionary.
            called = node.func if isinstance(node, ast.Call) else None
            name = None if called is None else self._evaluator.names.qualified_name(module, called)
            for given in () if name is not None else _kept_nodes(node):
                names = [part for part in _names(module.walk(given)) if part.id not in body.foreign]
                held = {
                    self._loaded.held_kind(self._evaluator.values(module, part)) for part in names
                }
                if held - {"nothing"}:
                    why = f"`{module.excerpt(given)}` may be read elsewhere"
                    yield Later("unknown", module.place(given), why, commit)

    def _is_harmless(self, module: Module, name: ast.Name) -> bool:
        """Whether a use of a variable reads no attribute of its value, and sets none of a row.

        A session writes a set attribute only if it differs from the loaded value. An expired
        attribute has none.
        """
        above = module.parent(name)
        match above:
            case ast.Call(func=ast.Attribute(value=owner, attr=method)) if method in _HARMLESS:
                return name in above.args and self._is_session(module, owner)
            case ast.Attribute(attr=attribute) if _is_stored(above, module):
                values = self._evaluator.values(module, name)
                return not self._loaded.may_be_of_row(values, attribute)
            case ast.Compare(ops=[ast.Is() | ast.IsNot()]):
                return True
        return False

    def _is_session(self, module: Module, node: ast.expr) -> bool:
        values = self._evaluator.values(module, node)
        return all(isinstance(value, Session) for value in values)

    # ----------------------------------------------------------------------------------- loads
    def _loads(
        self, body: _Body, starts: Sequence[ast.AST], reached: set[ast.AST], commit: Place
    ) -> Iterator[Later]:
        module = body.module
        # On another path the commit may not run: a change before it may still be pending.
        changes = self._changes_in(body)
        flushes = [node for method in sorted(_FLUSHING) for node in body.methods.get(method, ())]
        behind = body.graph.reached_from(changes, [*starts, *flushes])
        for call in reached:
            if self._loads_objects(module, call) or self._loads_by(body, call):
                is_clean = call not in behind
                yield Later("load", module.place(call), module.excerpt(call), commit, is_clean)

    def _of_before(
        self, body: _Body, starts: Sequence[ast.AST], loads: Iterable[Later]
    ) -> Iterator[Later]:
        """Yield the loads that may find what was loaded before a commit, and not expired since."""
        expiring: dict[str, set[ast.AST]] = {}
        for node in body.methods.get("expire_all", ()):
            session = _session_of(body.module, node, {"expire_all"})
            expiring.setdefault(session, set()).add(node)
        still = {
            session: body.graph.reached_from(starts, nodes) for session, nodes in expiring.items()
        }
        for load in loads:
            for call in body.module.calls_at(load.place.span):
                session = _session_of(body.module, call, LOADING)
                if session not in still or call in still[session]:
                    yield load

    def _loading_calls(self, body: _Body, reached: set[ast.AST], commit: Place) -> Iterator[Later]:
        """Yield the calls of functions that load objects in turn."""
        module = body.module
        for call in reached:
            if not isinstance(call, ast.Call) or self._is_of_session(module, call):
                continue
            match self._callees.loads_below(module, call):
                case "loads":
                    yield Later("load", module.place(call), module.excerpt(call), commit)
                case "unknown":
                    why = f"the objects that `{module.excerpt(call.func)}` loads are unknown"
                    yield Later("unknown", module.place(call), why, commit)

    def _is_of_session(self, module: Module, call: ast.Call) -> bool:
        return isinstance(call.func, ast.Attribute) and self._is_session(module, call.func.value)

    def _loads_objects(self, module: Module, node: ast.AST) -> bool:
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=method)) if method in LOADING:
                is_session = self._is_session(module, owner)
                return is_session and self._reloads.reload_by(module, node) is not None
        return False

    def _loads_by(self, body: _Body, node: ast.AST) -> bool:
        """Whether objects are loaded by what committed, which is a session then."""
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=method)) if (
                method in LOADING and body.module.text_of(owner) == body.session
            ):
                return self._reloads.reload_by(body.module, node) is not None
        return False

    def _changes_in(self, body: _Body) -> list[ast.AST]:
        """Return where attributes of what may be mapped are changed."""
        key, module = ("changes", body.function, self._evaluator.follows_callers), body.module
        return module.memoize(key, lambda: [x for x in body.nodes if self._changes(module, x)])

    def _changes(self, module: Module, node: ast.AST) -> bool:
        """Whether an attribute of something that may be mapped is set, or gets or loses items."""
        match node:
            case ast.Call(func=ast.Attribute(attr=method, value=ast.Attribute(value=held))) if (
                method in library_names().changing_methods
            ):
                pass
            case ast.Attribute(value=held) if _is_set(node):
                pass
            case ast.Call(func=ast.Name(id="setattr"), args=[held, *_]):
                pass
            case _:
                return False
        return self._loaded.held_kind(self._evaluator.values(module, held)) != "nothing"


def _is_set(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)


def _is_stored(node: ast.AST | None, module: Module) -> TypeGuard[ast.Attribute]:
    """Whether an attribute is set without being read."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and not reads_value(module, node)
    )


def _in_order(events: Iterable[Later]) -> list[Later]:
    return sorted(dict.fromkeys(events), key=lambda event: (event.place, event.kind))


def _committed_body(body: _Body, start: ast.AST, commit: Place) -> _Body:
    """Return a body with the session that commits at ``start``, where ``start`` is the commit."""
    module = body.module
    if module.place(start) != commit:
        return body
    match start:
        case ast.Call(func=ast.Attribute(value=owner, attr="commit")):
            return replace(body, session=module.text_of(owner), owner=owner)
        case ast.With(items=[item]) | ast.AsyncWith(items=[item]):
            call = item.context_expr
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                return replace(body, owner=call.func.value)
    return body


def _session_of(module: Module, node: ast.AST, methods: Collection[str]) -> str:
    """Return whose method is called, as it is written, if it is one of some methods."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in methods:
            return module.text_of(owner)
    return ""


def _starts(module: Module, nodes: Sequence[ast.AST], start: ast.AST) -> list[ast.AST]:
    """Return the nodes after which something has been committed.

    A block is left at its end, and by whatever jumps out of it.
    """
    block = start if isinstance(start, With) else _entered_block(module, start)
    if block is None:
        return [start]
    inside = {id(node) for node in own_nodes(block.body)}
    return [block, *(node for node in nodes if isinstance(node, _LEAVING) and id(node) in inside)]


def _entered_block(module: Module, node: ast.AST) -> ast.With | ast.AsyncWith | None:
    """Return the block that is entered with the value of ``node``."""
    item = module.parent(node)
    above = module.parent(item) if isinstance(item, ast.withitem) else None
    return above if isinstance(above, With) else None


def _names(nodes: Sequence[ast.AST] | Iterator[ast.AST]) -> Iterator[ast.Name]:
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node


def _ends(nodes: Sequence[ast.AST]) -> dict[str, list[ast.Name | ast.Call]]:
    """Return what gives a variable another object, or refreshes its own, by the variable."""
    ends: dict[str, list[ast.Name | ast.Call]] = {}
    for node in nodes:
        match node:
            case ast.Name(id=name) if not isinstance(node.ctx, ast.Load):
                ends.setdefault(name, []).append(node)
            case ast.Call(
                func=ast.Attribute(attr="refresh"), args=[ast.Name(id=name)], keywords=[]
            ):
                ends.setdefault(name, []).append(node)
    return ends


def _bound_to(
    module: Module, bound: ast.AST, starts: Collection[ast.AST]
) -> tuple[ast.expr | None, bool]:
    """Return what a variable is bound to, and whether that is an item of what was before.

    None of other statements than assignments and loops.
    """
    match module.parent(bound):
        case ast.Assign(value=value) | ast.NamedExpr(value=value):
            return value, False
        case ast.AnnAssign(value=value):
            return value, False
    above = (node for node in module.ancestors(bound) if not isinstance(node, ast.Tuple))
    match next(above, None):
        case ast.For(iter=value):
            return value, not any(node in starts for node in module.walk(value))
    return None, False


def _is_kept_in_module(module: Module, name: ast.Name) -> bool:
    """Whether a name is a variable at the top of the file, which outlives every call."""
    bindings = module.scopes.bindings_of(name)
    return any(item.scope.kind == "module" and item.kind == "assignment" for item in bindings)


def _taken_variables(module: Module, nodes: Sequence[ast.AST]) -> frozenset[str]:
    """Return the variables whose objects some session may get."""
    return frozenset(
        name.id
        for node in nodes
        if isinstance(node, ast.Call) and last_name(node.func) in _TAKING
        for argument in node.args
        for name in _names(module.walk(argument))
    )


def _kept_nodes(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what ``node`` puts where others may find it."""
    match node:
        case ast.Assign(targets=targets, value=value) if any(
            isinstance(target, ast.Attribute | ast.Subscript) for target in targets
        ):
            yield value
        case ast.Call(func=ast.Attribute(attr=method)) if method in _KEEPING:
            yield from node.args
        case ast.Yield(value=ast.expr() as value):
            yield value


def _captured_variables(body: _Body, reached: set[ast.AST]) -> Iterator[ast.AST]:
    """Yield the variables in functions, lambdas and generators that are made among ``reached``."""
    for inner, names in body.captured.items():
        if inner in reached:
            yield from names


def _captured_by(module: Module, function: Function, inner: ast.AST) -> list[ast.AST]:
    """Return where ``inner``, which is made in a function, has variables of that function."""
    return [
        node
        for node in module.nodes_below(inner, ast.Name)
        if any(binding.scope.node is function for binding in module.scopes.bindings_of(node))
    ]


def _body_of(module: Module, function: Function, nodes: tuple[ast.AST, ...]) -> _Body:
    inner = [node for node in nodes if isinstance(node, _INNER)]
    captured: dict[ast.AST, Sequence[ast.AST]] = {
        node: _captured_by(module, function, node) for node in inner
    }
    outer = module.scopes.captured_names(function)
    outside = (node for node in _names(nodes) if node.id in outer)
    return _Body(
        module,
        function,
        EventGraph(module, function, {*inner, *outside, *filter(_is_set, nodes)}),
        nodes,
        _ends(nodes),
        tuple(name for name in _names(nodes) if _is_kept_in_module(module, name)),
        _taken_variables(module, nodes),
        captured,
        multimap((name, node) for node, names in captured.items() for name in names),
        multimap(
            (node.func.attr, node)
            for node in nodes
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        ),
    )
