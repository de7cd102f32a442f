"""In which cases, and in which order, handlers are registered."""

from __future__ import annotations

import ast

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.codemods.fastapi.on_event_to_lifespan.home import Home
from awaken.contract import Place
from awaken.project import Project
from awaken.project.callers import Function
from awaken.project.modules import Module
from awaken.project.sites import Refused

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_BRANCHES = (ast.If, ast.Try, ast.Match, ast.With, ast.AsyncWith)


def is_conditional(home: Home, statement: ast.stmt) -> bool:
    """Whether ``statement``, in the scope of ``home``, may be left out when that is executed.

    Raises Refused for what no flag can keep: loops, and functions that may end before it.
    """
    module = home.module
    around = _blocks(module, home.statement)
    own = [one for one in _blocks(module, statement) if one not in around]
    place = Place(module.path, module.span(statement))
    if any(isinstance(block, _LOOPS) for block, _ in own):
        raise Refused(reasons.LOOP, because=(place,))
    if home.function is not None:
        returned = _return_between(home, statement)
        if returned is not None:
            why = f"`{module.excerpt(returned)}` may end the function before"
            raise Refused(reasons.CONDITIONAL, why, because=(place,))
    return bool(own)


def steady_test(project: Project, home: Home, statement: ast.stmt) -> ast.Name | None:
    """Return the name that decides alone whether ``statement`` is executed, if it never changes.

    It is bound once, to a value that is as true when the application starts.
    """
    around = _blocks(home.module, home.statement)
    own = [one for one in _blocks(home.module, statement) if one not in around]
    block, branch = own[0] if len(own) == 1 else (None, "")
    test = block.test if isinstance(block, ast.If) and branch == "body" else None
    if not isinstance(test, ast.Name):
        return None
    name = project.qualified_name(home.module, test)
    found = project.definition(name) if name is not None else None
    defining = project.module(found.path) if found is not None else None
    if name is None or defining is None or found is None or found.kind != "assignment":
        return None
    value = defining.scopes.module.bindings[name.rpartition(".")[2]][0].value
    return test if value is not None and _is_frozen(project, defining, value) else None


def _is_frozen(project: Project, module: Module, value: ast.expr) -> bool:
    match value:
        case ast.Constant() | ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Call():
            return project.qualified_name(module, value.func) in _PLAIN
        case _:
            return False


_PLAIN = {
    "builtins.bool", "builtins.float", "builtins.int", "builtins.str", "os.environ.get",
    "os.getenv",
}  # fmt: skip


def _blocks(module: Module, statement: ast.stmt) -> list[tuple[ast.AST, str]]:
    """Return the compound statements around ``statement`` in its scope, each with its branch."""
    found: list[tuple[ast.AST, str]] = []
    below: ast.AST = statement
    for above in module.ancestors(statement):
        if isinstance(above, Function | ast.ClassDef | ast.Module):
            break
        if isinstance(above, (*_LOOPS, *_BRANCHES)):
            branch = next(
                (
                    name
                    for name, value in ast.iter_fields(above)
                    if isinstance(value, list) and any(one is below for one in value)
                ),
                "",
            )
            found.append((above, branch))
        below = above
    return found


def _return_between(home: Home, statement: ast.stmt) -> ast.Return | None:
    start, end = home.module.span(home.statement).end, home.module.span(statement).start
    for node in home.module.walk(home.function):
        if (
            isinstance(node, ast.Return)
            and start <= home.module.span(node).start < end
            and home.module.enclosing_function(node) is home.function
        ):
            return node
    return None
