"""Reads of a local variable that may see the value which one binding gives it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module
from awaken.project.source.trees import FunctionOrLambda
from awaken.project.values.domain import Unknown
from awaken.project.values.local.flow import flow_of


def local_binding(module: Module, target: ast.Name) -> Binding | None:
    """Return the binding that ``target`` makes; None for a name that other code may read.

    Such a name is that of a module or a class, or ``global`` in its function.
    """
    owner = module.scopes.owner(target.id, module.scopes.scope_of(target))
    if owner is None or owner.kind in {"class", "module"}:
        return None
    bindings = owner.bindings[owner.mangled_name(target.id)]
    return next((binding for binding in bindings if binding.node is target), None)


def reads_seeing(module: Module, binding: Binding) -> Sequence[ast.Name]:
    """Return the reads that may see the value of ``binding``, else all reads."""
    function = binding.scope.node
    if isinstance(function, FunctionOrLambda):
        reached = flow_of(module, function).reads_of(binding)
        if not isinstance(reached, Unknown):
            return reached
    return module.scopes.reads_in(binding.scope, binding.name)
