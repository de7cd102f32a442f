"""Iterators in variables, which read their objects when they are asked for items."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.knowledge.library_names import name_list
from awaken.project.source.modules import Module
from awaken.project.values.domain import InstanceOf, Producer, Values

ITERATORS = name_list("iterators")


def is_iterator(values: Values) -> bool:
    """Whether a value gives each of its items once, so that nobody else may ask for them."""
    return any(
        value.how == "generator" if isinstance(value, Producer) else value.qualified in ITERATORS
        for value in values
        if isinstance(value, InstanceOf | Producer)
    )


def parts_of_iterator(module: Module, node: ast.expr) -> Iterator[tuple[ast.expr, ast.Name]]:
    """Yield the names that the iterator in the variable ``node`` is made of, with what makes it."""
    binding = module.scopes.only_binding(node) if isinstance(node, ast.Name) else None
    made = None if binding is None else binding.value
    if made is None:
        return
    around = module.enclosing_function(node)
    for name in module.nodes_below(made, ast.Name):
        if any(binding.scope.node is around for binding in module.scopes.bindings_of(name)):
            yield made, name
