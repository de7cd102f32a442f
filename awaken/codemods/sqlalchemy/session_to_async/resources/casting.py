"""Strings that the database takes for something else: they are cast where they are given.

psycopg2 writes them into a statement without a type, and PostgreSQL takes `'7'` for the number that
it is compared with. Other drivers send them as `VARCHAR`, which no number is compared with.

Strings by which `get` looks for objects become numbers if the key is one. asyncpg takes no text
for a number.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.added_functions import imported_name
from awaken.codemods.sqlalchemy.session_to_async.reads.computed import (
    SQL_FUNCTION,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import NOT_AWAITABLE_HERE
from awaken.contract import Edit
from awaken.kit.changes import Member
from awaken.kit.search import modules_with, nodes_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.ecosystem import typed_arguments
from awaken.knowledge.library_names import name_list
from awaken.knowledge.sql_names import sql_names
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_revision
from awaken.project.source.trees import is_text, last_name
from awaken.project.source.words import called_words
from awaken.project.values.domain import InstanceOf, NoneValue, Value, without_none

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.codemods.sqlalchemy.session_to_async.resources.database_urls import Urls
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.engines.engine_facts import Engine

INTEGERS = {"BIGINT", "BigInteger", "INTEGER", "Integer", "SMALLINT", "SmallInteger"}
"""Types of columns of whole numbers."""
_TYPES = INTEGERS | name_list("plain_types")
_STRING = {"builtins.str"}
_CLASSES = {"Decimal", "bool", "date", "datetime", "float", "int", "time", "timedelta"}
_WORDS = (
    *(b"where(", b"filter(", b"filter_by(", b"having(", b"join("),
    *called_words("and_", "or_"),
    b".between(",
    *(f".{name}(".encode() for name in sorted(name_list("criteria_among"))),
)
_COMPARED = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_OPERATORS = {"between", "is_distinct_from", "is_not_distinct_from", "isnot_distinct_from"}
_AMONG = name_list("criteria_among")
_COLLECTIONS = {"builtins.frozenset", "builtins.list", "builtins.set", "builtins.tuple"}
_KEEPING = {"distinct", "filter", "filter_by", "limit", "offset", "options", "order_by", "where"}
"""Methods of a statement behind which `filter_by` is of the class that it selects."""
_ATOMS = (ast.Attribute, ast.Call, ast.Name, ast.Subscript)


def is_typed(project: Project, module: Module, node: ast.Attribute) -> bool:
    """Whether an expression is a column of a mapped class that holds no strings."""
    mapped = project.orm.mapped_class(project.qualified_name(module, node.value))
    column = None if mapped is None else mapped.columns.get(node.attr)
    if column is None:
        return False
    return column.type_name in (_CLASSES if column.type is None else _TYPES)


def is_string(project: Project, module: Module, node: ast.expr) -> bool | None:
    """Whether a string may be None instead; None where it may be anything else."""
    if isinstance(node, ast.Name) and _is_decoded(project, module, node):
        return False
    classes, values = _classes(project, module, node), project.values.of(module, node)
    is_text = classes == _STRING or _is_passed(project, module, node, classes)
    is_optional = NoneValue() in values.alternatives
    if not is_text or (is_optional and not isinstance(node, ast.Name | ast.Attribute)):
        return None
    return is_optional


def _classes(project: Project, module: Module, node: ast.expr) -> set[str]:
    """Return the classes of what an expression may be, None aside; empty for what is no object."""
    if _is_subject(project, module, node):
        return _STRING
    values = project.values.of(module, node).alternatives
    return {getattr(value, "qualified", "") for value in values if value != NoneValue()}


def _is_subject(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether it is the subject of a token, which is a string by RFC 7519."""
    match module.scopes.only_value(node) or node:
        case (
            ast.Call(func=ast.Attribute(value=claims, attr="get"), args=[ast.Constant("sub"), *_])
            | ast.Subscript(value=claims, slice=ast.Constant("sub"))
        ):
            known = project.values.of(module, claims)
            return known.is_known and _classes(project, module, claims) == {"builtins.dict"}
    return False


def _is_passed(project: Project, module: Module, node: ast.expr, declared: set[str]) -> bool:
    """Whether a caller passes a string to a parameter that is declared as what a column holds."""
    binding = module.scopes.parameter_of(node)
    names = {name.rpartition(".")[2] for name in declared}
    if binding is None or not names or not names <= _CLASSES:
        return False
    passed = project.calls.passed_to(module, binding, declared=True)
    given = () if passed is None else passed.given
    return any(_classes(project, item.module, item.node) == _STRING for item in given)


