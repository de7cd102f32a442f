"""Strings that the database takes for something else: they are cast where they are given.

psycopg2 writes them into a statement without a type, and PostgreSQL takes `'7'` for the number that
it is compared with. Other drivers send them as `VARCHAR`, which no number is compared with.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.reads.sql_expressions import SQL_FUNCTIONS
from awaken.codemods.sqlalchemy.session_to_async.resources.helpers import imported
from awaken.contract import Edit
from awaken.kit.changes import Member
from awaken.kit.search import modules_with
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.ecosystem import typed_arguments
from awaken.project.source.migrations import is_revision
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name
from awaken.project.values.domain import InstanceOf, NoneValue

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.resources.urls import Urls
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.engines.domain import Engine

_WORDS = (b"where(", b"filter(", b"having(", b"and_(", b"or_(", b"join(")
_COMPARED = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_TYPES = {
    *("BIGINT", "BOOLEAN", "BigInteger", "Boolean", "DATE", "DATETIME", "Date", "DateTime"),
    *("FLOAT", "Float", "INTEGER", "Integer", "Interval", "NUMERIC", "Numeric", "SMALLINT"),
    *("SmallInteger", "TIME", "TIMESTAMP", "Time"),
}
"""Types of columns that leave a string as it is: SQLAlchemy sends it as one."""
_CLASSES = {"Decimal", "bool", "date", "datetime", "float", "int", "time", "timedelta"}


class _Given(NamedTuple):
    """A string, and what it is to be cast to: an attribute of the program, or a type's name."""

    string: ast.expr
    column: ast.Attribute | None
    type: str
    is_optional: bool


def typed_strings(
    project: Project, rule: str, urls: Urls, engines: Sequence[Engine]
) -> Iterator[Member]:
    """Yield what becomes of such strings in one program, if one of its drivers changes so."""
    if not any(map(urls.leaves_types, engines)):
        return
    words = (*_WORDS, *sorted({name.encode() for name, _ in typed_arguments()}))
    for module in modules_with(project, words):
        if is_revision(module):
            continue
        for node in module.walk():
            for given in _given(project, module, node):
                site: Site[ast.AST] = Site(rule, module, given.string)
                shown = f"`{module.excerpt(given.string)}`"
                yield Member(site, _cast(site, given), shown)


def _cast(site: Site[ast.AST], given: _Given) -> Rewrite:
    """Return what casts a string."""
    module, string = site.module, given.string
    cast, brought = imported(site, "sqlalchemy", "cast", string)
    literal, needed = imported(site, "sqlalchemy", "literal", string)
    edits: list[Edit] = [brought, needed]
    if given.column is None:
        package, _, name = given.type.rpartition(".")
        wanted, needed = imported(site, package, name, string)
        edits.append(needed)
    else:
        wanted = f"{module.text_of(given.column)}.type"
    before, behind = f"{cast}({literal}(", f"), {wanted})"
    if given.is_optional:
        before, behind = f"(None if {module.text_of(string)} is None else {before}", f"{behind})"
    edits += [site.insert_before(string, before), site.insert_behind(string, behind)]
    message = f"`{module.excerpt(string)}` is cast: its driver says then that it is a string"
    return Rewrite(message, edits)


def _given(project: Project, module: Module, node: ast.AST) -> Iterator[_Given]:
    match node:
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if isinstance(
            operator, _COMPARED
        ):
            for column, string in ((left, right), (right, left)):
                if isinstance(column, ast.Attribute) and _is_typed(project, module, column):
                    is_optional = _is_string(project, module, string)
                    if is_optional is not None:
                        yield _Given(string, column, "", is_optional)
        case ast.Call(func=ast.Attribute(attr=name) as function, args=[_, *_] as arguments) if (
            project.qualified_name(module, function) or ""
        ).startswith(SQL_FUNCTIONS):
            for position, argument in enumerate(arguments):
                wanted = typed_arguments().get((name, position))
                if wanted is not None and _is_string(project, module, argument) is False:
                    yield _Given(argument, None, wanted, is_optional=False)
        case _:
            pass


def _is_typed(project: Project, module: Module, node: ast.Attribute) -> bool:
    """Whether an expression is a column of a mapped class that holds no strings."""
    owner = project.qualified_name(module, node.value)
    mapped = None if owner is None else project.orm.mapped_class(owner)
    column = None if mapped is None else mapped.columns.get(node.attr)
    if column is None:
        return False
    if column.type is not None:
        return column.type.rpartition(".")[2] in _TYPES
    return (column.annotated or "").rpartition(".")[2] in _CLASSES


def _is_string(project: Project, module: Module, node: ast.expr) -> bool | None:
    """Whether a string may be None instead; None where it may be anything else."""
    if isinstance(node, ast.Name) and _is_decoded(project, module, node):
        return False
    values = project.values.of(module, node).alternatives
    strings = [one for one in values if one != NoneValue()]
    is_text = strings and all(
        isinstance(one, InstanceOf) and one.qualified == "builtins.str" for one in strings
    )
    is_optional = len(strings) < len(values)
    if not is_text or (is_optional and not isinstance(node, ast.Name | ast.Attribute)):
        return None
    return is_optional


def _is_decoded(project: Project, module: Module, node: ast.Name) -> bool:
    """Whether a variable has just been given what ``decode`` makes of bytes."""
    start = module.span(node).start
    before = [
        one
        for one in module.scopes.bindings_of(node)
        if module.span(one.node).start < start and not isinstance(one.node, ast.arg)
    ]
    if not before:
        return False
    last = max(before, key=lambda one: module.span(one.node).start)
    statement, here = module.statement_of(last.node), module.statement_of(node)
    match statement:
        case ast.Assign(
            value=ast.Call(func=ast.Attribute(value=owner, attr="decode"), args=args, keywords=[])
        ) if last_name(owner) not in {"codecs", "jwt"}:
            is_plain = all(
                isinstance(one, ast.Constant) and isinstance(one.value, str) for one in args
            )
        case _:
            return False
    is_module = project.qualified_name(module, owner) is not None
    block = module.block_of(statement)
    return is_plain and not is_module and here is not None and here in block
