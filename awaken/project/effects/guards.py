"""The surroundings of a piece of code: handlers that catch what it raises, what runs after it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from awaken.contract import Place
from awaken.knowledge.running import Ending, running
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, Loop, last_name, without_arguments
from awaken.project.values.local.context_managers import ends_by_the_program

_JUMPS = ast.Return | ast.Break | ast.Continue


class Guard(Struct, frozen=True):
    """One thing around a piece of code, in its function.

    ``handler``: catches its exceptions, those in ``catches`` by their qualified names (None for an
    unknown one; ``builtins.BaseException`` where nothing is named). ``finally``: runs after it,
    and catches all if it returns or leaves a loop.
    ``with``: it runs inside this context. ``in-handler``, ``in-finally``: it is a part of such a
    block itself. ``ends`` says whether the context ends exceptions of its block.
    """

    kind: Literal["handler", "finally", "with", "in-handler", "in-finally"]
    place: Place
    catches: tuple[str | None, ...] = ()
    ends: Ending | None = None


def guards_around(evaluator: ProgramEvaluator, module: Module, node: ast.AST) -> tuple[Guard, ...]:
    """Return the guards around ``node`` inside its function, the innermost first."""
    guards: list[Guard] = []
    for below, above in module.steps_up(node):
        if isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            if _runs_later(above, below):
                break
        elif isinstance(above, ast.Try | ast.TryStar):
            guards += _of_try(evaluator, module, above, below)
        elif isinstance(above, ast.ExceptHandler):
            guards.append(Guard("in-handler", module.place(above)))
        elif isinstance(above, ast.With | ast.AsyncWith):
            # Managers are entered one by one: around an item are only those before it.
            inside = above.items if below in above.body else above.items[: _index(above, below)]
            for item in reversed(inside):
                place = module.place(item.context_expr)
                ends = ends_exceptions(evaluator, module, item.context_expr)
                guards.append(Guard("with", place, ends=ends))
    return tuple(guards)


def ends_exceptions(
    evaluator: ProgramEvaluator, module: Module, manager: ast.expr
) -> Ending | None:
    """Return how a context manager ends exceptions of its block.

    None if it does not, or if it is neither known by its name nor of the program.
    """
    called = without_arguments(manager)
    name = evaluator.names.qualified_name(module, called) or last_name(called)
    ending = running().ends_exceptions.get(name.rpartition(".")[2])
    if name in running().stacks:
        endings = (ends_exceptions(evaluator, module, x) for x in _entered_with(module, manager))
        return next((item for item in endings if item is not None), None)
    if ending is None and ends_by_the_program(evaluator, module, manager):
        return "swallows"
    return ending


def _entered_with(module: Module, stack: ast.expr) -> Iterator[ast.expr]:
    """Yield the managers that the function around enters on a stack: ``stack.push(manager)``."""
    match module.parent(stack):
        case ast.withitem(optional_vars=ast.Name() as name):
            for read in module.scopes.reads_in(module.scopes.scope_of(name), name.id):
                call = module.method_call_on(read)
                yield from () if call is None else call.args[:1]


def _runs_later(above: ast.AST, below: ast.AST) -> bool:
    """Whether ``below`` is a part of ``above`` that runs when it is called, or read by others."""
    if isinstance(above, ast.Lambda):
        return below is above.body
    return not isinstance(above, ast.ClassDef) and below in above.body  # type: ignore[attr-defined]


def _index(node: ast.With | ast.AsyncWith, below: ast.AST) -> int:
    return next(number for number, item in enumerate(node.items) if item is below)


def _of_try(
    evaluator: ProgramEvaluator, module: Module, node: ast.Try | ast.TryStar, below: ast.AST
) -> Iterator[Guard]:
    if below in node.finalbody:
        yield Guard("in-finally", module.place(node))
        return
    # Handlers do not catch what `else` or another handler raises.
    if below in node.body:
        for handler in node.handlers:
            place = module.place(handler)
            yield Guard("handler", place, caught_by(evaluator, module, handler))
    if node.finalbody:
        last = (item for part in node.finalbody for item in module.walk(part))
        is_left = any(_leaves(module, item, node) for item in last if isinstance(item, _JUMPS))
        catches = ("builtins.BaseException",) if is_left else ()
        yield Guard("finally", module.place(node), catches)


def _leaves(module: Module, jump: ast.AST, outer: ast.AST) -> bool:
    """Whether ``jump``, which is inside ``outer``, leads out of it."""
    ends = Function if isinstance(jump, ast.Return) else Function | Loop
    around = (part for part in module.ancestors(jump) if part is outer or isinstance(part, ends))
    return next(around) is outer


def caught_by(
    evaluator: ProgramEvaluator, module: Module, handler: ast.ExceptHandler
) -> tuple[str | None, ...]:
    """Return the qualified names of the classes that ``handler`` catches, None for unknown ones."""
    if handler.type is None:
        return ("builtins.BaseException",)
    parts = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return tuple(name for part in parts for name in _classes(evaluator, module, part) or (None,))


def _classes(evaluator: ProgramEvaluator, module: Module, node: ast.expr) -> tuple[str | None, ...]:
    """Return the classes that an expression after ``except`` names; follows ``ERRORS = (A, B)``."""
    name = evaluator.names.qualified_name(module, node)
    located = None if name is None else evaluator.names.locate(name)
    if name is not None and located is None:
        # The name alone identifies a library's exception.
        return (name,)
    if name is not None and evaluator.classes.facts(name) is not None:
        return (name,)
    home, value = evaluator.names.value_at(name) or (module, None)
    if not isinstance(value, ast.Tuple):
        return ()
    return tuple(evaluator.names.qualified_name(home, element) for element in value.elts)