def _is_decoded(project: Project, module: Module, node: ast.Name) -> bool:
    """Whether a variable has just been given what ``decode`` makes of bytes."""
    start = module.span(node).start
    before = [
        binding
        for binding in module.scopes.bindings_of(node)
        if module.span(binding.node).start < start and not isinstance(binding.node, ast.arg)
    ]
    if not before:
        return False
    last = max(before, key=lambda binding: module.span(binding.node).start)
    statement, here = module.statement_of(last.node), module.statement_of(node)
    match statement:
        case ast.Assign(
            value=ast.Call(func=ast.Attribute(value=owner, attr="decode"), args=args, keywords=[])
        ) if last_name(owner) not in {"codecs", "jwt"}:
            is_plain = all(map(is_text, args))
        case _:
            return False
    is_module = project.qualified_name(module, owner) is not None
    block = module.block_of(statement)
    return is_plain and not is_module and here is not None and here in block


class Waiting:
    """The expressions that wait in one program: `await` is written before each."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part
        self._calls = {call.place for calls in part.calls.values() for call in calls}

    def starts(self, module: Module, node: ast.expr) -> set[int]:
        """Return where that begins which waits inside of an expression."""
        around = self._part.function_around(module, node)
        operations = {module.place(x.node) for x in self._part.operations_of(module, around)}
        waiting = operations | self._calls
        inside = list(module.nodes_below(node, ast.expr))
        return {module.span(part).start for part in inside if module.place(part) in waiting}


def keys_of_get(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the strings by which `get` looks for objects that have a number for a key."""
    project, waiting = part.project, Waiting(part)
    for module, node in nodes_with(project, (b".get(",), ast.Call):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[cls, key, *_]) if (
                _is_number(project, module, cls)
            ):
                is_text = is_string(project, module, key) is False
                session = project.orm.session_of(module, owner) if is_text else None
                if isinstance(session, SessionProof) and not module.scopes.is_bound("int", key):
                    yield _number(Site(rule, module, key), key, waiting)


def _number(site: Site[ast.AST], key: ast.expr, waiting: Waiting) -> Member:
    """Return the rewrite of a key that is a string, and has to be a number."""
    module, shown = site.module, f"`{site.module.excerpt(key)}`"
    if waiting.starts(module, key):
        refused = Refused(NOT_AWAITABLE_HERE, f"{shown}, a key that is not a number")
        return Member(site, refused, shown)
    # Not inserted around it: an argument may be added after it.
    edits: list[Edit] = [site.replace(key, f"int({module.text_of(key)})")]
    message = f"{shown} becomes a number, because the driver accepts no string for it"
    caveat = "`int` raises ValueError for a string that is not a number"
    return Member(site, Rewrite(message, edits, [caveat]), shown)


