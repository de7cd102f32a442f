"""Connections that objects of a library get as items of an attribute: it reads them later.

``config.attributes["connection"] = connection`` gives the synchronous connection. Calls that are
passed the object run inside of `run_sync`, if all of them are visible.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reasons import HANDED_SESSION
from awaken.contract import Span, TextEdit
from awaken.kit.changes import Member, member
from awaken.kit.search import nodes_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.library_names import word_list
from awaken.project.frameworks.sqlalchemy.made_sessions.kept_connections import (
    argument_for,
    is_in_same_function,
    names_keeping,
)
from awaken.project.source.expressions.expression_uses import use_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import variable_of

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart

_SET_FOR_LIBRARY = (
    "Set it, and call what reads it, in one function that you pass to "
    "`await connection.run_sync(...)`."
)


def kept_connections(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield what puts a session or a connection into an attribute of an object of a library."""
    for module, node in nodes_with(part.project, word_list("unfollowed"), ast.Assign):
        match node.targets:
            case [ast.Subscript(value=ast.Attribute(value=owner)) as item]:
                resource = part.project.orm.resource_of(module, node.value)
                if isinstance(resource, str) and _is_of_library(part, module, owner):
                    site: Site[ast.Assign] = Site(rule, module, node)
                    is_kept = resource == "connection" and _is_kept(part, module, owner, node.value)
                    why = Refused(HANDED_SESSION, module.excerpt(item), _SET_FOR_LIBRARY)
                    shown = f"`{module.excerpt(item)}`"
                    yield member(site, shown, _rewrite) if is_kept else Member(site, why, shown)


def _is_of_library(part: SynchronousPart, module: Module, owner: ast.expr) -> bool:
    """Whether an object surely is of a class that no file of the program defines."""
    names = part.project.instance_of(module, owner)
    return bool(names) and all(part.project.class_facts(name) is None for name in names)


def _rewrite(site: Site[ast.Assign]) -> Rewrite:
    module, value = site.module, site.node.value
    # Any greenlet of `run_sync` serves it, also that of another connection.
    end = module.span(value).end
    edit = TextEdit(path=module.path, anchor=Span(end, end), text=".sync_connection", site=site.id)
    return Rewrite(
        f"the library gets the synchronous connection of `{module.excerpt(value)}`", [edit]
    )


def _is_kept(part: SynchronousPart, module: Module, owner: ast.expr, given: ast.expr) -> bool:
    """Whether the connection in a variable is put into an object of which all calls are visible."""
    made = module.scopes.only_value(owner)
    if not isinstance(made, ast.Call) or not isinstance(given, ast.Name):
        return False
    # Of other classes it is not known what reads the attribute.
    is_keeping = part.project.qualified_name(module, made.func) in twins().handed.keeping
    return is_keeping and _is_followed(part, module, owner, given)


def _is_followed(
    part: SynchronousPart, module: Module, variable: ast.expr | None, given: ast.expr | None = None
) -> bool:
    """Whether all calls are visible that are passed the object in a variable.

    A function that puts ``given`` into the object may return it.
    """
    if not isinstance(variable, ast.Name) or not names_keeping(module):
        return False
    made = module.scopes.only_value(variable)
    reads = module.scopes.reads_of(variable)
    # Elsewhere the connection has no name, and code may run when its block is over.
    if made is None or not all(is_in_same_function(module, made, read) for read in reads):
        return False
    kept = part.project.orm.operations.kept_connections
    return all(
        way == "attribute"
        or (way == "argument" and kept.is_followed(module, above, read))
        or (way == "returned" and _is_taken(part, module, module.enclosing_function(read), given))
        for read in reads
        for way, above in (use_of(module, read),)
    )


def _is_taken(
    part: SynchronousPart, module: Module, function: ast.AST | None, given: ast.expr | None
) -> bool:
    """Whether each call of a function passes ``given``, and puts the result into a variable."""
    calls = part.project.calls
    if not isinstance(function, ast.FunctionDef) or not isinstance(given, ast.Name):
        return False
    made = calls.graph().callers(part.place_of(module, function))
    return calls.callers_of(module, function).complete and all(
        argument_for(module, function, given, node) is not None
        and _is_followed(part, home, variable_of(home.parent(node)))
        for call in made
        for home, node in part.project.calls_at(call.place)
    )
