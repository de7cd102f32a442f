"""Functions that only declare what others implement: protocol members, abstract methods, stubs."""

from __future__ import annotations

import ast

from awaken.project.names.classes import PROTOCOLS
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.evaluation import Evaluator

_ABSTRACT = {"abc.abstractmethod", "abc.abstractproperty"}


def is_stub(evaluator: Evaluator, module: Module, function: Function) -> bool:
    """Whether another function runs where ``function`` of ``module`` is called.

    True for members of a ``Protocol``, abstract methods, and methods whose body is ``...`` or
    raises ``NotImplementedError``. From what such a body does, nothing can be concluded.
    """
    # A function of a module has nobody to implement it elsewhere.
    owner = module.scopes.scope_of(function).node
    if not isinstance(owner, ast.ClassDef):
        return False
    decorators = {evaluator.names.qualified_name(module, node) for node in function.decorator_list}
    if decorators & _ABSTRACT or _is_left_out(function):
        return True
    bases = (base.value if isinstance(base, ast.Subscript) else base for base in owner.bases)
    return any(evaluator.names.qualified_name(module, base) in PROTOCOLS for base in bases)


def _is_left_out(function: Function) -> bool:
    first, *rest = function.body
    if rest and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        first, *rest = rest  # after the docstring
    match first:
        case ast.Expr(value=ast.Constant(value=value)):
            return not rest and value is ...
        case ast.Raise(exc=ast.Call(func=ast.Name(name)) | ast.Name(name)):
            return name == "NotImplementedError"
    return False
