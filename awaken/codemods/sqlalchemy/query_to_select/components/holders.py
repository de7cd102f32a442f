"""Reads queries that outlive their expression: all that defines them, and is done with them.

They are kept in local variables, returned to callers, and passed to functions.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import TypeGuard

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.call_edges import Frame, Passages
from awaken.codemods.sqlalchemy.query_to_select.components.component import (
    Kept,
    Segment,
    Start,
    Web,
)
from awaken.codemods.sqlalchemy.query_to_select.components.session_reads import (
    SessionRead,
    query_read,
    read_by_session,
)
from awaken.codemods.sqlalchemy.query_to_select.components.unexecuted import read_unexecuted
from awaken.codemods.sqlalchemy.query_to_select.names import Reader
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import (
    LINKS,
    Link,
    read_end,
    read_links,
)
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.sessions import Recognised
from awaken.contract import Place
from awaken.project.source.modules import Module
from awaken.project.source.trees import is_none
from awaken.project.values.domain import TooLarge, Unknown
from awaken.project.values.flow import Reaching

_SEES_LOCALS = frozenset({"locals", "vars", "eval", "exec", "dir"})

_MOST_READS = 50_000
"""What may reach the places at which the queries of a web are read: 300 filters, each behind an
``if``. The largest web of superset, mlflow and ckan has 24."""

RootsOf = Callable[[Module], Mapping[ast.AST, Recognised]]


def read_web(reader: Reader, root: ast.Call | ast.Attribute, roots_of: RootsOf) -> Web | None:
    """Return the web of ``root``, one of the roots of its file; None if nothing keeps it.

    Raises Refused where not everything that is done with its queries can be seen.
    """
    web = Web(Passages(reader))
    frame = web.passages.frame_around(reader.module, root)
    if frame is None:
        return None
    collector = _Collector(web, roots_of)
    _, node = read_links(reader.module, root)
    kept = collector.holders(frame, node)
    if not kept:
        return None
    collector.collect(kept)
    _refuse_readers_of_locals(web)
    _refuse_too_large(web)
    return web


def _refuse_readers_of_locals(web: Web) -> None:
    variables = [kept for kept in web.definitions if kept.binding is not None]
    first = {kept.frame: kept for kept in reversed(variables)}
    for kept in variables:
        module = kept.frame.reader.module
        for seen in kept.frame.flow.parts(ast.Name) if kept is first[kept.frame] else ():
            if seen.id in _SEES_LOCALS and not module.scopes.is_bound(seen.id, seen):
                detail = f"in `{kept.shown}`, which `{seen.id}()` may read"
                raise Refused(reasons.KEPT_QUERY, detail, because=(kept.frame.place(seen),))


def _refuse_too_large(web: Web) -> None:
    """Raise Refused for more than can be followed: a size of the web, whoever asks first."""
    reads = sum(len(web.reaching(one.frame, one.start)) + 1 for one in web.segments)
    if reads > _MOST_READS:
        raise Refused(
            reasons.TOO_LARGE, f"{len(web.definitions)} places hold one, read in {reads} ways"
        )


def _is_root(node: ast.expr, roots: Mapping[ast.AST, Recognised]) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and node in roots


def _alternatives(value: ast.expr) -> list[ast.expr]:
    if isinstance(value, ast.IfExp):
        return [*_alternatives(value.body), *_alternatives(value.orelse)]
    return [value]


def _is_compared_with_none(module: Module, node: ast.expr) -> bool:
    match module.parent(node):
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot()], comparators=[other]):
            return left is node and is_none(other)
        case _:
            return False


class _Collector:
    """Fills a web from one definition; raises Refused where something is out of sight."""

    def __init__(self, web: Web, roots_of: RootsOf) -> None:
        self._web = web
        self._roots_of = roots_of
        self._seen: set[ast.expr] = set()

    def collect(self, kept: Iterable[Kept]) -> None:
        """Add all of ``kept``, and what is connected with them."""
        waiting = [*kept]
        while waiting:
            one = waiting.pop()
            if one in self._web.definitions:
                continue
            segments = self._define(one)
            self._web.definitions[one] = segments
            for segment in segments:
                waiting += self._reaching(segment.frame, segment.start)
                waiting += self._asked_for_session(segment)
            for frame, start in self._starts(one):
                if start not in self._seen:
                    self._seen.add(start)
                    waiting += self._reaching(frame, start)
                    waiting += self._use(frame, start)

    # ------------------------------------------------------------------------------- definitions
    def _define(self, kept: Kept) -> list[Segment]:
        what = f"in `{kept.shown}`, which is also given something else"
        node = kept.frame.function if kept.binding is None else kept.binding.node
        refused = Refused(reasons.KEPT_QUERY, what, because=(kept.frame.place(node),))
        values = [
            (frame, one)
            for frame, value in self._values(kept, refused)
            for one in _alternatives(value)
        ]
        queries = [(frame, value) for frame, value in values if not is_none(value)]
        if len(queries) < len(values):
            self._web.optional.append(kept)
        return [self._defining(kept, frame, value, refused) for frame, value in queries]

    def _values(self, kept: Kept, refused: Refused) -> list[tuple[Frame, ast.expr]]:
        """Return the expressions whose value ``kept`` holds, with where they stand."""
        binding, passages = kept.binding, self._web.passages
        if binding is None and kept.element is not None:
            return passages.returned_elements(kept.frame, kept.element)
        if binding is None:
            return passages.returned(kept.frame)
        if binding.kind == "parameter" and isinstance(binding.node, ast.arg):
            return passages.arguments(kept.frame, binding.node)
        if binding.kind == "assignment" and binding.value is not None:
            return [(kept.frame, binding.value)]
        if isinstance(binding.node, ast.Name) and passages.unpacks(kept.frame, binding.node):
            return [(kept.frame, binding.node)]
        raise refused

    def _defining(self, kept: Kept, frame: Frame, node: ast.expr, refused: Refused) -> Segment:
        start = self._start(frame, node)
        if start is None:
            raise refused
        links, last = read_links(frame.reader.module, start)
        if last is not node or kept not in self.holders(frame, node):
            raise refused
        recognised = self._roots_of(frame.reader.module).get(start)
        return Segment(frame, start, links, node, "kept", "", recognised)

    def _start(self, frame: Frame, node: ast.expr) -> Start | None:
        roots, passages = self._roots_of(frame.reader.module), self._web.passages
        while isinstance(node, ast.Call) and node not in roots:
            if node in passages.known:
                return node
            if not isinstance(node.func, ast.Attribute) or node.func.attr not in LINKS:
                return node if passages.leaves(frame, node) else None
            node = node.func.value
        if isinstance(node, ast.Call):
            return node if isinstance(node.func, ast.Attribute) else None
        return node if isinstance(node, ast.Name) or _is_root(node, roots) else None

    def _reaching(self, frame: Frame, start: Start) -> tuple[Kept, ...]:
        if isinstance(start, ast.Name) and start not in self._web.passages.known:
            reaching = frame.flow.reaching(start)
            if not isinstance(reaching, Reaching) or not reaching.definitions:
                why = reaching.why if isinstance(reaching, Unknown) else "nothing reaches it"
                because = (frame.place(start, why),)
                if isinstance(reaching, TooLarge):
                    raise Refused(reasons.TOO_LARGE, why, because=because)
                raise Refused(reasons.KEPT_QUERY, f"in `{start.id}`; {why}", because=because)
        return self._web.reaching(frame, start)

    # -------------------------------------------------------------------------------------- uses
    def _starts(self, kept: Kept) -> list[tuple[Frame, ast.Call | ast.Name]]:
        """Return the expressions that are the query which ``kept`` holds."""
        if kept.binding is None and kept.element is not None:
            return [*self._web.passages.unpacked(kept.frame, kept.element)]
        if kept.binding is None:
            return [(one.frame, one.call) for one in self._web.passages.results(kept.frame)]
        reached = kept.frame.flow.reached(kept.binding)
        if isinstance(reached, Unknown):
            detail = f"in `{kept.shown}`; {reached.why}"
            because = (Place(reached.place.path, reached.place.span, reached.why),)
            if isinstance(reached, TooLarge):
                raise Refused(reasons.TOO_LARGE, reached.why, because=because)
            raise Refused(reasons.KEPT_QUERY, detail, because=because)
        return [(kept.frame, read) for read in reached]

    def holders(self, frame: Frame, node: ast.expr) -> tuple[Kept, ...]:
        """Return what holds ``node``, or one alternative of a conditional value, after it.

        That is one variable or function, or the parameters of a method and of its overrides.
        """
        module = frame.reader.module
        inner, parent = node, module.parent(node)
        while isinstance(parent, ast.IfExp) and parent.test is not inner:
            inner, parent = parent, module.parent(parent)
        match parent:
            case ast.Assign(targets=[ast.Name() as target], value=value) if value is inner:
                return self._variable(frame, target)
            case ast.AnnAssign(target=ast.Name() as target, value=value) if value is inner:
                return self._variable(frame, target)
            case ast.Return():
                self._web.passages.check_returning(frame)
                return (self._web.kept(frame, None),)
            case ast.Tuple(ctx=ast.Store()) if isinstance(inner, ast.Name):
                return self._variable(frame, inner)
            case ast.Tuple(elts=elements) if isinstance(module.parent(parent), ast.Return):
                self._web.passages.check_returning(frame)
                return (self._web.kept(frame, None, elements.index(inner)),)
            case ast.Call() | ast.keyword() if self._is_passed(module, inner):
                entered = self._web.passages.entered(frame, inner)
                return tuple(self._parameter(into, parameter) for into, parameter in entered)
            case _:
                return ()

    def _is_passed(self, module: Module, node: ast.expr) -> bool:
        try:
            read_end(module, node)
        except Refused as refused:
            return refused.reason is reasons.PASSED_QUERY
        return False

    def _variable(self, frame: Frame, target: ast.Name) -> tuple[Kept, ...]:
        bound, known = None, frame.flow.definitions(target.id)
        if isinstance(known, TooLarge):
            raise Refused(reasons.TOO_LARGE, known.why, because=(known.place,))
        if not isinstance(known, Unknown):
            bound = frame.flow.bound_at(target)
        return () if bound is None else (self._web.kept(frame, bound),)

    def _parameter(self, frame: Frame, parameter: ast.arg) -> Kept:
        bindings = frame.flow.scope.bindings[frame.flow.scope.mangled(parameter.arg)]
        binding = next(one for one in bindings if one.node is parameter)
        return self._web.kept(frame, binding)

    def _use(self, frame: Frame, start: ast.Call | ast.Name) -> tuple[Kept, ...]:
        """Add what is done with the query ``start``; return what holds it then, if anything."""
        module = frame.reader.module
        shown = start.id if isinstance(start, ast.Name) else module.excerpt(start)
        line = module.line_column(module.span(start))[0]
        detail = f"`{shown}` in line {line}"
        links, node = read_links(module, start)
        if _is_compared_with_none(module, node):
            return ()  # as true, or as false, of a statement
        try:
            read = self._by_session(frame, node, links) or read_unexecuted(frame, node)
            kept = () if read else self.holders(frame, node)
            if kept:
                return kept
            ending, end, whole = read or read_end(module, node)
            made = self._made_by_session(frame, whole) if ending == "session" else ()
        except Refused as refused:
            raise _located(refused, detail, frame.place(node, detail)) from None
        if module.in_fstring(start) and (links or ending != "shown"):
            raise Refused(reasons.INSIDE_FSTRING, because=(frame.place(start),))
        end = "query" if made else end
        self._web.uses.append(Segment(frame, start, links, whole, ending, end))
        return made

    def _by_session(
        self, frame: Frame, node: ast.expr, links: tuple[Link, ...]
    ) -> SessionRead | None:
        """Return how the query ends if its session is read off it, or is told to execute it."""
        found = read_by_session(frame, node)
        if found is not None and found[0] == "session" and links:
            raise Refused(reasons.UNKNOWN_METHOD, "session")
        return found

    def _made_by_session(self, frame: Frame, session: ast.expr) -> tuple[Kept, ...]:
        """Return what holds the query that ``session``, read off another, makes at once."""
        module = frame.reader.module
        query = module.parent(session)
        root = None if query is None else module.parent(query)
        if not isinstance(root, ast.Call) or root not in self._roots_of(module):
            return ()
        return self.holders(frame, read_links(module, root)[1])

    def _asked_for_session(self, segment: Segment) -> tuple[Kept, ...]:
        """Return what may hold the query off which the session of ``segment`` is read."""
        receiver = segment.receiver
        if segment.recognised is None or not isinstance(receiver, ast.Attribute):
            return ()
        query = query_read(segment.frame, receiver)
        return () if query is None else self._reaching(segment.frame, query)


def _located(refused: Refused, detail: str, place: Place) -> Refused:
    """Return ``refused`` with the use that it is about in its message."""
    located = Refused(refused.reason, cure=refused.cure, because=(place, *refused.because))
    located.message = f"{refused.message} ({detail})"
    return located
