"""Objects that a framework keeps for one request: the user, and what the program keeps there."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.domain import (
    FunctionOf,
    InstanceOf,
    NoneValue,
    Unknown,
    Values,
    union,
)
from awaken.project.values.questions import Questions

_KEEPERS = {
    "flask.g": "g",
    "quart.g": "g",
    "starlette.datastructures.State": "state",
}
"""What holds whatever a program puts into it, by the last word of how it is written."""
_MOST_FILES = 100  # files to parse for one name; flask programs of 500 files have 40 such


def current_user(evaluator: Questions, name: str, module: Module, node: ast.AST) -> Values:
    """Return the user that ``flask_login.current_user`` stands for; empty if it is no such name.

    Also where nothing in sight loads one.
    """
    givers = evaluator.knowledge.current_users.get(name)
    if givers is None or not evaluator.follows_callers:
        return ()
    return evaluator.solved(
        ("current user", name),
        module,
        node,
        lambda: _given(evaluator, givers),
        "program",
    )


def _given(evaluator: Questions, givers: tuple[str, ...]) -> Values:
    found: Values = ()
    for giver in givers:
        word = giver.rpartition(".")[2]
        for path in evaluator.files_naming(word) or ():
            module = evaluator.load(path)
            for node in module.mentions(word) if module is not None else ():
                if module is not None and _is(evaluator, giver, module, node):
                    found = union(found, _given_by(evaluator, module, node))
    # A user who is not logged in has no attribute of those that are mapped, as None has not.
    return union(found, (NoneValue(),)) if found else ()


def _is(evaluator: Questions, giver: str, module: Module, node: ast.AST) -> bool:
    """Whether a mention is of this function, or may be of this method."""
    if not isinstance(node, ast.Name | ast.Attribute):
        return False
    if evaluator.names.qualified(module, node) == giver:
        return True
    owner = giver.rpartition(".")[0]
    if not isinstance(node, ast.Attribute) or not owner.rpartition(".")[2][:1].isupper():
        return False
    # The manager of an application is often out of sight: ``app.login_manager.user_loader``.
    values = evaluator.values(module, node.value)
    return all(
        not isinstance(one, InstanceOf) or _inherits(evaluator, one, owner) for one in values
    )


def _inherits(evaluator: Questions, value: InstanceOf, base: str) -> bool:
    ancestors = evaluator.classes.ancestors(value.qualified)
    return value.qualified == base or (ancestors is not None and base in ancestors.outside)


def _given_by(evaluator: Questions, module: Module, node: ast.AST) -> Values:
    """Return the user that one mention of a decorator, or of a function, gives."""
    above = module.parent(node)
    if isinstance(above, Function) and node in above.decorator_list:
        return evaluator.undecorated(module, above)
    if not isinstance(above, ast.Call) or above.func is not node or not above.args:
        return ()
    found: Values = ()
    for one in evaluator.values(module, above.args[0]):
        if isinstance(one, FunctionOf) and isinstance(one.node, Function):
            found = union(found, evaluator.undecorated(one.module, one.node))
        else:
            found = union(found, (one,))
    return found


def kept_for_request(
    evaluator: Questions, owner: str, name: str, module: Module, node: ast.AST
) -> Values:
    """Return what the program keeps as ``g.name``, or as ``request.state.name``.

    Empty where nothing in sight does. Of what is kept for an application the same is said.
    """
    if owner not in _KEEPERS or not evaluator.follows_callers:
        return ()
    return evaluator.solved(
        ("kept for a request", owner, name),
        module,
        node,
        lambda: _kept(evaluator, owner, name, module, node),
        "program",
    )


def _kept(evaluator: Questions, owner: str, name: str, module: Module, node: ast.AST) -> Values:
    simple = _KEEPERS[owner]
    with_name = set(evaluator.files_naming(name) or ())
    paths = [one for one in evaluator.files_naming(simple) or () if one in with_name]
    if len(paths) > _MOST_FILES:
        return (Unknown(f"`{name}` stands in {len(paths)} files", module.place(node)),)
    found: Values = ()
    for path in paths:
        defining = evaluator.load(path)
        for target in _stored(defining, name) if defining is not None else ():
            if defining is None or not _is_keeper(evaluator, owner, defining, target.value):
                continue
            above = defining.parent(target)
            if isinstance(above, ast.Assign | ast.AnnAssign) and above.value is not None:
                found = union(found, evaluator.values(defining, above.value))
            else:
                why = f"what `{owner}.{name}` is given is not followed"
                found = union(found, (evaluator.unknown(defining, target, why),))
    return found


def _is_keeper(evaluator: Questions, owner: str, module: Module, node: ast.expr) -> bool:
    if evaluator.names.qualified(module, node) == owner:
        return True
    if not isinstance(node, ast.Attribute) or node.attr != _KEEPERS[owner]:
        return False
    values = evaluator.values(module, node)
    known = [one for one in values if not isinstance(one, Unknown)]
    return all(isinstance(one, InstanceOf) and one.qualified == owner for one in known)


def _stored(module: Module, name: str) -> Iterator[ast.Attribute]:
    for node in module.walk():
        if isinstance(node, ast.Attribute) and node.attr == name:
            yield from (node,) if isinstance(node.ctx, ast.Store) else ()
