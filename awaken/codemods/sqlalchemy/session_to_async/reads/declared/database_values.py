"""Columns that the database computes: they are fetched when a row is written.

Otherwise SQLAlchemy expires them then, and loads them when they are read. Columns that are set to
an SQL expression are fetched in the same way if the flush after it is not visible. See
https://docs.sqlalchemy.org/en/20/orm/persistence_techniques.html, "Fetching Server-Generated
Defaults".

Reads of responses and schemas run in a greenlet, where the columns load as before.

Such columns are deferred by the mapping or an option of a statement. Or they are an expression,
which every flush of their object expires.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.sqlalchemy.session_to_async.foreign.bridged_models import BridgedModels
from awaken.codemods.sqlalchemy.session_to_async.reads.declared.mapper_arguments import (
    argument_edit,
    is_read,
    own_arguments,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import mapped_in
from awaken.codemods.sqlalchemy.session_to_async.reasons import DATABASE_VALUE, LATE_COLUMN
from awaken.contract import Edit, Place
from awaken.kit.changes import Member, member
from awaken.kit.imports import name_from_same_module
from awaken.kit.search import nodes_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.source.programs.alembic_files import is_in_revision
from awaken.project.source.trees import Function, is_constant, keyword_of, last_name

if TYPE_CHECKING:
    from awaken.kit.relationships.sides import Key
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read
    from awaken.project.source.modules import Module

_WORDS = (b"onupdate", b"Computed")
_SETTING = "eager_defaults"


def fetched_when_written(
    project: Project, rule: str, assigned: Mapping[str, Collection[str]]
) -> Iterator[Member]:
    """Yield the mapped classes that fetch what the database computes in an update.

    A value that an insert computes is fetched without this, if the database returns rows.
    ``assigned`` are the columns by their classes that are given an expression of SQL, and flushed
    somewhere.
    """
    computed = _computed_values(project)
    declared: set[Place] = set()
    for qualified in sorted({*computed, *assigned}):
        pair = project.class_definition(qualified)
        if pair is None:
            continue
        site, names, is_set = Site(rule, *pair), computed[qualified], _is_set(project, qualified)
        read = [] if is_set else [word for word in sorted(names) if is_read(project, word)]
        given = {
            word: declaration
            for word in sorted(set(assigned.get(qualified, ())) - names)
            if (declaration := column_declaration(project, rule, qualified, word)) is not None
        }
        edits: list[Edit] = []
        try:
            if not is_set and (read or given):
                why = Refused(DATABASE_VALUE, f"{site.node.name}.{[*read, *given][0]}")
                edits = [argument_edit(project, site, qualified, f'"{_SETTING}": True', why)]
        except Refused as refused:
            # An assigned object may be flushed when nobody reads it any more.
            if read:
                yield Member(site, refused, f"`{site.node.name}`")
            continue
        if edits:
            message = _message(site.node.name, [*read, *given])
            yield Member(site, Rewrite(message, edits), f"`{site.node.name}`")
        for name, declaration in given.items():
            if declaration.place not in declared:
                declared.add(declaration.place)
                shown = f"`{site.node.name}.{name}`"
                yield member(declaration, shown, _fetched_rewrite, project, site.node.name, name)


def _fetched_rewrite(site: Site[ast.expr], project: Project, owner: str, name: str) -> Rewrite:
    """Return what has a column fetched that an assignment gives an expression. Raises Refused."""
    message = f"fetches `{owner}.{name}`, which the database computes from the assigned expression"
    return Rewrite(message, fetched_edits(project, site))


def _message(name: str, columns: Sequence[str]) -> str:
    shown = " and ".join(f"`{name}.{column}`" for column in columns)
    if len(columns) == 1:
        return f"fetches {shown} when a row changes, because the database computes it"
    return f"fetches {shown} when a row changes, because the database computes them"


def _computed_values(project: Project) -> defaultdict[str, set[str]]:
    """Return the mapped classes with the columns that the database computes in an update."""
    result: defaultdict[str, set[str]] = defaultdict(set)
    for module, node in nodes_with(project, _WORDS, ast.ClassDef, revisions=False):
        declaring = module.full_name(node)
        for qualified in (declaring, *project.all_subclasses(declaring)):
            mapped = project.orm.mapped_class(qualified)
            columns = {} if mapped is None else mapped.columns
            for name, column in columns.items():
                if column.is_computed_on_update:
                    result[qualified].add(name)
    return result


def _is_set(project: Project, qualified: str) -> bool:
    """Whether the class says already that it fetches what the database computes."""
    value = own_arguments(project, qualified)
    if not isinstance(value, ast.Dict):
        return False
    pairs = zip(value.keys, value.values, strict=True)
    return any(
        isinstance(key, ast.Constant)
        and key.value == _SETTING
        and isinstance(said, ast.Constant)
        and said.value is True
        for key, said in pairs
    )


_MAPPED_COLUMN = "sqlalchemy.orm.mapped_column"
COLUMNS = frozenset({"sqlalchemy.Column", _MAPPED_COLUMN})
"""What declares a column by a call."""
_FETCHED = "sqlalchemy.FetchedValue"
_FETCHING = "server_onupdate"


def fetched_edits(project: Project, site: Site[ast.expr]) -> list[Edit]:
    """Return the edits that make SQLAlchemy fetch a column after an update.

    Raises Refused where a name that is needed means something else there.
    """
    node = site.node
    if isinstance(node, ast.Call):
        fetched, imports = name_from_same_module(project, site, node.func, _FETCHED)
        return [site.add_keyword(node, _FETCHING, f"{fetched}()"), *imports]
    fetched, imports = name_from_same_module(project, site, None, _FETCHED)
    column, more = name_from_same_module(project, site, None, _MAPPED_COLUMN)
    code = f" = {column}({_FETCHING}={fetched}())"
    return [site.insert_behind(node, code), *imports, *more]


def column_declaration(
    project: Project, rule: str, qualified: str, name: str
) -> Site[ast.expr] | None:
    """Return what declares a column of a mapped class, in its body or in that of a base.

    That is a call, or an annotation alone. None where it is no plain call of ``Column`` or
    ``mapped_column`` and no ``Mapped[...]``. None also if it declares how an update computes it.
    """
    for ancestor in project.orm.mapping_ancestors(qualified):
        pair = project.class_definition(ancestor)
        if pair is None:
            continue
        module, owner = pair
        for statement in owner.body:
            match statement:
                case (
                    ast.Assign(targets=[ast.Name(id=declared)], value=ast.Call() as node)
                    | ast.AnnAssign(target=ast.Name(id=declared), value=ast.Call() as node)
                ) if declared == name:
                    called = project.qualified_name(module, node.func)
                    is_said = any(each.arg in {None, _FETCHING} for each in node.keywords)
                    return Site(rule, module, node) if called in COLUMNS and not is_said else None
                case ast.AnnAssign(
                    target=ast.Name(id=declared), annotation=annotation, value=None
                ) if declared == name:
                    mapped = (
                        annotation.value if isinstance(annotation, ast.Subscript) else annotation
                    )
                    is_mapped = project.qualified_name(module, mapped) == "sqlalchemy.orm.Mapped"
                    return Site(rule, module, annotation) if is_mapped else None
    return None


_EXPRESSION_WORDS = (b"column_property",)


def is_expression(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether a call declares a SQL expression, which is expired when its object is flushed."""
    if project.qualified_name(module, call.func) != "sqlalchemy.orm.column_property":
        return False
    first = call.args[0] if call.args else None
    called = first.func if isinstance(first, ast.Call) else None
    return called is None or project.qualified_name(module, called) not in COLUMNS


