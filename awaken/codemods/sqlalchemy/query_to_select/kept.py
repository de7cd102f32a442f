"""Reads queries that are kept in local variables: all definitions and uses that belong together."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.chain import Chain, Link, read_end, read_links
from awaken.codemods.sqlalchemy.query_to_select.names import Reader
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.contract import Place
from awaken.project.bindings import Binding
from awaken.project.flow import Flow, Reaching, flow_of
from awaken.project.values import Unknown

_SEES_LOCALS = frozenset({"locals", "vars", "eval", "exec", "dir"})


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a query that stands in one expression.

    It starts with ``query(...)`` or with a variable. ``ending`` and ``end`` are those of a chain,
    ``kept`` where the whole is the value of a variable.
    """

    start: ast.Call | ast.Name
    links: tuple[Link, ...]
    node: ast.expr
    ending: str
    end: str

    def chain(self, receiver: ast.expr | None) -> Chain:
        """Return the segment as a chain of the session ``receiver``."""
        root = self.start
        items = tuple(root.args) if isinstance(root, ast.Call) else ()
        ending = "argument" if self.ending == "kept" else self.ending
        return Chain(root, receiver, None, items, self.links, self.node, ending, self.end)  # type: ignore[arg-type]


@dataclass(slots=True)
class Web:
    """The queries of one function that share variables.

    ``definitions`` are the values of the variables, one segment for each alternative of a
    conditional expression; ``uses`` is everything else that is done with them.
    """

    reader: Reader
    flow: Flow
    definitions: dict[Binding, list[Segment]] = field(default_factory=dict)
    uses: list[Segment] = field(default_factory=list)

    @property
    def roots(self) -> list[ast.Call]:
        """The calls of ``query``, in the order of the source."""
        found = [
            segment.start
            for segments in self.definitions.values()
            for segment in segments
            if isinstance(segment.start, ast.Call)
        ]
        return sorted(found, key=self.reader.module.span)

    @property
    def segments(self) -> Iterator[Segment]:
        """All segments, those of the definitions first."""
        for segments in self.definitions.values():
            yield from segments
        yield from self.uses

    def place(self, node: ast.AST, note: str = "") -> Place:
        """Return the place of ``node``."""
        module = self.reader.module
        return Place(module.path, module.span(node), note)


def read_web(reader: Reader, root: ast.Call, roots: Collection[ast.AST]) -> Web | None:
    """Return the web of ``root``, one of all ``roots`` of a file; None if nothing keeps it.

    Raises Refused where not everything that is done with its queries can be seen.
    """
    module = reader.module
    _, node = read_links(module, root)
    function = module.enclosing_function(root)
    target = _kept_in(reader, node)
    if target is None or function is None or isinstance(function, ast.Lambda):
        return None
    web = Web(reader, flow_of(module, function))
    binding = _binding_of(web.flow, target)
    if binding is None:
        return None
    _Collector(web, roots).collect(binding)
    _refuse_readers_of_locals(web, target.id)
    return web


def _refuse_readers_of_locals(web: Web, name: str) -> None:
    module = web.reader.module
    for seen in module.walk(web.flow.scope.node):
        is_reader = isinstance(seen, ast.Name) and seen.id in _SEES_LOCALS
        if isinstance(seen, ast.Name) and is_reader and not module.scopes.is_bound(seen.id, seen):
            detail = f"in `{name}`, which `{seen.id}()` may read"
            raise Refused(reasons.KEPT_QUERY, detail, because=(web.place(seen),))


def _kept_in(reader: Reader, node: ast.expr) -> ast.Name | None:
    """Return the variable whose value is ``node``, or one alternative of a conditional value."""
    parent = reader.module.parent(node)
    while isinstance(parent, ast.IfExp) and parent.test is not node:
        node, parent = parent, reader.module.parent(parent)
    match parent:
        case ast.Assign(targets=[ast.Name() as target], value=value) if value is node:
            return target
        case ast.AnnAssign(target=ast.Name() as target, value=value) if value is node:
            return target
        case _:
            return None


def _alternatives(value: ast.expr) -> list[ast.expr]:
    if isinstance(value, ast.IfExp):
        return [*_alternatives(value.body), *_alternatives(value.orelse)]
    return [value]


