"""The coroutine function that replaces the statements of a script, and the call that runs it.

The names of a script that other statements see stay those of its file.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from itertools import takewhile

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.functions.function_writer import FunctionWriter
from awaken.codemods.sqlalchemy.session_to_async.payload import ENCLOSE
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import dominates
from awaken.codemods.sqlalchemy.session_to_async.scripts.disposal import Disposal
from awaken.codemods.sqlalchemy.session_to_async.scripts.regions import (
    Loops,
    Region,
    Waiting,
    is_one_call,
    regions_of,
)
from awaken.contract import Edit
from awaken.kit.changes import Member
from awaken.kit.sites import Refused, Rewrite, Site, outcome_of
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.attribute_texts import readers_of_names
from awaken.project.source.modules import Module
from awaken.project.source.trees import asks_for_main

_APART = 2
"""Blank lines above a function of a file."""


def names_kept(module: Module, statements: Sequence[ast.stmt]) -> tuple[str, ...]:
    """Return the names that stay global where ``statements`` move into a function.

    Those are read or bound elsewhere in the file as well, or name builtins before they are bound.
    Raises Refused where the names are unknown or cannot be declared.
    """
    shown = f"`{module.excerpt(statements[0])}`"
    inside = {id(node) for statement in statements for node in module.walk(statement)}
    stars = (node for node in module.nodes(ast.ImportFrom) if id(node) in inside and _is_star(node))
    for node in (*stars, *readers_of_names(module, module.scopes.module)):
        raise Refused(reasons.AT_IMPORT, shown, because=(module.place(node),))
    kept: list[str] = []
    for name, bindings in module.scopes.module.bindings.items():
        own = [binding for binding in bindings if id(binding.node) in inside]
        if own and _is_seen(module, name, bindings, inside):
            declared = next((binding for binding in own if _is_declared(module, binding)), None)
            if declared is not None:
                place = module.place(declared.node)
                raise Refused(reasons.AT_IMPORT, shown, because=(place,))
            kept.append(name)
    return tuple(sorted(kept))


def _is_star(node: ast.ImportFrom) -> bool:
    return any(alias.name == "*" for alias in node.names)


def _is_seen(module: Module, name: str, bindings: Sequence[Binding], inside: set[int]) -> bool:
    """Whether a name that statements bind is more than a variable of theirs."""
    scopes = module.scopes
    is_bound_elsewhere = any(
        id(binding.node) not in inside or module.enclosing_function(binding.node) is not None
        for binding in bindings
    )
    if is_bound_elsewhere or hasattr(builtins, name):
        return True
    # In the body of a class, a name that is bound there is not looked for in functions.
    if any(scope.kind == "class" and name in scope.bindings for scope in scopes.scopes):
        return True
    return any(id(read) not in inside for read in scopes.reads_in(scopes.module, name))


def _is_declared(module: Module, binding: Binding) -> bool:
    """Whether a binding has an annotation, which global names cannot have in a function."""
    return isinstance(module.parent(binding.node), ast.AnnAssign)


class Scripts:
    """Has statements that wait where a process begins run in a loop, all of a file in one."""

    def __init__(
        self, part: SynchronousPart, rule: str, disposal: Disposal, writer: FunctionWriter
    ) -> None:
        self._part = part
        self._rule = rule
        self._disposal = disposal
        self._writer = writer
        self._loops = Loops(part)

    def regions(self, module: Module, waiting: Waiting) -> list[Region]:
        """Return the statements of a file that wait, without a call that is the only one."""
        nodes = waiting.nodes()
        regions = regions_of(self._part.project, module, nodes, self._loops)
        return [region for region in regions if not is_one_call(self._part, region, waiting)]

    def member(self, region: Region, waiting: Waiting) -> Member:
        """Return the rewrite of the statements of a region."""
        module = region.module
        first = next(node for node in waiting.nodes() if region.holds(module.place(node)))
        site: Site[ast.AST] = Site(self._rule, module, region.statements[0])
        outcome = outcome_of(self._enclosed_rewrite, site, region)
        along = tuple(map(module.place, region.statements))
        return Member(site, outcome, f"`{module.excerpt(first)}`", along)

    def _enclosed_rewrite(self, site: Site[ast.AST], region: Region) -> Rewrite:
        """Return how the statements become the body of a function. Raises Refused."""
        module, statements = site.module, region.statements
        if region.shares_a_line:
            raise Refused(reasons.AT_IMPORT, f"`{module.excerpt(site.node)}`")
        edits = self.edits_inside(site, statements)
        # The block that asks for `__main__` has a function of its own.
        names = ["main", "run_script"]
        tests = (node.test for node in module.tree.body if isinstance(node, ast.If))
        if region.holder is module.tree and any(map(asks_for_main, tests)):
            names.reverse()
        name = module.scopes.fresh_name(*names)
        run, more, caveats = self._disposal.run(site, f"{name}()")
        blank_lines = blank_lines_below(lines_above(module, region.holder))
        data = region.as_function(name, run, names_kept(module, statements), blank_lines)
        message = f"`asyncio.run()` runs `{module.excerpt(site.node)}` and the code after it"
        written = site.rewrite(region.holder, ENCLOSE, data)
        others = tuple(map(module.place, statements[1:]))
        return Rewrite(message, [*edits, *more, written], caveats, others)

    def edits_inside(self, site: Site[ast.AST], statements: Sequence[ast.stmt]) -> list[Edit]:
        """Return the edits of statements that a coroutine function runs. Raises Refused."""
        top = self._part.place_of(site.module, None)
        self._loops.check(site.module, top, statements)
        return self._writer.edits_inside(site, top, statements)


def blank_lines_below(lines: list[bytes]) -> int:
    """Return how many blank lines end the first lines of a file, at most two; two for none."""
    blank = [*takewhile(lambda item: not item.strip(), reversed(lines))]
    return min(len(blank), _APART) if lines else _APART


def lines_above(module: Module, statement: ast.AST) -> list[bytes]:
    """Return the lines above the one on which a statement begins."""
    above = module.source.text[: module.span(statement).start].splitlines(keepends=True)
    return [candidate for candidate in above if candidate.endswith((b"\n", b"\r"))]


_OF_BODY = {"except", "for", "with"}
"""Bindings of names that the body below them surely sees."""
_LASTING = {"assignment", "class", "function", "import", "with"}
"""Those that what comes after their statement sees as well."""


def share_names(module: Module, regions: Sequence[Region]) -> bool:
    """Whether a statement of one region may read the value that another one gives a name."""
    for name, bindings in module.scopes.module.bindings.items():
        own = {
            region: [item for item in bindings if region.holds(module.place(item.node))]
            for region in regions
        }
        binding = [region for region in regions if own[region]]
        for read in module.scopes.reads_in(module.scopes.module, name) if binding else ():
            home = next((item for item in binding if item.holds(module.place(read))), None)
            is_alone = home is not None and len(binding) == 1
            if home is None or not (is_alone or any(_sees(module, read, x) for x in own[home])):
                return True
    return False


def _sees(module: Module, read: ast.Name, binding: Binding) -> bool:
    """Whether a binding surely gives a name its value before ``read``."""
    made = module.statement_of(binding.node)
    around = binding.node if binding.kind == "except" else made
    if binding.kind in _OF_BODY and any(
        above is around and below in getattr(above, "body", ())
        for below, above in module.steps_up(read)
    ):
        return True
    statement = module.statement_of(read)
    return (
        binding.kind in _LASTING
        and made is not None
        and statement is not None
        and module.span(made).end <= module.span(read).start
        and dominates(module, made, statement)
    )