def declared_columns(project: Project, module: Module, call: ast.Call) -> Iterator[Key]:
    """Yield the columns that a call declares: in the body of a class, or for one outside."""
    inside = module.enclosing_class(call)
    owner = None if inside is None else module.full_name(inside)
    match module.statement_of(call):
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if (
            owner is not None
        ):
            yield owner, name
        case ast.Assign(targets=[ast.Attribute(value=mapped, attr=name)]):
            owner = project.qualified_name(module, mapped)
            if owner is not None:
                yield owner, name
        case ast.Return() as returned if owner is not None:
            # Of a `declared_attr`, which is named as the column.
            function = module.enclosing_function(returned)
            if isinstance(function, ast.FunctionDef):
                yield owner, function.name


def read_expressions(project: Project) -> frozenset[Key]:
    """Return the expressions of a program that something reads, each by its class and name."""
    declared = {
        key
        for module, call in nodes_with(project, _EXPRESSION_WORDS, ast.Call, revisions=False)
        if is_expression(project, module, call)
        for key in declared_columns(project, module, call)
    }
    names = {name for _, name in declared}
    reads = project.orm.reads.columns.reads_of(names) if names else ()
    read = {read.attribute for read in reads}
    return frozenset(key for key in declared if key[1] in read)


_LATE_WORDS = (b"deferred", b"column_property")
_OPTIONS = (b"load_only", b"defer")
_OF_EXPRESSION = (
    "Await it in a function and pass its value on. SQLAlchemy reloads an expression after every "
    "write of its object, deferred or not."
)
_VALIDATED = {"response", "schema"}


