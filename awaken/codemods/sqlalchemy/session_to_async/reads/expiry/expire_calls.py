"""Objects that the program expires one by one: they are reloaded after that.

The next read of them did that. ``expire`` stays, because it drops changes that are not flushed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.find.operations_of_files import calls_of_expire
from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import Step, loaded_as_read
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.read_of import ReadOf, kept_steps
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import mapped_in
from awaken.codemods.sqlalchemy.session_to_async.reads.persistence import Persistence
from awaken.codemods.sqlalchemy.session_to_async.reasons import NOT_AWAITABLE_HERE
from awaken.contract import Edit, Place
from awaken.kit.changes import Member
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import twins
from awaken.project.source.modules import Module
from awaken.project.source.trees import root_of, written_name
from awaken.project.values.domain import classes_in

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.loaded_relationships import Loading
    from awaken.project import Project


class ExpireCalls:
    """The loads after ``session.expire(user)`` in one program."""

    def __init__(self, project: Project, rule: str, loading: Loading) -> None:
        self._project = project
        self._rule = rule
        self._loading = loading
        self._reads = ReadOf(project)
        self._found = {
            module.place(call): module.place(statement)
            for module, call in calls_of_expire(project)
            if (statement := module.statement_of(call)) is not None
        }

    def places(self) -> frozenset[Place]:
        """Return the statements after which something is loaded."""
        return frozenset(self._found.values())

    def members(self) -> Iterator[Member]:
        """Yield the loads that are written after them."""
        for module, call in calls_of_expire(self._project):
            site: Site[ast.AST] = Site(self._rule, module, call)
            shown = f"`{module.excerpt(call)}`"
            try:
                outcome: Rewrite | Refused = self._loaded_rewrite(site, call)
            except Refused as refused:
                outcome = refused
            yield Member(site, outcome, shown)

    def _loaded_rewrite(self, site: Site[ast.AST], call: ast.Call) -> Rewrite:
        """Return what loads again what a call expires. Raises Refused."""
        module, statement = site.module, site.module.statement_of(call)
        given, names = call.args[0], call.args[1] if len(call.args) > 1 else None
        for keyword in call.keywords:
            names = keyword.value if keyword.arg == "attribute_names" else names
        is_statement = isinstance(statement, ast.Expr) and statement.value is call
        is_named = isinstance(given, ast.Name | ast.Attribute)
        if statement is None or not is_statement or not is_named:
            raise Refused(NOT_AWAITABLE_HERE, f"`{module.excerpt(call)}`")
        text, session = module.text_of(given), module.text_of(call.func).rpartition(".")[0]
        wanted = [f", {module.text_of(names)}" if names is not None else ""]
        read = self._read_of(module, given) if names is None else []
        if read:
            listed = ", ".join(f'"{name}"' for name in read)
            wanted.append(f", attribute_names=[{listed}]")
        code = "".join(f"await {session}.refresh({text}{name})\n" for name in wanted)
        if back := [*dict.fromkeys(self._led_back(module, call, text))]:
            code += loaded_as_read(session, back)
        following = self._next_use(module, statement, given)
        edits: list[Edit]
        if following is not None and _sends_before(module, statement, following):
            code, imports = Persistence(self._project).guarded(site, following, text, code)
            edits = [site.insert_statements(module.place(following), "before", code), *imports]
        else:
            edits = [site.insert_statements(module.place(statement), "after", code)]
        return Rewrite(f"reloads `{text}` where it is expired", edits)

    def _read_of(self, module: Module, node: ast.expr) -> list[str]:
        """Return the relationships of an object that are read somewhere."""
        classes = classes_in(self._project.values.of(module, node).alternatives)
        return sorted({x for owner in classes for x in self._loading.read_by_themselves(owner)})

    def _next_use(self, module: Module, statement: ast.stmt, given: ast.expr) -> ast.stmt | None:
        """Return the next statement of the same block that names the object, or may lead to it."""
        block, first = module.block_of(statement), root_of(given)
        owners = mapped_in(self._project, self._project.values.of(module, given).alternatives)
        for node in block[block.index(statement) + 1 :]:
            for name in module.nodes_below(node, ast.Name):
                values = self._project.values.of(module, name).alternatives
                if name.id == written_name(first) or owners & mapped_in(self._project, values):
                    return node
        return None

    def _led_back(self, module: Module, call: ast.Call, text: str) -> Iterator[Step]:
        """Yield the reads of an object after a call, by relationships that lead both ways.

        A refresh that comes back to the object by the other side leaves it unloaded there.
        """
        for node in module.walk(module.enclosing_def(call)):
            if (
                isinstance(node, ast.Name | ast.Attribute)
                and module.span(node).start >= module.span(call).end
                and module.text_of(node) == text
            ):
                values = self._project.values.of(module, node).alternatives
                for step in kept_steps(self._loading, self._reads.along(module, node, values)):
                    inverse_of = self._project.orm.reads.inverse_of
                    if all(inverse_of(owner, step.name) for owner in step.owners):
                        yield step


def _sends_before(module: Module, statement: ast.stmt, following: ast.stmt) -> bool:
    """Whether something between two statements of a block may write to the database."""
    block = module.block_of(statement)
    between = block[block.index(statement) + 1 : block.index(following)]
    methods = twins().methods()
    return any(
        isinstance(node, ast.Call)
        and (not isinstance(node.func, ast.Attribute) or node.func.attr in methods)
        for part in between
        for node in module.walk(part)
    )
