"""Functions that use the database and then run a server, which has an event loop of its own.

Their database calls run in a loop before that, as in a script.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from itertools import product

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.find.application_factories import uses_of_variables
from awaken.codemods.sqlalchemy.session_to_async.payload import ENCLOSE, Enclosed
from awaken.codemods.sqlalchemy.session_to_async.scripts.disposal import Disposal
from awaken.codemods.sqlalchemy.session_to_async.scripts.event_loops import Loops
from awaken.codemods.sqlalchemy.session_to_async.scripts.regions import Region, runs_no_loop
from awaken.codemods.sqlalchemy.session_to_async.scripts.waiting import is_one_call, waiting_in
from awaken.contract import Edit
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.expressions.listed_names import readers_of_names

Enclose = Callable[[Site[ast.AST], FunctionPlace, Sequence[ast.stmt]], list[Edit]]
"""Gives the edits that make statements of a function those of a coroutine function."""
_LEAVING = ast.Return | ast.Yield | ast.YieldFrom | ast.Global


class Serving:
    """Writes such functions of one program."""

    def __init__(self, part: SynchronousPart, disposal: Disposal) -> None:
        self._part = part
        self._disposal = disposal
        self._loops = Loops(part)

    def rewritten(self, site: Site[ast.AST], node: ast.FunctionDef, enclose: Enclose) -> Rewrite:
        """Return the rewrite of a function that serves. Raises Refused."""
        module, function = site.module, self._part.place_of(site.module, node)
        if not self._disposal.is_possible(module):
            raise Refused(reasons.NO_ENGINE, function.qualname)
        waiting = waiting_in(self._part, module, node)
        indices = [
            index
            for index, statement in enumerate(node.body)
            for part in waiting.nodes()
            if module.span(statement).contains(module.span(part))
        ]
        message = f"`{function.qualname}` runs the asynchronous code before it serves"
        if not indices:
            raise Refused(reasons.HANDED_ON, function.qualname)
        region = Region(module, node, min(indices), max(indices))
        self._loops.check(module, function, region.statements)
        statement = region.statements[0]
        is_alone = isinstance(statement, ast.Expr) and statement.value in waiting.calls
        if is_alone and is_one_call(self._part, region, waiting):
            return Rewrite(message, *self._disposal.run_in_place(site, waiting.calls[0]))
        region = self._closed_region(region, node, function)
        edits = enclose(site, function, region.statements)
        name = module.scopes.fresh_name(f"before_{node.name.strip('_')}", "before_serving")
        run, more, caveats = self._disposal.run(site, f"{name}()")
        data = Enclosed(
            name=name,
            run=run,
            before=region.statements_above,
            behind=region.statements_below,
            kept=(),
            blank_lines=2,
        )
        return Rewrite(message, [*edits, *more, site.rewrite(node, ENCLOSE, data)], caveats)

    def _closed_region(
        self, region: Region, node: ast.FunctionDef, function: FunctionPlace
    ) -> Region:
        """Return a region with as much around it as it shares names with. Raises Refused."""
        module, project = region.module, self._part.project
        readers = readers_of_names(module, module.scopes.scope_made_by(node))
        leaving = (part for part in module.walk(node) if isinstance(part, _LEAVING))
        if not any(readers) and all(module.enclosing_function(part) != node for part in leaving):
            last = [region.last]
            for statement in node.body[region.last + 1 :]:
                if not runs_no_loop(project, module, statement, self._loops):
                    break
                last.append(last[-1] + 1)
            start = 0 if ast.get_docstring(node) is None else 1
            for end, first in product(last, range(region.first, start - 1, -1)):
                wider = Region(module, node, first, end)
                is_apart = not wider.shares_a_line and node.body[0].lineno != node.lineno
                if is_apart and not _shares_names(wider, node):
                    self._loops.check(module, function, wider.statements)
                    return wider
        entries = self._part.entry_points.found[function]
        place = next(entry.at for entry in entries if entry.kind == "server")
        shown = f"`{module.excerpt(module.calls_at(place.span)[0])}`"
        raise Refused(reasons.LOOP_INSIDE, shown, because=(place,))


def _shares_names(region: Region, node: ast.FunctionDef) -> bool:
    """Whether statements and the rest of their function have a variable in common."""
    inside = {*range(region.first, region.last + 1)}
    return any(uses & inside and uses - inside for uses in uses_of_variables(region.module, node))
