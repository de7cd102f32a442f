"""Values that the database computes or has already: objects read them after a statement.

A flush computes an attribute that is set to an SQL expression, and expires it. Reading it loaded
it.

A bulk update expires an attribute that Python cannot compute of each object that the session has.
``get`` gives such an object as it is, and reading the attribute loads it (SQLAlchemy,
"ORM-Enabled INSERT, UPDATE, and DELETE statements").

A row that an upsert returns keeps its identity, so the session returns the object that it has. A
synchronous session expired that when it committed, and filled it again from the row (SQLAlchemy,
"Using RETURNING with upsert statements").
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.added_functions import imported_name
from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import below_headers
from awaken.codemods.sqlalchemy.session_to_async.reads.declared.mapper_arguments import is_read
from awaken.codemods.sqlalchemy.session_to_async.reads.kept_state import changed_class
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import kind_of
from awaken.codemods.sqlalchemy.session_to_async.reads.persistence import Persistence
from awaken.codemods.sqlalchemy.session_to_async.reads.stale import Anew, holds_back, populating
from awaken.contract import Edit, Place
from awaken.kit.changes import Member
from awaken.kit.names_here import values_behind
from awaken.kit.search import modules_with
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.source.trees import chained_calls, last_name, root_of
from awaken.project.source.words import called_words
from awaken.project.source.worklist import preorder
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


_UPDATING_WORDS = (b".values(",)


def got_behind_updates(project: Project) -> dict[Place, Anew]:
    """Return the calls of ``get`` that have to read again, with the argument for that."""
    updated = {
        (owner, name)
        for module in modules_with(project, _UPDATING_WORDS)
        if not is_of_alembic(module)
        for owner, name in _computed_columns(project, module)
    }
    reads = project.orm.reads.columns.reads_of({name for _, name in updated}) if updated else ()
    places = {
        trace.load.place
        for read in reads
        if any((name, read.attribute) in updated for name in _hierarchy(project, read.owner))
        for trace in read.traces
        if trace.load.kind == "get" and len(trace.path) == 1
    }
    is_held = holds_back(project) if places else False
    reloads = {place: populating(project, place, is_held=is_held) for place in places}
    return {place: said for place, said in reloads.items() if said is not None}


def _hierarchy(project: Project, qualified: str) -> tuple[str, ...]:
    """Return a class with those that it inherits from and those that inherit from it."""
    return (*project.orm.mapping_ancestors(qualified), *project.all_subclasses(qualified))


def _computed_columns(project: Project, module: Module) -> Iterator[tuple[str, str]]:
    """Yield the columns that bulk updates of a file give expressions of SQL, with their classes."""
    for node in module.walk():
        match node:
            case ast.Call(func=ast.Attribute(value=chain, attr="values")):
                owner, _ = changed_class(project, module, chain)
                for name, value in _given_pairs(node) if owner else ():
                    if is_sql_expression(project, module, value):
                        yield owner, name


def _given_pairs(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield keyword.arg, keyword.value
    for argument in call.args:
        if isinstance(argument, ast.Dict):
            for key, value in zip(argument.keys, argument.values, strict=True):
                match key:
                    case ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                        yield name, value


_RUNNING = library_names().executing_methods
_UPDATING = b"on_conflict_do_update"


def returned_by_upserts(project: Project) -> dict[Place, Anew]:
    """Return the calls that run upserts which return objects, with the argument to reload them."""
    places = (
        module.place(call)
        for path in project.files_with((_UPDATING,))
        if (module := project.module(path)) is not None
        for call in _upserts(project, module)
    )
    return dict.fromkeys(places, Anew("execution_options", '{"populate_existing": True}'))


def _upserts(project: Project, module: Module) -> Iterator[ast.Call]:
    for node in module.walk():
        match node:
            case ast.Call(func=ast.Attribute(value=session, attr=method), args=[given, *_]) if (
                method in _RUNNING
            ):
                is_upsert = _returns_objects(project, module, given)
                if is_upsert and not _changes_objects(module, node):
                    proof = project.orm.session_of(module, session)
                    if isinstance(proof, SessionProof) and not proof.kind.startswith("async"):
                        yield node


def _returns_objects(project: Project, module: Module, statement: ast.expr) -> bool:
    """Whether a statement updates rows that are there, and returns objects of a mapped class.

    It may be made in several assignments, as SQLAlchemy documents it with ``excluded``.
    """
    chains = map(chained_calls, values_behind(module, statement))
    calls = {last_name(call.func): call for chain in chains for call in chain}
    returned = calls["returning"].args if "returning" in calls else []
    classes = (project.qualified_name(module, part) for part in returned)
    return _UPDATING.decode() in calls and any(map(project.orm.mapped_class, classes))


def _changes_objects(module: Module, call: ast.Call) -> bool:
    """Whether a function sets attributes before, which would be lost where they are not written."""
    around, start = module.enclosing_function(call), module.span(call).start
    return around is not None and any(
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and module.span(node).start < start
        for node in module.walk(around)
    )


SQL_FUNCTION = "sqlalchemy.func."
"""What the name of a function of SQL begins with."""
_OTHERS = {"sqlalchemy.case", "sqlalchemy.literal_column", "sqlalchemy.text"}


def is_sql_expression(project: Project, module: Module, value: ast.expr) -> bool:
    """Whether a value calls a function of SQL, or computes with a column of a class."""
    for node in preorder([value], _parts):
        if isinstance(node, ast.Call):
            name = project.qualified_name(module, node.func) or ""
            if name.startswith(SQL_FUNCTION) or name in _OTHERS:
                return True
        elif isinstance(node, ast.Attribute) and not isinstance(value, ast.Attribute):
            # Attributes with names of Python or SQLAlchemy are not columns.
            if node.attr.startswith("__"):
                continue
            if project.orm.mapped_class(project.qualified_name(module, node.value)) is not None:
                return True
    return False


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the operands of a value, without the arguments of a call: a session runs those."""
    below = [node.func] if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
    return (part for part in below if isinstance(part, ast.expr))
