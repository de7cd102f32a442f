"""Blocks with a pool of threads whose workers call what waits.

The block runs in a thread of its own, and each worker hands its coroutine to the event loop and
waits for it there: so many run at once as before, and all connections stay in one loop.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.payload import THREAD, Threaded
from awaken.codemods.sqlalchemy.session_to_async.reasons import HANDED_ON
from awaken.codemods.sqlalchemy.session_to_async.twin_names import import_of_asyncio
from awaken.contract import Edit, Place
from awaken.kit.search import nodes_with
from awaken.kit.sites import Refused, Site
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project

POOL = "concurrent.futures.ThreadPoolExecutor"
_LEAVING = (
    ast.AsyncFunctionDef, ast.Await, ast.Break, ast.ClassDef, ast.Continue, ast.FunctionDef,
    ast.Global, ast.Nonlocal, ast.Return, ast.Yield, ast.YieldFrom,
)  # fmt: skip
"""What cannot move into a function of its own, or may mean something else there."""


class ThreadPools:
    """Finds such blocks of one program: those that do nothing but run lambdas of one call each."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.lambdas: dict[Place, Place] = {}
        for module, node in nodes_with(project, (b"ThreadPoolExecutor",), ast.With):
            block = module.place(node)
            self.lambdas |= {
                module.place(part): block for part in self._lambdas_of_pool(module, node)
            }

    def callers(self, function: FunctionPlace) -> Iterator[Call]:
        """Yield the calls of a function that a worker makes."""
        graph = self._project.calls.graph()
        for call in graph.callers(function) if self.lambdas else ():
            if graph.lambda_around(call) in self.lambdas:
                yield call

    def edits(
        self,
        site: Site[ast.AST],
        root: ast.AST,
        calls: Mapping[Place, Sequence[Call]],
        waiting: Sequence[Place],
    ) -> Iterator[Edit]:
        """Yield what runs the blocks below ``root`` in threads. Raises Refused.

        ``calls`` are those of what waits, by the lambdas around them; ``waiting`` is all else that
        does.
        """
        module = site.module
        blocks: defaultdict[Place, list[Place]] = defaultdict(list)
        for around, block in self.lambdas.items():
            if around.path == module.path and around in calls:
                blocks[block].append(around)
        for node in module.walk(root) if blocks else ():
            if not isinstance(node, ast.With) or module.place(node) not in blocks:
                continue
            block = module.place(node)
            is_all = all(
                around in calls and _is_body(around, calls[around])
                for around, other in self.lambdas.items()
                if other == block
            )
            if not is_all or any(block.span.contains(place.span) for place in waiting):
                raise Refused(HANDED_ON, module.excerpt(node.items[0].context_expr))
            name = module.fresh_local(node, "run_in_threads", "run_workers")
            loop = module.fresh_local(node, "loop", "event_loop")
            yield site.rewrite(
                node, THREAD, Threaded(name, loop, *_names_used_elsewhere(module, node))
            )
            yield import_of_asyncio(self._project, site, node)

    def _lambdas_of_pool(self, module: Module, block: ast.With) -> Iterator[ast.Lambda]:
        """Yield the lambdas that the pool of a block runs; none if it does anything else."""
        match block.items:
            case [ast.withitem(context_expr=ast.Call(func=made), optional_vars=ast.Name(id=pool))]:
                if self._project.qualified_name(module, made) != POOL:
                    return
            case _:
                return
        lambdas: list[ast.Lambda] = []
        for node in (part for statement in block.body for part in module.walk(statement)):
            is_text = isinstance(node, ast.Constant) and node.end_lineno != node.lineno
            if is_text or isinstance(node, _LEAVING):
                return
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name), attr="map" | "submit"),
                    args=[ast.Lambda(body=ast.Call()) as given, *_],
                ) if name == pool:
                    lambdas.append(given)
        names = _names_used_elsewhere(module, block)
        # A function returns one value, which nothing else in the function around it sets.
        if not names or (
            len(names) == 1 and names[0] != pool and _is_set_once(module, block, *names)
        ):
            yield from lambdas


def _names_used_elsewhere(module: Module, block: ast.With) -> list[str]:
    """Return the variables that a block sets and that the function around it uses elsewhere."""
    around, inside = module.enclosing_function(block), module.span(block)
    names = list(module.nodes_below(around, ast.Name)) if around else []
    within = {node for node in names if inside.contains(module.span(node))}
    stored = {node.id for node in within if isinstance(node.ctx, ast.Store)}
    return sorted(stored & {node.id for node in names if node not in within})


def _is_set_once(module: Module, block: ast.With, name: str) -> bool:
    """Whether a statement of the block itself is all that sets a variable."""
    around = module.enclosing_function(block)
    scope = None if around is None else module.scopes.scope_made_by(around)
    bindings = [] if scope is None else scope.bindings.get(name, [])
    return len(bindings) == 1 and module.parent(bindings[0].node) in block.body


def _is_body(around: Place, calls: Sequence[Call]) -> bool:
    """Whether a lambda gives what its only call gives."""
    return len(calls) == 1 and calls[0].place.span.end == around.span.end