def _is_number(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether an expression is a mapped class that has one number for a key."""
    mapped = project.orm.mapped_class(project.qualified_name(module, node))
    columns = () if mapped is None else mapped.columns.values()
    return [item.type_name in INTEGERS | {"int"} for item in columns if item.primary_key] == [True]


class _Given(NamedTuple):
    """A string, or ``many``, and what it is to be cast to: a type of the program, or its name."""

    string: ast.expr
    written: str
    type: str = ""
    is_optional: bool = False
    many: bool = False


def typed_strings(
    part: SynchronousPart, rule: str, urls: Urls, engines: Sequence[Engine]
) -> Iterator[Member]:
    """Yield the rewrites of such strings in one program, if one of its drivers changes so."""
    project = part.project
    if any(driver.exact for driver in urls.drivers(engines).values()):
        yield from keys_of_get(part, rule)
    if not any(map(urls.leaves_types, engines)):
        return
    waiting = Waiting(part)
    words = (*_WORDS, *sorted({name.encode() for name, _ in typed_arguments()}))
    for module in modules_with(project, words):
        if is_revision(module):
            continue
        for node in module.walk():
            for given in _given_arguments(project, module, node):
                site: Site[ast.AST] = Site(rule, module, given.string)
                shown = f"`{module.excerpt(given.string)}`"
                begins = module.span(given.string).start in waiting.starts(module, given.string)
                refused = Refused(NOT_AWAITABLE_HERE, f"{shown}, a string that is cast")
                yield Member(site, refused if begins else _cast(site, given), shown)


def _cast(site: Site[ast.AST], given: _Given) -> Rewrite:
    """Return what casts a string."""
    module, string = site.module, given.string
    cast, brought = imported_name(site, "sqlalchemy", "cast", string)
    literal, needed = imported_name(site, "sqlalchemy", "literal", string)
    edits: list[Edit] = [brought, needed]
    wanted = given.written
    if given.type:
        package, _, name = given.type.rpartition(".")
        wanted, needed = imported_name(site, package, name, string)
        edits.append(needed)
    before, behind = f"{cast}({literal}(", f"), {wanted})"
    if given.many:
        word = module.fresh_local(string, "one", "value")
        before, behind = f"[{before}{word}{behind} for {word} in ", "]"
        if not isinstance(string, _ATOMS):
            before, behind = f"{before}(", f"){behind}"
    elif given.is_optional:
        before, behind = f"(None if {module.text_of(string)} is None else {before}", f"{behind})"
    edits += [site.insert_before(string, before), site.insert_behind(string, behind)]
    message = f"`{module.excerpt(string)}` is cast, so that the driver sends a string"
    return Rewrite(message, edits)


def _given_arguments(project: Project, module: Module, node: ast.AST) -> Iterator[_Given]:
    match node:
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if isinstance(
            operator, _COMPARED
        ):
            for column, string in ((left, right), (right, left)):
                yield from _compared_strings(project, module, column, string)
        case ast.Call(
            func=ast.Attribute(value=column, attr=method), args=[_, *_] as arguments, keywords=[]
        ) if method in _OPERATORS:
            for argument in arguments:
                yield from _compared_strings(project, module, column, argument)
        case ast.Call(
            func=ast.Attribute(value=ast.Attribute() as column, attr=method), args=[among]
        ) if method in _AMONG and is_typed(project, module, column):
            yield from _strings_of(project, module, f"{module.text_of(column)}.type", among)
        case ast.Call(func=ast.Attribute(value=statement, attr="filter_by"), keywords=keywords):
            for keyword in keywords:
                yield from _by_name(project, module, statement, keyword)
        case ast.Call(func=ast.Attribute(attr=name) as function, args=[_, *_] as arguments) if (
            project.qualified_name(module, function) or ""
        ).startswith(SQL_FUNCTION):
            yield from _arguments(project, module, name, arguments)


def _arguments(
    project: Project, module: Module, name: str, given: Sequence[ast.expr]
) -> Iterator[_Given]:
    """Yield the strings that a function of the database is given for something else."""
    for position, argument in enumerate(given):
        wanted = typed_arguments().get((name, position))
        if wanted is not None and is_string(project, module, argument) is False:
            yield _Given(argument, "", wanted)


def _compared_strings(
    project: Project, module: Module, column: ast.expr, given: ast.expr
) -> Iterator[_Given]:
    """Yield a string that a column is compared with."""
    if isinstance(column, ast.Attribute) and is_typed(project, module, column):
        is_optional = is_string(project, module, given)
        if is_optional is not None:
            yield _Given(given, f"{module.text_of(column)}.type", is_optional=is_optional)


def _by_name(
    project: Project, module: Module, statement: ast.expr, given: ast.keyword
) -> Iterator[_Given]:
    """Yield a string that a column of the class is compared with which a statement selects."""
    selected = _selected_class(project, module, statement)
    if selected is None or given.arg is None:
        return
    column = ast.Attribute(selected, given.arg, ast.Load())
    is_optional = is_string(project, module, given.value)
    if is_optional is not None and is_typed(project, module, column):
        wanted = f"{module.text_of(selected)}.{given.arg}.type"
        yield _Given(given.value, wanted, is_optional=is_optional)


def _strings_of(project: Project, module: Module, wanted: str, given: ast.expr) -> Iterator[_Given]:
    """Yield the strings of a display, or the collection of strings, among which a column is."""
    match given:
        case ast.List(elts=items) | ast.Set(elts=items) | ast.Tuple(elts=items):
            for node in items:
                if is_string(project, module, node) is False:
                    yield _Given(node, wanted)
        case ast.ListComp(elt=item) | ast.SetComp(elt=item):
            if is_string(project, module, item) is False:
                yield _Given(item, wanted)
        case _:
            possible_values = project.values.of(module, given)
            known = without_none(possible_values.alternatives)
            among = project.values.items_of(module, given)
            are_strings = among.instance_of == ("builtins.str",) and not among.may_be_none
            if are_strings and possible_values.is_known and all(map(_is_collection, known)):
                yield _Given(given, wanted, many=True)


def _is_collection(value: Value) -> bool:
    return isinstance(value, InstanceOf) and value.qualified in _COLLECTIONS


def _selected_class(project: Project, module: Module, statement: ast.expr) -> ast.expr | None:
    """Return the class that a statement selects, which is that of a `filter_by` after it."""
    while isinstance(statement, ast.Call):
        match statement.func, statement.args:
            case ast.Attribute(value=before, attr=method), _ if method in _KEEPING:
                statement = before
            case function, [ast.Name() | ast.Attribute() as selected]:
                is_select = project.qualified_name(module, function) in sql_names().selects
                return selected if is_select else None
            case _:
                return None
    return None
