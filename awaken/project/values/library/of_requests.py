"""Values of a framework for one request: the user, the program's own state, a page."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.knowledge.library_names import name_list
from awaken.project.source.memo import cached_in_file
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.source.worklist import MOST_FILES
from awaken.project.values.domain import (
    FunctionOf,
    InstanceOf,
    NoneValue,
    Producer,
    Unknown,
    Values,
    are_instances,
    classes_in,
    union,
)
from awaken.project.values.questions import Questions

STATE = "starlette.datastructures.State"
_KEEPERS = {"flask.g": "g", "quart.g": "g", STATE: "state"}
"""What holds whatever a program puts into it, by the last word of how it is written."""
_WITH_APPLICATION = name_list("with_application")
_OF_PAGES = "fastapi_pagination.ext"
_PAGINATES_LATER = {f"{_OF_PAGES}.sqlalchemy.apaginate", f"{_OF_PAGES}.sqlmodel.apaginate"}
_PAGINATES = _PAGINATES_LATER | {
    f"{_OF_PAGES}.sqlalchemy.paginate", f"{_OF_PAGES}.sqlmodel.paginate"
}  # fmt: skip


_Site = tuple[Module, ast.AST]


def page_of_route(evaluator: Questions, name: str, module: Module, node: ast.Call) -> Values | None:
    """Return the page that ``paginate`` makes in an endpoint; None where that is not told.

    It is of the class that the route says (fastapi-pagination, "Page"), which holds its items.
    """
    if name not in _PAGINATES:
        return None
    around = module.enclosing_function(node)
    for decorator in around.decorator_list if isinstance(around, Function) else ():
        keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
        declared = next((part.value for part in keywords if part.arg == "response_model"), None)
        if isinstance(declared, ast.Subscript):
            page = evaluator.declared_values(module, declared)
            return (Producer("coroutine", page),) if name in _PAGINATES_LATER else page
    return None


def current_user(evaluator: Questions, name: str, module: Module, node: ast.AST) -> Values | None:
    """Return the user of ``flask_login.current_user``; None if it is no such name.

    Also where no visible code loads one.
    """
    givers = evaluator.knowledge.current_users.get(name)
    if givers is None or not evaluator.follows_callers:
        return None
    sites = [site for giver in givers for site in _giving(evaluator, giver)]
    if not sites:
        return None
    return evaluator.solve(
        ("current user", name),
        module,
        node,
        # A user who is not logged in has no attribute of those that are mapped, as None has not.
        lambda: union(*(_given_by(evaluator, *site) for site in sites), (NoneValue(),)),
        "program",
    )


def _giving(evaluator: Questions, giver: str) -> Iterator[_Site]:
    """Yield the mentions of what gives the user."""
    word = giver.rpartition(".")[2]
    files = evaluator.files_naming(word) or ()
    for module in evaluator.names.facts.mentioning(word, files):
        for node in module.mentions(word):
            if _is(evaluator, giver, module, node):
                yield module, node


def _is(evaluator: Questions, giver: str, module: Module, node: ast.AST) -> bool:
    """Whether a mention is of this function, or may be of this method."""
    if not isinstance(node, ast.Name | ast.Attribute):
        return False
    if evaluator.names.qualified_name(module, node) == giver:
        return True
    owner = giver.rpartition(".")[0]
    if not isinstance(node, ast.Attribute) or not owner.rpartition(".")[2][:1].isupper():
        return False
    # The manager of an application is often not visible: ``app.login_manager.user_loader``.
    values = evaluator.values(module, node.value)
    ancestors = evaluator.classes.library_ancestors
    return all(owner in (name, *ancestors(name)) for name in classes_in(values))


def _given_by(evaluator: Questions, module: Module, node: ast.AST) -> Values:
    """Return the user that one mention of a decorator, or of a function, gives."""
    above = module.parent(node)
    if isinstance(above, Function) and node in above.decorator_list:
        return evaluator.undecorated_results(module, above)
    call = module.call_of(node)
    if call is None or not call.args:
        return ()
    result: Values = ()
    for value in evaluator.values(module, call.args[0]):
        if isinstance(value, FunctionOf) and isinstance(value.node, Function):
            result = union(result, evaluator.undecorated_results(value.module, value.node))
        else:
            result = union(result, (value,))
    return result


def is_state(evaluator: Questions, module: Module, node: ast.Attribute) -> bool:
    """Whether ``node`` is ``request.app.state``: of any application it is of one class."""
    application = node.value
    if node.attr != "state" or not isinstance(application, ast.Attribute):
        return False
    if application.attr != "app":
        return False
    owners = evaluator.values(module, application.value)
    return are_instances(owners, _WITH_APPLICATION.__contains__)


def kept_for_request(
    evaluator: Questions, owner: str, name: str, module: Module, node: ast.AST
) -> Values | None:
    """Return what the program keeps as ``g.name``, or as ``request.state.name``.

    None where no visible code does. The same holds for values that are kept for an application.
    """
    if owner not in _KEEPERS or not evaluator.follows_callers:
        return None
    with_name = set(evaluator.files_naming(name) or ())
    paths = [path for path in evaluator.files_naming(_KEEPERS[owner]) or () if path in with_name]
    if len(paths) > MOST_FILES:
        return (
            Unknown(
                f"`{name}` occurs in {len(paths)} files, too many to follow", module.place(node)
            ),
        )
    sites = [site for path in paths for site in _keeping(evaluator, owner, name, path)]
    if not sites:
        return None
    return evaluator.solve(
        ("kept for a request", owner, name),
        module,
        node,
        lambda: union(*(_put(evaluator, *site) for site in sites)),
        "program",
    )


def _keeping(
    evaluator: Questions, owner: str, name: str, path: str
) -> Iterator[tuple[Module, ast.Attribute]]:
    """Yield the places of a file that put something there."""
    module = evaluator.load(path)
    for target in stored_attributes(module, name) if module is not None else ():
        if module is not None and _is_keeper(evaluator, owner, module, target.value):
            yield module, target


def _put(evaluator: Questions, module: Module, target: ast.Attribute) -> Values:
    return evaluator.assigned_values(module, target, None, None, ())


def _is_keeper(evaluator: Questions, owner: str, module: Module, node: ast.expr) -> bool:
    if evaluator.names.qualified_name(module, node) == owner:
        return True
    if not isinstance(node, ast.Attribute) or node.attr != _KEEPERS[owner]:
        return False
    values = evaluator.values(module, node)
    known = [value for value in values if not isinstance(value, Unknown)]
    return all(isinstance(value, InstanceOf) and value.qualified == owner for value in known)


@cached_in_file
def stored_attributes(module: Module, name: str) -> list[ast.Attribute]:
    """Return the attributes of this name that a file assigns."""
    return [
        node
        for node in module.nodes(ast.Attribute)
        if node.attr == name and isinstance(node.ctx, ast.Store)
    ]
