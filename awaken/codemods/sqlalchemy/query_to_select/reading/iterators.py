"""Functions that iterate what they are given, and nothing else."""

from __future__ import annotations

import ast

from awaken.knowledge.library_names import name_list
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name

_OF_ITERTOOLS = name_list("lazy_of_itertools")

ONE_BY_ONE = name_list("lazy_builtins") | _OF_ITERTOOLS
"""Functions between the rows of which other statements may run."""


def iterator_called(module: Module, call: ast.Call) -> str:
    """Return which of Python's functions ``call`` makes an iterator by; nothing if none."""
    name = module.scopes.builtin_called(call) or of_itertools(module, call)
    return name if name in ONE_BY_ONE else ""


def asks_at_once(call: ast.Call, iterated: ast.expr) -> bool:
    """Whether an iterator asks ``iterated`` for an item as soon as it is asked for one itself."""
    name = last_name(call.func)
    if name == "chain":
        return call.args[0] is iterated
    if name == "accumulate":
        return not call.keywords
    if name != "islice":
        return True
    match call.args[1:]:
        case [ast.Constant(value=int() as number)]:
            return number > 0
        case _:
            return False  # of nothing, if it is to give nothing


def of_itertools(module: Module, call: ast.Call) -> str:
    """Return which function of ``itertools`` is called that only iterates; nothing if none."""
    match call.func:
        case ast.Name() as name:
            imported = _import(module, name)
            home = None if imported is None else module.parent(imported)
            is_there = isinstance(home, ast.ImportFrom) and home.module == "itertools"
            result = imported.name if imported is not None and is_there else ""
        case ast.Attribute(value=ast.Name() as package, attr=attribute):
            imported = _import(module, package)
            home = None if imported is None else module.parent(imported)
            is_whole = isinstance(home, ast.Import) and getattr(imported, "name", "") == "itertools"
            result = attribute if is_whole else ""
        case _:
            result = ""
    return result if result in _OF_ITERTOOLS else ""


def _import(module: Module, name: ast.Name) -> ast.alias | None:
    """Return the import that ``name`` always means, if it is one."""
    binding = module.scopes.only_binding(name)
    return binding.node if binding is not None and isinstance(binding.node, ast.alias) else None
