"""Calls that register a function as decorators do, and give it back.

``read_books = router.get("/books")(read_books_of_shop)``
"""

from __future__ import annotations

import ast

from awaken.knowledge.asynchronous import registers_both_kinds
from awaken.knowledge.decorators import library_decorators
from awaken.project.source.modules import Module
from awaken.project.values.domain import Environment, are_instances
from awaken.project.values.questions import Questions


def registered_function(
    evaluator: Questions, module: Module, call: ast.Call, known: Environment = ()
) -> ast.expr | None:
    """Return the function that ``call`` makes an endpoint; None if it does not."""
    match call:
        case ast.Call(
            func=ast.Call(func=ast.Attribute(value=owner, attr=method)), args=[given], keywords=[]
        ):
            owners = evaluator.values(module, owner, known)
        case _:
            return None
    is_known = are_instances(owners, lambda owner: _registers(evaluator, owner, method))
    return given if is_known else None


def is_registering(evaluator: Questions, module: Module, decorator: ast.expr) -> bool:
    """Whether ``decorator``, without its arguments, gives back the function that it registers.

    A method of an object of a library: ``@router.get("/books")``.
    """
    if not isinstance(decorator, ast.Attribute):
        return False
    owners, method = evaluator.values(module, decorator.value), decorator.attr
    return are_instances(owners, lambda owner: _gives_back(evaluator, owner, method))


def _gives_back(evaluator: Questions, owner: str, method: str) -> bool:
    """Whether the method is that of a library, which says that it gives back the function."""
    classes = evaluator.classes
    return not classes.has_own(owner, method) and any(
        library_decorators().registers(base, method) for base in classes.library_names(owner)
    )


def _registers(evaluator: Questions, owner: str, method: str) -> bool:
    bases = (owner, *evaluator.classes.library_ancestors(owner))
    return any(registers_both_kinds(base, method) for base in bases)
