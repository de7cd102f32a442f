"""The reader of a component: all that defines the queries that outlive their expression, and uses.

They are kept in local variables, returned to callers, and passed to functions.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeGuard, TypeVar

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.component import (
    ChainFragment,
    Component,
    Start,
    truth_of,
)
from awaken.codemods.sqlalchemy.query_to_select.components.unexecuted import (
    SessionRead,
    query_read,
    read_by_session,
    read_unexecuted,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import (
    LINKS,
    SELECTABLE_ARGUMENTS,
    Link,
    check_formatted,
    read_end,
    read_links,
)
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_queries import Recognised
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.contract import Place, Reason
from awaken.project.graph.call_edges import CallEdges, FunctionContext, Unseen
from awaken.project.graph.holders import Holder, Holders, PlacedRead
from awaken.project.source.expressions.alternatives import branches
from awaken.project.source.expressions.attribute_texts import readers_of_names
from awaken.project.source.modules import Module
from awaken.project.source.trees import is_none
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import TooLarge, Unknown
from awaken.project.values.local.flow import MOST_PAIRS

Found = TypeVar("Found")
_REASONS: Mapping[str, Reason] = {
    "callers": reasons.UNSEEN_CALLERS,
    "returned": reasons.NOT_ALWAYS_RETURNED,
    "passed": reasons.PASSED_QUERY,
    "held": reasons.KEPT_QUERY,
}


RootsOf = Callable[[Module], Mapping[ast.AST, Recognised]]


def read_component(
    reader: Reader,
    root: ast.Call | ast.Attribute,
    roots_of: RootsOf,
    *,
    mocks_by_hand: bool = False,
) -> Component | None:
    """Return the component of ``root``, one of the roots of its file; None if nothing keeps it.

    Raises Refused where not everything that is done with its queries can be seen.
    """
    edges = CallEdges(reader.project.calls, reader.project.module, reader.module)
    component = Component(reader.project, edges, Holders(edges, _is_passed))
    context = component.edges.context_around(reader.module, root)
    # Outside of functions: any file may read a module's variables.
    if context is None:
        return None
    collector = _Collector(component, roots_of, reader.module.path, mocks_by_hand=mocks_by_hand)
    _, node = read_links(reader.module, root)
    holders = collector.holders(context, node)
    if not holders:
        return None
    collector.collect(holders)
    _refuse_readers_of_locals(component)
    _refuse_too_large(component)
    return component


def _may_hold(holder: Holder, other: str, place: Place) -> Refused:
    what = f"`{holder.display_name}` may also hold {other}"
    return Refused(reasons.KEPT_QUERY, what, because=(place,))


def _refuse_readers_of_locals(component: Component) -> None:
    variables: dict[FunctionContext, Holder] = {}
    for holder in component.definitions:
        if holder.binding is not None:
            variables.setdefault(holder.context, holder)
    for context, holder in variables.items():
        scope = context.module.scopes.scope_made_by(context.function)
        # These use the variable invisibly.
        for node in readers_of_names(context.module, scope):
            detail = f"`{node.id}()` may read `{holder.display_name}`"
            raise Refused(reasons.KEPT_QUERY, detail, because=(context.place(node),))


def _refuse_too_large(component: Component) -> None:
    """Raise Refused for more than can be followed: a size of the component, whoever asks first."""
    reads = sum(
        len(component.holders.reaching(one.context, one.start)) + 1 for one in component.fragments
    )
    if reads > MOST_PAIRS:
        raise Refused(
            reasons.TOO_LARGE,
            f"{len(component.definitions)} places hold a query, and are read in {reads} places",
        )


def _is_root(node: ast.expr, roots: Mapping[ast.AST, Recognised]) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and node in roots


def _is_compared_with_none(module: Module, node: ast.expr) -> bool:
    match module.parent(node):
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot()], comparators=[other]):
            return left is node and is_none(other)
    return False


def _is_passed(module: Module, node: ast.expr) -> bool:
    """Whether a function of the project may be called with the query ``node``."""
    try:
        read_end(module, node)
    except Refused as refused:
        return refused.reason is reasons.PASSED_QUERY
    return False


def _by_session(reader: Reader, node: ast.expr, links: tuple[Link, ...]) -> SessionRead | None:
    """Return how the query ends if its session is read from it, or executes it."""
    result = read_by_session(reader, node)
    # The builders would be lost with the query that the session is read off.
    if result is not None and result[0] == "session" and links:
        raise Refused(reasons.UNKNOWN_METHOD, "session")
    return result


class _Collector:
    """Fills a component from one definition in ``path``; raises Refused for what is unknown."""

    def __init__(
        self, component: Component, roots_of: RootsOf, path: str, *, mocks_by_hand: bool
    ) -> None:
        self._component = component
        self._roots_of = roots_of
        self._path = path
        self._mocks_by_hand = mocks_by_hand
        self._seen: set[ast.expr] = set()

    def collect(self, holders: Iterable[Holder]) -> None:
        """Add all of ``holders``, and what is connected with them."""
        waiting = Worklist(holders)
        for holder in waiting:
            # Queries may go in a circle: through a loop, or a function that calls itself.
            if holder in self._component.definitions:
                continue
            fragments = self._define(holder)
            self._component.definitions[holder] = fragments
            for fragment in fragments:
                waiting += self._reaching(fragment.context, fragment.start)
                waiting += self._asked_for_session(fragment)
            for context, start in self._starts(holder):
                if start not in self._seen:
                    self._seen.add(start)
                    waiting += self._reaching(context, start)
                    waiting += self._use(context, start)

    # ------------------------------------------------------------------------------- definitions
    def _define(self, holder: Holder) -> list[ChainFragment]:
        placed = require_visible(self._component.holders.values_of(holder))
        if placed is None:
            node = holder.context.function if holder.binding is None else holder.binding.node
            raise _may_hold(holder, "another value", holder.context.place(node))
        values = [(context, part) for context, value in placed for part in branches(value)]
        queries = [(context, value) for context, value in values if not is_none(value)]
        # None is no query, but changes the exception where nobody asks for it.
        if len(queries) < len(values):
            self._component.optional.append(holder)
        return [
            self._defining(holder, context, value)
            for context, value in queries
            if not self._is_mock(context, value)
        ]

    def _is_mock(self, context: FunctionContext, value: ast.expr) -> bool:
        """Whether a test gives a mock for a query, and the user rewrites that; raises Refused."""
        place = context.place(value, "the mock")
        if self._component.project.mocks.made_at(context.module, value) is None:
            return False
        if not self._mocks_by_hand:
            shown = context.module.excerpt(value)
            refused = Refused(reasons.TEST_DOUBLE, shown, because=(place,))
            raise refused.answered_by(reasons.MOCKS_BY_HAND)
        self._component.mocks.append(place)
        return True

    def _defining(self, holder: Holder, context: FunctionContext, node: ast.expr) -> ChainFragment:
        start = self._start(context, node)
        links, last = ((), None) if start is None else read_links(context.module, start)
        if start is None or last is not node or holder not in self.holders(context, node):
            shown = f"`{context.module.excerpt(node)}`"
            raise _may_hold(holder, shown, context.place(node))
        recognised = self._roots_of(context.module).get(start)
        return ChainFragment(context, start, links, node, "held", "", recognised)

    def _start(self, context: FunctionContext, node: ast.expr) -> Start | None:
        roots, edges = self._roots_of(context.module), self._component.edges
        while isinstance(node, ast.Call) and node not in roots:
            if node in edges.known:
                return node
            if not isinstance(node.func, ast.Attribute) or node.func.attr not in LINKS:
                return node if require_visible(edges.comes_out(context, node)) else None
            node = node.func.value
        if isinstance(node, ast.Call):
            return node if isinstance(node.func, ast.Attribute) else None
        return node if isinstance(node, ast.Name) or _is_root(node, roots) else None

    def _reaching(self, context: FunctionContext, start: Start) -> tuple[Holder, ...]:
        if isinstance(start, ast.Name) and start not in self._component.edges.known:
            reaching = context.flow.reaching(start)
            if isinstance(reaching, Unknown) or not reaching:
                why = reaching.why if isinstance(reaching, Unknown) else "nothing is assigned to it"
                because = (context.place(start, why),)
                if isinstance(reaching, TooLarge):
                    raise Refused(reasons.TOO_LARGE, why, because=because)
                raise Refused(reasons.KEPT_QUERY, f"`{start.id}`: {why}", because=because)
        return self._component.holders.reaching(context, start)

    # -------------------------------------------------------------------------------------- uses
    def _starts(self, holder: Holder) -> Sequence[PlacedRead]:
        """Return the expressions that are the query which ``holder`` has."""
        reads = self._component.holders.reads_of(holder)
        if isinstance(reads, Unseen):
            raise refused_for(reads)
        if not isinstance(reads, Unknown):
            return reads
        because = (Place(reads.place.path, reads.place.span, reads.why),)
        if isinstance(reads, TooLarge):
            raise Refused(reasons.TOO_LARGE, reads.why, because=because)
        raise Refused(reasons.KEPT_QUERY, reads.why, because=because)

    def holders(self, context: FunctionContext, node: ast.expr) -> tuple[Holder, ...]:
        """Return what holds ``node``, or one alternative of a conditional value, after it."""
        holders = self._component.holders.holding(context, node)
        if isinstance(holders, Unseen):
            raise refused_for(holders)
        if isinstance(holders, TooLarge):
            raise Refused(reasons.TOO_LARGE, holders.why, because=(holders.place,))
        return holders

    def _use(self, context: FunctionContext, start: ast.Call | ast.Name) -> tuple[Holder, ...]:
        """Add what is done with the query ``start``; return what holds it then, if anything."""
        module = context.module
        shown = start.id if isinstance(start, ast.Name) else module.excerpt(start)
        line = module.line_column(module.span(start))[0]
        is_own = module.path == self._path
        detail = f"`{shown}` in line {line}" + ("" if is_own else f" of `{module.path}`")
        links, node = read_links(module, start)
        if isinstance(start, ast.Name) and not context.flow.runs_in_order(start):
            self._put_into_another(context, start)
            return ()
        if _is_compared_with_none(module, node):
            return ()  # as true, or as false, of a statement
        truth = None if module.in_fstring(start) else truth_of(context, node)
        if truth is not None:
            self._component.truths.append(truth)
            return ()
        try:
            reader = self._component.reader(context)
            read = _by_session(reader, node, links) or read_unexecuted(reader, node)
            holders = () if read else self.holders(context, node)
            if holders:
                return holders
            ending, end, whole = read or read_end(module, node)
            made = self._made_by_session(context, whole) if ending == "session" else ()
        except Refused as refused:
            raise _located_refusal(refused, detail, context.place(node, detail)) from None
        # A name stays as it is, and its text is all that is asked for.
        if ending != "shown" or links:
            check_formatted(module, start)
        end = "query" if made else end
        self._component.uses.append(ChainFragment(context, start, links, whole, ending, end))
        return made

    def _put_into_another(self, context: FunctionContext, start: ast.Name) -> None:
        """Add the use by a function inside that of ``context``, which puts it into a statement.

        Nothing is executed there, so its time has no effect; raises Refused for other uses.
        """
        links, node = read_links(context.module, start)
        unknown = context.flow.why_at_any_time(start)
        refused = Refused(reasons.KEPT_QUERY, unknown.why, because=(unknown.place,))
        try:
            ending, end, whole = read_end(context.module, node)
        except Refused:
            raise refused from None
        if ending != "embedded" and end not in SELECTABLE_ARGUMENTS:
            raise refused
        use = ChainFragment(context, start, links, whole, ending, end)
        self._component.uses.append(use)

    def _made_by_session(self, context: FunctionContext, session: ast.expr) -> tuple[Holder, ...]:
        """Return what holds the query that ``session``, read off another, makes at once."""
        module = context.module
        root = module.parent(module.parent(session))
        if not isinstance(root, ast.Call) or root not in self._roots_of(module):
            return ()
        return self.holders(context, read_links(module, root)[1])

    def _asked_for_session(self, fragment: ChainFragment) -> tuple[Holder, ...]:
        """Return what may hold the query off which the session of ``fragment`` is read."""
        receiver = fragment.receiver
        if fragment.recognised is None or not isinstance(receiver, ast.Attribute):
            return ()
        query = query_read(self._component.reader(fragment.context), fragment.context, receiver)
        return () if query is None else self._reaching(fragment.context, query)


def _located_refusal(refused: Refused, detail: str, place: Place) -> Refused:
    """Return ``refused`` with the use that it is about in its message."""
    located = Refused(refused.reason, help=refused.help, because=(place, *refused.because))
    located.message = f"{refused.message} ({detail})"
    return located


def require_visible(found: Found | Unseen) -> Found:
    """Return ``found``; raises Refused if not all of it is visible."""
    if isinstance(found, Unseen):
        raise refused_for(found)
    return found


def refused_for(unseen: Unseen) -> Refused:
    """Return why a query stays as it is of which something is ``unseen``."""
    return Refused(_REASONS[unseen.kind], unseen.what, because=unseen.places)