class _Late(Struct, frozen=True):
    """A column of a class; ``place`` is the call that says so, perhaps of one statement alone.

    An expression is loaded late whether or not it is deferred.
    """

    owner: str
    name: str
    place: Place
    is_option: bool = False
    is_expression: bool = False


class LateColumns:
    """The loads of such columns in one program."""

    def __init__(self, project: Project, rule: str) -> None:
        self._project = project
        self._rule = rule
        late = [*self._mapped_columns(), *self._by_options()]
        names = {column.name for column in late}
        reads = tuple(project.orm.reads.columns.reads_of(names) if names else ())
        self._reads = [(read, item) for item in late for read in reads if self._is_late(read, item)]
        validated = [read for read, _ in self._reads if read.how in _VALIDATED]
        # A response may read the column of an object that its own object leads to.
        leading = {
            name
            for place in sorted({read.given for read in validated if read.given is not None})
            for module, node in project.expressions_at(place)
            for name in mapped_in(project, project.values.of(module, node).alternatives)
        }
        owners = frozenset({read.owner for read in validated} | leading)
        self._models = BridgedModels(project, lambda name: self._is_one_of(name, owners))

    # ------------------------------------------------------------------------------- declarations
    def _mapped_columns(self) -> Iterator[_Late]:
        """Yield what the mapping says."""
        for module, node in nodes_with(self._project, _LATE_WORDS, ast.Call, revisions=False):
            if self._is_declared_late(module, node):
                yield from self._declared_columns(module, node)

    def _is_declared_late(self, module: Module, call: ast.Call) -> bool:
        name = self._project.qualified_name(module, call.func)
        if is_constant(keyword_of(call, "deferred"), value=True):
            return name is not None and name.startswith(("sqlalchemy.", "sqlmodel."))
        return name == "sqlalchemy.orm.deferred" or is_expression(self._project, module, call)

    def _declared_columns(self, module: Module, call: ast.Call) -> Iterator[_Late]:
        computed = is_expression(self._project, module, call)
        for owner, name in declared_columns(self._project, module, call):
            yield _Late(owner, name, module.place(call), is_expression=computed)

    def _by_options(self) -> Iterator[_Late]:
        """Yield what options of statements defer."""
        for module, node in nodes_with(self._project, _OPTIONS, ast.Call, revisions=False):
            kind, place = last_name(node.func), module.place(node)
            columns = [self._column(module, argument) for argument in node.args]
            named = [column for column in columns if column is not None]
            if kind == "defer":
                yield from (_Late(owner, name, place, is_option=True) for owner, name in named)
            elif kind == "load_only":
                for owner in dict.fromkeys(owner for owner, _ in named):
                    loaded = {name for word, name in named if word == owner}
                    for name in self._others(owner, loaded):
                        yield _Late(owner, name, place, is_option=True)

    def _column(self, module: Module, node: ast.expr) -> tuple[str, str] | None:
        if not isinstance(node, ast.Attribute):
            return None
        owner = self._project.qualified_name(module, node.value)
        return None if owner is None else (owner, node.attr)

    def _others(self, owner: str, loaded: set[str]) -> Iterator[str]:
        mapped = self._project.orm.mapped_class(owner)
        for name, facts in mapped.columns.items() if mapped is not None else ():
            if name not in loaded and not facts.primary_key:
                yield name

    # -------------------------------------------------------------------------------------- reads
    def _is_late(self, read: Read, late: _Late) -> bool:
        if read.attribute != late.name or is_in_revision(self._project, read.place):
            return False
        if not read.owner:
            return not late.is_option and not self._is_called(read)
        if late.owner not in self._project.orm.mapping_ancestors(read.owner):
            return False
        return not late.is_option or any(
            option.path == late.place.path and option.span.contains(late.place.span)
            for trace in read.traces
            for option in trace.load.options
        )

    def _is_called(self, read: Read) -> bool:
        """Whether the attribute is called: then it is a method with the same name."""
        pair = self._attribute_at(read)
        above = None if pair is None else pair[0].parent(pair[1])
        return isinstance(above, ast.Call) and pair is not None and above.func is pair[1]

    def _attribute_at(self, read: Read) -> tuple[Module, ast.Attribute] | None:
        """Return the attribute that is read by its name in Python code."""
        for module, node in self._project.expressions_at(read.place):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                return module, node
        return None

    def awaited(self) -> Iterator[Place]:
        """Yield the reads in Python code that are awaited."""
        return (read.place for read, _ in self._reads if self._is_awaited(read))

    # ------------------------------------------------------------------------------- validations
    def _is_one_of(self, name: str, owners: frozenset[str]) -> bool:
        mapped = self._project.orm.mapped_class(name)
        return mapped is not None and not owners.isdisjoint(
            self._project.orm.mapping_ancestors(name)
        )

    def validated(self) -> dict[Place, Operation]:
        """Return what is validated in a greenlet, where such columns load as they did."""
        operations: dict[Place, Operation] = {}
        for read, _ in self._reads:
            operations.update(self._validating(read))
        return operations

    def _validating(self, read: Read) -> dict[Place, Operation]:
        """Return the operations, by their places, by which schemas and responses read.

        Reads of an unknown object there run in the greenlet, too.
        """
        if read.how not in _VALIDATED or read.given is None:
            return {}
        return self._models.operations_on(read.given, read.attribute)

    def classes(self) -> list[str]:
        """Return the classes whose columns are awaited."""
        return sorted({read.owner for read, _ in self._reads if self._is_awaited(read)})

    def _is_awaited(self, read: Read) -> bool:
        """Whether a read is awaited: what Python itself calls, as a property, can await nothing."""
        pair = self._attribute_at(read)
        around = None if pair is None else pair[0].enclosing_function(pair[1])
        if not read.owner or not isinstance(around, Function):
            return False
        is_dunder = around.name.startswith("__") and around.name.endswith("__")
        decorators = map(last_name, around.decorator_list)
        return not is_dunder and not any(decorator.endswith("property") for decorator in decorators)

    def members(self) -> Iterator[Member]:
        """Yield the reads that cannot be awaited, and those of an unknown object."""
        refused = {
            late: read.place
            for read, late in self._reads
            if not self._is_awaited(read) and not self._validating(read)
        }
        for late, place in refused.items():
            for module, call in self._project.calls_at(late.place)[:1]:
                shown = f"{late.owner.rpartition('.')[2]}.{late.name}"
                cure = _OF_EXPRESSION if late.is_expression else ""
                why = Refused(LATE_COLUMN, shown, cure, because=(place,))
                yield Member(Site(self._rule, module, call), why, f"`{shown}`")
