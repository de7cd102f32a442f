"""Functions and classes that a table holds, out of which one is chosen and called on the spot.

``made = {"csv": CsvReader, "xml": XmlReader}[kind]``, ``made(path)``: if neither the table nor the
chosen value has another use, the visible calls are all calls.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from awaken.contract import Place
from awaken.project.graph.callers.found import Obstacle
from awaken.project.source.expressions.alternatives import is_tested
from awaken.project.source.expressions.uses import targets_of, use_of
from awaken.project.source.modules import Load, Module, cached_in_file
from awaken.project.source.trees import Function, is_none

_CHOOSING = {"get", "pop"}


def calls_of_chosen(module: Module, place: Place) -> list[ast.Call] | None:
    """Return the calls of items chosen from the table that holds a name at ``place``.

    None where the name is in no table, or where the table has other uses.
    """
    node = next(module.expressions_at({place.span}), None)
    table = None if node is None else module.parent(node)
    match table:
        case ast.Dict() if node in table.values and None not in table.keys:
            pass
        case ast.List() | ast.Tuple() if isinstance(table.ctx, ast.Load):
            pass
        case _:
            return None
    return _out_of_table(module, table)


def calls_through_tables(load: Load, obstacle: Obstacle) -> list[Place] | None:
    """Return the calls of what tables hold at the places of an obstacle; None if one has others."""
    if obstacle.kind != "value":
        return None
    result: list[Place] = []
    for place in (obstacle.place, *obstacle.others):
        module = load(place.path)
        calls = None if module is None else calls_of_chosen(module, place)
        if module is None or calls is None:
            return None
        result += map(module.place, calls)
    return result


@cached_in_file
def _out_of_table(module: Module, table: ast.expr) -> list[ast.Call] | None:
    result: list[ast.Call] = []
    for read in _reads(module, table) or []:
        calls = _of_chosen(module, _chosen_node(module, read))
        if calls is None:
            return None
        result += calls
    return result or None


def _chosen_node(module: Module, table: ast.expr) -> ast.expr | None:
    """Return what is chosen where a table is read: ``table[key]``, ``table.get(key)``."""
    above = module.parent(table)
    match above:
        case ast.Subscript(ctx=ast.Load()) if above.value is table:
            return above
        case ast.Attribute(attr=name) if name in _CHOOSING:
            call = module.call_of(above)
            is_plain = call is not None and all(map(is_none, call.args[1:]))
            return call if is_plain else None
    return None


def _of_chosen(module: Module, chosen: ast.expr | None) -> list[ast.Call] | None:
    """Return the calls of what is chosen; None where something else is done with it."""
    if chosen is None:
        return None
    if (called := module.call_of(chosen)) is not None:
        return [called]
    if _is_asked(module, chosen):
        return []
    calls: list[ast.Call] = []
    reads = _reads(module, chosen)
    for read in reads or []:
        call = module.call_of(read)
        if call is not None:
            calls.append(call)
        elif not _is_asked(module, read):
            return None
    return None if reads is None else calls


def _is_asked(module: Module, node: ast.expr) -> bool:
    """Whether an expression is only asked whether it is something."""
    above = module.parent(node)
    is_compared = isinstance(above, ast.Compare) and isinstance(above.ops[0], ast.Is | ast.IsNot)
    return is_compared or is_tested(module, node)


def _reads(module: Module, value: ast.expr) -> Sequence[ast.expr] | None:
    """Return where a value is read: there, or of the only local variable that it is put into."""
    way, above = use_of(module, value)
    targets = targets_of(above) if way in {"bound", "same"} else []
    if len(targets) != 1 or not isinstance(targets[0], ast.Name):
        return [value]
    binding = module.scopes.only_binding(targets[0])
    function = module.enclosing_function(value)
    is_local = isinstance(function, Function) and binding is not None
    if binding is None or not is_local or binding.scope.node is not function:
        return None
    if way == "same" and not _is_asked(module, above):
        return None
    return module.scopes.reads_in(binding.scope, binding.name)
