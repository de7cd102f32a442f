"""Functions that a web framework injects and that give a session of their own."""

from __future__ import annotations

import ast
from typing import Literal

from msgspec import Struct

from awaken.contract import Place
from awaken.knowledge.injection import injection
from awaken.project.frameworks.sqlalchemy.made_sessions.made import (
    MadeSession,
    closes,
    made_session,
)
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.names.functions.injections import OVERRIDES
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, FunctionOrLambda, last_name


class SessionDependency(Struct, frozen=True):
    """The result of an injected function: the session ``made``, under ``name`` if it has one.

    ``gives`` says how: a ``return`` leaves it open; ``yield`` comes back after the request.
    ``closed`` says whether every path closes it then: ``always``, ``sometimes`` (an error of the
    request, or another way, leaves it open) or ``never``. ``swallows`` is a handler around the
    ``yield`` that ends without ``raise``. ``called`` are direct calls, and ``hidden`` says what may
    hide more of them, empty for nothing; ``injected`` is where it is injected first, or where it
    replaces another one if it ``overrides`` that.
    """

    made: MadeSession
    name: str
    gives: Literal["return", "yield"]
    closed: Literal["always", "sometimes", "never"]
    injected: Place
    swallows: Place | None = None
    called: tuple[Place, ...] = ()
    hidden: str = ""
    overrides: bool = False


def session_dependency(
    evaluator: ProgramEvaluator, module: Module, function: FunctionOrLambda
) -> SessionDependency | None:
    """Return what ``function`` gives if it is injected and gives a session; None if not."""
    if isinstance(function, ast.Lambda):
        return _overriding(evaluator, module, function)
    given = _given_pair(module, function)
    if given is None or not _may_be_injected(evaluator, function):
        return None
    gives, value = given
    opened = _opened_session(evaluator, module, function, value)
    if opened is None:
        return None
    callers = evaluator.callers_of(module, function)
    overriding = [item.place for item in callers.obstacles if _overrides(evaluator, item.place)]
    injected = overriding + [
        obstacle.place
        for obstacle in callers.obstacles
        if obstacle.kind == "framework" and _injects(evaluator, obstacle.place)
    ]
    if not injected:
        return None
    made, name, manager = opened
    others = [
        item
        for item in callers.obstacles
        if item.kind not in {"framework", "outside"} and item.place not in overriding
    ]
    return SessionDependency(
        made,
        name,
        gives,
        _closing_of(module, value, name, gives, manager=manager),
        injected[-1],
        _swallowing(module, function, value),
        tuple(site.place for site in callers.sites),
        others[0].why if others else "",
        bool(overriding),
    )


def _overriding(
    evaluator: ProgramEvaluator, module: Module, node: ast.Lambda
) -> SessionDependency | None:
    """Return what ``overrides[get_db] = lambda: SessionLocal()`` gives; None for other lambdas."""
    match module.parent(node), node.body:
        case ast.Assign(targets=[ast.Subscript(value=owner)]), ast.Call() as call if (
            last_name(owner) == OVERRIDES
        ) and not any(isinstance(part, ast.arg) for part in ast.walk(node.args)):
            made, place = made_session(evaluator, module, call), module.place(node)
            if made is not None:
                return SessionDependency(made, "", "return", "never", place, overrides=True)
    return None


def _may_be_injected(evaluator: ProgramEvaluator, function: Function) -> bool:
    """Whether a file that injects names ``function``, which is cheaper than what it gives."""
    words, name = evaluator.callers.words, function.name
    injecting = sorted(dependency.rpartition(".")[2] for dependency in injection().dependencies)
    injecting.append(OVERRIDES)
    paths = {path for word in injecting for path in words.files_with(word)}
    return (
        name.startswith("__")  # of an instance that is injected
        or any(name.encode() in words.text(path) for path in sorted(paths))
        # Other files may contain another name of one of them.
        or any(words.files_of_kind(word, "renamed") for word in (*injecting, name))
    )


def _injects(evaluator: ProgramEvaluator, place: Place) -> bool:
    return any(evaluator.injections.provider(*call) for call in evaluator.calls_at(place))


def _overrides(evaluator: ProgramEvaluator, place: Place) -> bool:
    """Whether the function is named to put another in its place: ``overrides[get_db] = other``."""
    module = evaluator.load(place.path)
    if module is None:
        return False
    statements = map(module.statement_of, module.expressions_at({place.span}))
    starts = [module.span(statement).start for statement in statements if statement is not None]
    text = module.source.text
    return any(OVERRIDES.encode() in text[start : place.span.end] for start in starts)


def _given_pair(
    module: Module, function: Function
) -> tuple[Literal["return", "yield"], ast.expr] | None:
    """Return what a function returns or yields, if it does so at exactly one place."""
    given, yields = module.outputs_of(function), module.yields_of(function)
    if len(given) != 1 or not all(isinstance(node, ast.Yield) and node.value for node in yields):
        return None
    return "yield" if yields else "return", given[0]


def _opened_session(
    evaluator: ProgramEvaluator, module: Module, function: Function, value: ast.expr
) -> tuple[MadeSession, str, bool] | None:
    """Return the session that ``value`` is, its name, and whether ``with`` makes it."""
    if isinstance(value, ast.Call):
        made = made_session(evaluator, module, value)
        return None if made is None else (made, "", False)
    binding = module.scopes.only_binding(value)
    if binding is None or binding.scope.node is not function:
        return None
    opening = binding.value
    made = made_session(evaluator, module, opening) if isinstance(opening, ast.Call) else None
    return None if made is None else (made, binding.name, binding.kind == "with")


def _closing_of(
    module: Module, value: ast.expr, name: str, gives: str, *, manager: bool
) -> Literal["always", "sometimes", "never"]:
    if manager:
        return "always"
    if gives == "return":
        return "never"
    for above in module.ancestors(value):
        if isinstance(above, ast.Try) and any(closes(node, name) for node in above.finalbody):
            return "always"
    function = module.enclosing_function(value)
    statements = module.nodes_below(function, ast.stmt)
    return "sometimes" if any(closes(statement, name) for statement in statements) else "never"


def _swallowing(module: Module, function: Function, value: ast.expr) -> Place | None:
    """Return a handler around a ``yield`` after which the error of the request is gone."""
    for above in module.ancestors(value):
        if above is function:
            return None
        for handler in above.handlers if isinstance(above, ast.Try) else ():
            if not any(isinstance(node, ast.Raise) for node in module.walk(handler)):
                return module.place(handler)
    return None
