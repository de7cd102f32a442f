"""The values of a dictionary that is made in one expression and not changed in its file."""

from __future__ import annotations

import ast

from awaken.knowledge.library_names import name_list
from awaken.project.source.expressions.expression_uses import only_reads
from awaken.project.source.modules import Module

_READING_METHODS = name_list("views_of_dictionaries") | {"copy", "get", "pop"}
_READING_BUILTINS = frozenset({"enumerate", "iter", "len", "list", "set", "sorted", "tuple"})


def dictionary_values(module: Module, name: ast.Name) -> tuple[ast.expr, ...]:
    """Return the expressions of all values in the dictionary that ``name`` is; empty if unknown.

    A comprehension has one, which is evaluated for each. Nothing else in the file gives the
    dictionary another value, or hands it on to what may.
    """
    bindings = module.scopes.bindings_of(name)
    if len(bindings) != 1 or bindings[0].kind != "assignment":
        return ()
    reads = module.scopes.reads_of(name)
    if not all(only_reads(module, read, _READING_METHODS, _READING_BUILTINS) for read in reads):
        return ()
    match bindings[0].value:
        # None represents ``**other``, whose values are not visible.
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return tuple(values)
        case ast.DictComp(value=value):
            return (value,)
    return ()


def is_of_module(module: Module, name: ast.Name) -> bool:
    """Whether ``name`` is bound at the top of its file, where other files may get at it."""
    return any(binding.scope is module.scopes.module for binding in module.scopes.bindings_of(name))
