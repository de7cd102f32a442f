"""The value of a subscript: of a container, of a typed dictionary, by a method."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from awaken.knowledge.library_names import name_list
from awaken.project.names.functions.injections import OVERRIDES, are_all_seen, overrides_in
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name
from awaken.project.values.calls.loaded_files import REGISTRY, named_module
from awaken.project.values.containers.built_containers import key_of, number
from awaken.project.values.domain import (
    ClassOf,
    External,
    FunctionOf,
    InstanceOf,
    NoneValue,
    NotRelevant,
    Unknown,
    Value,
    Values,
    union,
)
from awaken.project.values.items import slice_of, subscripted_item
from awaken.project.values.library.automap_classes import AUTOMAP_CLASS, are_automap
from awaken.project.values.questions import Questions

_GIVING = name_list("giving_an_item")
_TYPED = {"typing.TypedDict", "typing_extensions.TypedDict"}


def item_of(evaluator: Questions, owner: Value, module: Module, node: ast.Subscript) -> Values:
    """Return what ``node`` reads of ``owner``, one of the values that it subscripts."""
    key = node.slice.value if isinstance(node.slice, ast.Constant) else None
    if isinstance(key, str) and evaluator.names.qualified_name(module, node.value) == REGISTRY:
        loaded = named_module(evaluator, module, node.slice)
        if loaded is not None:
            return (loaded,)
    items = _overriding(evaluator, module, node) or _of_container(node, owner)
    if items is not None:
        return items
    match owner:
        case InstanceOf() if isinstance(key, str) and _is_typed_dict(evaluator, owner):
            return evaluator.attribute(owner, key, module, node)
        case Unknown() | NotRelevant(mock=True):
            return (owner,)
        case NoneValue():
            return ()
        case InstanceOf() if are_automap((owner,)):
            return (ClassOf(AUTOMAP_CLASS),)
        case InstanceOf():
            methods = evaluator.attribute(owner, "__getitem__", module, node)
            # A method that is visible, or that a stub declares.
            if all(isinstance(method, FunctionOf | External) for method in methods):
                call = ast.copy_location(ast.Call(node.value, [node.slice], []), node)
                return evaluator.call_results(methods, module, call)
    why = f"the items of `{module.excerpt(node.value)}` are unknown"
    return (evaluator.unknown(module, node, why),)


def _overriding(evaluator: Questions, module: Module, node: ast.Subscript) -> Values:
    """Return what the program puts in the place of a dependency: ``overrides[get_db]``."""
    name = evaluator.names.qualified_name(module, node.slice)
    if name is None or last_name(node.value) != OVERRIDES:
        return ()
    overrides = _overrides(evaluator)
    return union(*(evaluator.values(home, value) for key, home, value in overrides if key == name))


def overrides_at(evaluator: Questions, module: Module, node: ast.Attribute) -> Values | None:
    """Return the dictionary of all replaced dependencies, if ``node`` reads that of an application.

    None for other attributes, and if some of them are not known.
    """
    # `get` tells apart what this dictionary holds together.
    if node.attr != OVERRIDES or getattr(module.parent(node), "attr", "") in _GIVING:
        return None
    values = union(*(evaluator.values(home, value) for _, home, value in _overrides(evaluator)))
    keys = (evaluator.unknown(module, node, "a dependency that is replaced may be any"),)
    return (InstanceOf("builtins.dict", parameters=(keys, values)),) if values else None


def _overrides(evaluator: Questions) -> Iterator[tuple[str, Module, ast.expr]]:
    """Yield the names of all dependencies that the program replaces, each with what it puts there.

    Nothing if there may be others.
    """
    homes = list(evaluator.modules_at(evaluator.files_naming(OVERRIDES) or ()))
    put = [
        (evaluator.names.qualified_name(home, key) or "", home, value)
        for home in homes
        for key, value in overrides_in(home)
    ]
    yield from put if all(map(are_all_seen, homes)) and all(key for key, *_ in put) else ()


def _of_container(node: ast.Subscript, owner: Value) -> Values | None:
    """Return the item or slice that ``node`` reads of a container; None if it is not known."""
    if not isinstance(node.slice, ast.Slice):
        return subscripted_item(owner, key_of(node.slice))
    bounds = [node.slice.lower, node.slice.upper]
    numbers = [None if bound is None else number(bound) for bound in bounds]
    is_known = node.slice.step is None and all(
        bound is None or at is not None for bound, at in zip(bounds, numbers, strict=True)
    )
    return slice_of(owner, numbers[0], numbers[1], known=is_known)


def _is_typed_dict(evaluator: Questions, value: InstanceOf) -> bool:
    return not _TYPED.isdisjoint(evaluator.classes.library_ancestors(value.qualified))


How = Literal["whole", "iterated", "entered"]


class Step(Struct, frozen=True):
    """One target of an unpacking, as ``place_of`` in ``items`` takes it."""

    position: int
    before: int | None
    after: int


class Received(Struct, frozen=True):
    """The value of a target: ``steps`` into the result of ``how`` on ``value``."""

    value: ast.expr
    how: How
    steps: tuple[Step, ...]


def received_value(module: Module, target: ast.expr) -> Received | None:
    """Return the value that ``target`` receives; None if its statement gives none."""
    steps: list[Step] = []
    part: ast.AST = target
    while True:
        above = module.parent(part)
        match above:
            case ast.Tuple() | ast.List():
                steps.append(_step(above.elts, part))
            case ast.Starred():
                pass
            case ast.Assign() | ast.AnnAssign() | ast.NamedExpr() if above.value is not None:
                return Received(above.value, "whole", tuple(reversed(steps)))
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                return Received(above.iter, "iterated", tuple(reversed(steps)))
            case ast.withitem():
                return Received(above.context_expr, "entered", tuple(reversed(steps)))
            case _:
                return None
        part = above


def _step(targets: list[ast.expr], part: ast.AST) -> Step:
    position = next(at for at, node in enumerate(targets) if node is part)
    starred = [at for at, node in enumerate(targets) if isinstance(node, ast.Starred)]
    if not starred:
        return Step(position, None, len(targets))
    return Step(position, starred[0], len(targets) - starred[0] - 1)
