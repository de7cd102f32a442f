"""Values that read objects when they are used: iterators, partials, bound methods, functions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

from awaken.knowledge.library_names import library_names, name_list
from awaken.project.source.modules import Module
from awaken.project.source.trees import FunctionOrLambda, Loop
from awaken.project.source.worklist import Worklist, preorder
from awaken.project.values.domain import (
    FunctionOf,
    InstanceOf,
    Producer,
    Value,
    Values,
    values_inside,
)

_ITERATORS = name_list("iterators")
_LATE = {"callable", "generator"}


class Source(NamedTuple):
    """A variable or a call that a value was made of, in a function or generator, its ``reader``.

    None where the value itself has it. A variable that ``is_kept`` has what the value reads.
    """

    node: ast.Attribute | ast.Call | ast.Name
    reader: ast.AST | None = None
    is_kept: bool = False


def is_late_reader(value: Value) -> bool:
    """Whether a value reads its objects when it is used, and not when it is made."""
    match value:
        case Producer(how=how):
            return how in _LATE
        case InstanceOf(qualified=name):
            return name in _ITERATORS
    return isinstance(value, FunctionOf)


def reads_later(values: Values) -> bool:
    """Whether one of ``values`` is such a value, or holds one."""
    return any(map(is_late_reader, preorder(values, values_inside)))


def sources_of(
    module: Module, node: ast.expr, values_of: Callable[[Module, ast.expr], Values]
) -> Iterator[Source]:
    """Yield what the value of an expression of a function was made of, or has been put into it."""
    around = {*module.ancestors(node)}
    waiting = Worklist[ast.AST]([node])
    for made in waiting:
        for part in module.walk(made):
            if isinstance(part, ast.Attribute | ast.Call):
                if _is_evaluated(module, part, made):
                    yield Source(part)
            elif isinstance(part, ast.Name) and _is_own(module, part, around):
                if reads_later(values_of(module, part)):
                    waiting += _making(module, part)
                else:
                    reader = _reader(module, part, made)
                    is_kept = isinstance(reader, FunctionOrLambda)
                    yield Source(part, reader, is_kept or _has_one_value(module, part))


def _making(module: Module, node: ast.Name) -> Iterator[ast.AST]:
    """Yield what gives a variable its value, or a part of it."""
    for binding in module.scopes.bindings_of(node):
        statement = module.statement_of(binding.node)
        made = binding.value or getattr(statement, "value", getattr(statement, "iter", None))
        if isinstance(binding.node, FunctionOrLambda):
            yield binding.node
        elif made is not None and binding.kind != "parameter":
            yield made
    growing = library_names().growing_methods
    for read in module.scopes.reads_of(node):
        match module.parent(read):
            case ast.Attribute(attr=method) as above if method in growing:
                call = module.call_of(above)
                yield from () if call is None else call.args
            case ast.Subscript(ctx=ast.Store()) as above:
                value = getattr(module.parent(above), "value", None)
                yield from () if value is None else (value,)


def _is_own(module: Module, name: ast.Name, around: set[ast.AST]) -> bool:
    return isinstance(name.ctx, ast.Load) and any(
        binding.scope.node in around and binding.scope.kind != "module"
        for binding in module.scopes.bindings_of(name)
    )


def _reader(module: Module, part: ast.AST, made: ast.AST) -> ast.AST | None:
    """Return the function or generator inside of ``made`` that reads a variable when it runs."""
    for below, above in module.steps_up(part):
        if isinstance(above, ast.GeneratorExp) or (
            isinstance(above, FunctionOrLambda) and below is not above.args
        ):
            return above
        if above is made:
            break
    return None


def _is_evaluated(module: Module, part: ast.AST, made: ast.AST) -> bool:
    """Whether an expression is evaluated when a value is made, and not when that is used."""
    reader = _reader(module, part, made)
    if isinstance(reader, ast.GeneratorExp):
        return part in ast.walk(reader.generators[0].iter)
    return reader is None


def _has_one_value(module: Module, name: ast.Name) -> bool:
    """Whether a variable is bound once, and no loop does that again and again."""
    binding = module.scopes.only_binding(name)
    return binding is not None and (
        binding.kind == "parameter"
        or not any(isinstance(x, Loop) for x in module.ancestors(binding.node))
    )
