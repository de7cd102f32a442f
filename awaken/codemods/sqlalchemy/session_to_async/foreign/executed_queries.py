"""Queries from code that is not visible, such as collections of another package's models.

Code that executes one sends it synchronously, and there is nothing to await.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reasons import DYNAMIC_COLLECTION
from awaken.kit.changes import Member
from awaken.kit.search import nodes_with
from awaken.kit.sites import Refused, Site
from awaken.knowledge.library_names import library_names, name_list
from awaken.knowledge.schemas import schema_knowledge
from awaken.project.source.expressions.expression_uses import Use, use_of
from awaken.project.source.trees import Function, last_name, without_arguments

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_QUERY = "sqlalchemy.orm.Query"
_KNOWN = schema_knowledge().models
_VALIDATORS = frozenset((*_KNOWN.validators, *_KNOWN.field_validators))
_EXECUTING = name_list("executing_queries")
_ITERATING = library_names().consuming | {"enumerate", "filter", "iter", "map", "zip"}
_HELP = (
    'Call this code with `await session.run_sync(...)`, or declare `lazy="write_only"` in the '
    "package of the collection."
)


def executed_queries(project: Project, rule: str, *, is_bridged: bool) -> Iterator[Member]:
    """Yield the places where something that is known to be a query is executed.

    Validators of models do that in a greenlet where ``is_bridged``.
    """
    for module, executed in nodes_with(project, (b"Query",), ast.Name, revisions=False):
        if not _executes(module, executed) or not _is_query(project, module, executed):
            continue
        if not (is_bridged and _is_in_validator(project, module, executed)):
            site: Site[ast.AST] = Site(rule, module, executed)
            shown = module.excerpt(executed)
            yield Member(site, Refused(DYNAMIC_COLLECTION, shown, _HELP), f"`{shown}`")


def _is_in_validator(project: Project, module: Module, name: ast.Name) -> bool:
    """Whether a model calls the function around when it is given an object."""
    function = module.enclosing_function(name)
    return isinstance(function, Function) and any(
        project.qualified_name(module, without_arguments(decorator)) in _VALIDATORS
        for decorator in function.decorator_list
    )


def _executes(module: Module, name: ast.Name) -> bool:
    """Whether a variable is executed here, if it holds a query."""
    match use_of(module, name):
        case Use("iterated" | "item" | "unpacked") | Use("other", ast.YieldFrom()):
            return True
        case Use("attribute", ast.Attribute(attr=method)):
            return method in _EXECUTING and module.method_call_on(name) is not None
        case Use("argument", call):
            return module.scopes.builtin_called(call) in _ITERATING
        case Use("compared", ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[items])):
            return items is name
    return False


def _is_query(project: Project, module: Module, name: ast.Name) -> bool:
    """Whether the function around asks of a variable whether it is one.

    A visible query is one of ``session.query()``, which is refused there.
    """
    function = module.enclosing_function(name)
    for node in module.walk(function) if function is not None else ():
        match node:
            case ast.Call(args=[ast.Name(id=asked), kinds]) if (
                asked == name.id and last_name(node.func) == "isinstance"
            ):
                each = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
                if any(project.qualified_name(module, part) == _QUERY for part in each):
                    return True
    return False