def _binding_of(flow: Flow, target: ast.Name) -> Binding | None:
    known = flow.definitions(target.id)
    if isinstance(known, Unknown):
        return None
    return next((binding for binding in known if binding.node is target), None)


class _Collector:
    """Fills a web from one definition; raises Refused where something is out of sight."""

    def __init__(self, web: Web, roots: Collection[ast.AST]) -> None:
        self._web = web
        self._roots = roots
        self._seen: set[ast.Name] = set()

    def collect(self, binding: Binding) -> None:
        """Add ``binding``, and all that is connected with it."""
        waiting = [binding]
        while waiting:
            one = waiting.pop()
            if one in self._web.definitions:
                continue
            segments = self._define(one)
            self._web.definitions[one] = segments
            for segment in segments:
                if isinstance(segment.start, ast.Name):
                    waiting += self._reaching(segment.start)
            for read in self._reads(one):
                if read not in self._seen:
                    self._seen.add(read)
                    waiting += self._reaching(read)
                    waiting += self._use(read)

    def _define(self, binding: Binding) -> list[Segment]:
        web, value = self._web, binding.value
        what = f"in `{binding.name}`, which is also given something else"
        refused = Refused(reasons.KEPT_QUERY, what, because=(web.place(binding.node),))
        if binding.kind != "assignment" or value is None:
            raise refused
        found = []
        for node in _alternatives(value):
            if _kept_in(web.reader, node) is not binding.node:
                raise refused
            start = self._start(node)
            if start is None:
                raise refused
            links, last = read_links(web.reader.module, start)
            if last is not node:
                raise refused
            found.append(Segment(start, links, node, "kept", ""))
        return found

    def _start(self, node: ast.expr) -> ast.Call | ast.Name | None:
        while isinstance(node, ast.Call) and node not in self._roots:
            if not isinstance(node.func, ast.Attribute):
                return None
            node = node.func.value
        if isinstance(node, ast.Call):
            return node if isinstance(node.func, ast.Attribute) else None
        return node if isinstance(node, ast.Name) else None

    def _reaching(self, read: ast.Name) -> tuple[Binding, ...]:
        reaching = self._web.flow.reaching(read)
        if isinstance(reaching, Reaching) and reaching.definitions:
            return reaching.definitions
        why = reaching.why if isinstance(reaching, Unknown) else "nothing reaches it"
        because = (self._web.place(read, why),)
        raise Refused(reasons.KEPT_QUERY, f"in `{read.id}`; {why}", because=because)

    def _reads(self, binding: Binding) -> tuple[ast.Name, ...]:
        reached = self._web.flow.reached(binding)
        if isinstance(reached, Unknown):
            raise Refused(
                reasons.KEPT_QUERY,
                f"in `{binding.name}`; {reached.why}",
                because=(Place(reached.place.path, reached.place.span, reached.why),),
            )
        return reached

    def _use(self, read: ast.Name) -> tuple[Binding, ...]:
        """Add what is done with the value of ``read``; return the definition if it is kept."""
        module = self._web.reader.module
        links, node = read_links(module, read)
        target = _kept_in(self._web.reader, node)
        if target is not None:
            binding = _binding_of(self._web.flow, target)
            if binding is None:
                because = (self._web.place(target),)
                raise Refused(reasons.KEPT_QUERY, f"in `{target.id}`", because=because)
            return (binding,)
        try:
            ending, end, whole = read_end(module, node)
        except Refused as refused:
            line = module.line_column(module.span(read))[0]
            detail = f"`{read.id}` in line {line}"
            raise _located(refused, detail, self._web.place(node, detail)) from None
        if module.in_fstring(read):
            raise Refused(reasons.INSIDE_FSTRING, because=(self._web.place(read),))
        self._web.uses.append(Segment(read, links, whole, ending, end))
        return ()


def _located(refused: Refused, detail: str, place: Place) -> Refused:
    """Return ``refused`` with the use that it is about in its message."""
    located = Refused(refused.reason, cure=refused.cure, because=(place, *refused.because))
    located.message = f"{refused.message} ({detail})"
    return located
