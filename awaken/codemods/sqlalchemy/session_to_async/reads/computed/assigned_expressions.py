"""Attributes that are set to an SQL expression: their value is loaded after the flush.

The database computes the value in a flush, which expires the attribute. Reading it loaded it.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.added_functions import imported_name
from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import below_headers
from awaken.codemods.sqlalchemy.session_to_async.reads.computed.sql_expressions import (
    is_sql_expression,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.declared.mapper_arguments import is_read
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import kind_of
from awaken.codemods.sqlalchemy.session_to_async.reads.persistence import Persistence
from awaken.contract import Edit, Place
from awaken.kit.changes import Member
from awaken.kit.search import modules_with
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.knowledge.library_names import name_list
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.source.trees import root_of
from awaken.project.source.words import called_words
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.project import Project

_WORDS = (b"func", b"ession", *called_words("text", "case"))
_FLUSHING = name_list("writing_methods")


class _Given(NamedTuple):
    """An assignment, the object, the attribute, and the flush after it, if one is visible.

    ``loop`` is the iterable of a loop that gives the objects, and is flushed after it.
    """

    assignment: ast.Assign
    owner: ast.Name | ast.Attribute
    attribute: str
    flush: ast.Expr | None
    is_conditional: bool = False
    loop: ast.expr | None = None


class AssignedExpressions:
    """The loads after such assignments in one program."""

    def __init__(self, project: Project, rule: str) -> None:
        self._project = project
        self._rule = rule
        places: set[Place] = set()
        self._flushed_elsewhere: defaultdict[str, set[str]] = defaultdict(set)
        for module, given in self._all():
            for argument in given:
                if argument.flush is not None:
                    places.add(module.place(argument.flush))
                    continue
                for value in project.values.of(module, argument.owner).alternatives:
                    if isinstance(value, InstanceOf):
                        self._flushed_elsewhere[value.qualified].add(argument.attribute)
        self._places = frozenset(places)

    def places(self) -> frozenset[Place]:
        """Return the statements after which something is loaded."""
        return self._places

    def flushed_elsewhere(self) -> Mapping[str, set[str]]:
        """Return the attributes, by their classes, that have no visible flush."""
        return self._flushed_elsewhere

    def members(self) -> Iterator[Member]:
        """Yield the loads that are written after the flushes."""
        for module, given in self._all():
            for argument in given:
                shown = f"`{module.text_of(argument.owner)}.{argument.attribute}`"
                if argument.flush is not None:
                    site: Site[ast.AST] = Site(self._rule, module, argument.assignment)
                    yield Member(site, self._loaded(site, argument, argument.flush, shown), shown)

    def _loaded(self, site: Site[ast.AST], given: _Given, flush: ast.Expr, shown: str) -> Rewrite:
        module, text = site.module, site.module.text_of(given.owner)
        called = flush.value.func if isinstance(flush.value, ast.Call) else flush.value
        session = module.text_of(called).rpartition(".")[0]
        text = text if given.loop is None else module.fresh_local(flush, "item", "entry")
        code = f'await {session}.refresh({text}, attribute_names=["{given.attribute}"])\n'
        imports: list[Edit] = []
        if given.is_conditional:
            inspect, needed = imported_name(site, "sqlalchemy", "inspect", site.node)
            imports = [needed]
            code = f'if "{given.attribute}" in {inspect}({text}).unloaded:\n    {code}'
        elif given.loop is None:
            code, imports = Persistence(self._project).guarded(site, flush, text, code)
        if given.loop is not None:
            code = below_headers(code, f"for {text} in {module.text_of(given.loop)}")
        edits = [site.insert_statements(module.place(flush), "after", code), *imports]
        return Rewrite(f"loads {shown} after the flush that computes it", edits)

    # ---------------------------------------------------------------------------- assignments
    def _all(self) -> Iterator[tuple[Module, list[_Given]]]:
        for module in modules_with(self._project, _WORDS):
            if is_of_alembic(module):
                continue
            assignments = module.nodes(ast.Assign)
            nodes = [each for node in assignments if (each := self._given(module, node))]
            if nodes:
                yield module, nodes

    def _given(self, module: Module, node: ast.AST) -> _Given | None:
        match node:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name() | ast.Attribute() as owner, attr=name)]
            ) if is_sql_expression(self._project, module, node.value):
                pass
            case _:
                return None
        values = self._project.values.of(module, owner).alternatives
        if kind_of(self._project, values) not in {"one", "optional"}:
            return None
        if module.enclosing_def(node) is None or not is_read(self._project, name):
            return None
        return self._flushed_assignment(module, _Given(node, owner, name, None))

    def _flushed_assignment(self, module: Module, given: _Given) -> _Given | None:
        """Return an assignment with the flush after it, in its block or in one around it.

        None where nothing can hold the object after the flush.
        """
        statement: ast.stmt = given.assignment
        function, loop = module.enclosing_def(statement), None
        while statement is not function:
            block = module.block_of(statement)
            for node in block[block.index(statement) + 1 :]:
                if isinstance(node, ast.Expr) and self._is_flush(module, node):
                    is_inside = statement is given.assignment
                    if loop is None and not is_inside:
                        is_bound = _is_bound_before(module, given.owner, statement)
                        return given._replace(flush=node if is_bound else None, is_conditional=True)
                    return given._replace(flush=node, is_conditional=not is_inside, loop=loop)
            above = module.parent(statement)
            while above is not None and not isinstance(above, ast.stmt):
                above = module.parent(above)
            if above is None or isinstance(above, ast.While | ast.AsyncFor):
                return given
            if isinstance(above, ast.For):
                if loop is not None or not isinstance(above.iter, ast.Name | ast.Attribute):
                    # Values that only a loop receives are not held after it.
                    return None
                loop = above.iter
            statement = above
        return given

    def _is_flush(self, module: Module, statement: ast.stmt) -> bool:
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr=name))) if (
                name in _FLUSHING
            ):
                return self._project.orm.resource_of(module, owner) in BLOCKING_SESSIONS
        return False


def _is_bound_before(module: Module, owner: ast.expr, statement: ast.stmt) -> bool:
    """Whether the variable of an expression has its value in front of a statement already."""
    root = root_of(owner)
    bindings = module.scopes.bindings_of(root)
    start = module.span(statement).start
    return bool(bindings) and all(module.span(binding.node).start < start for binding in bindings)
