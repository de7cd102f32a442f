"""The effects of decorators on their functions.

A decorator of the program is read, or believed what it declares. Those of libraries are knowledge.
"""

from __future__ import annotations

import ast

from awaken.knowledge.asynchronous import registers_both_kinds
from awaken.knowledge.decorators import NO_HANDINGS, Handings, known_methods, library_handings
from awaken.project.names.functions.opaque import passed_names
from awaken.project.source.modules import Module
from awaken.project.source.trees import without_arguments
from awaken.project.values.domain import Environment, Values, are_instances, classes_in
from awaken.project.values.questions import Questions

_DECLARED: dict[str | None, Handings] = {
    "same": frozenset({"returns"}),
    "coroutine": frozenset({"coroutine"}),
}


def handings_by(evaluator: Questions, module: Module, decorator: ast.expr) -> Handings:
    """Return what is true of what ``decorator``, with its arguments, makes of its function."""
    plain = without_arguments(decorator)
    name = evaluator.names.qualified_name(module, plain)
    result = handings_of(evaluator, name or "", called=plain is not decorator)
    # Of other methods nothing is known, whatever the object is.
    if not result and isinstance(plain, ast.Attribute) and plain.attr in known_methods():
        return handings_of_method(evaluator, evaluator.values(module, plain.value), plain.attr)
    return result


def handings_of(evaluator: Questions, qualified: str, *, called: bool) -> Handings:
    """Return the same of the decorator with this qualified name, which may be ``called`` first."""
    declared = evaluator.declared_decorators.result_of(qualified, called=called)
    read = evaluator.forwarding.handings_of(qualified, called=called)
    return read | _DECLARED.get(declared, NO_HANDINGS) or library_handings(qualified)


def handings_of_method(evaluator: Questions, owners: Values, method: str) -> Handings:
    """Return the same of a method that all of ``owners`` have from one library."""
    names = classes_in(owners)
    known = [_of_owner(evaluator, name, method) for name in names]
    return known[0].intersection(*known) if known and len(names) == len(owners) else NO_HANDINGS


def _of_owner(evaluator: Questions, owner: str, method: str) -> Handings:
    classes = evaluator.classes
    bases = () if classes.has_own(owner, method) else classes.library_names(owner)
    known = (library_handings(f"{base}.{method}") for base in bases)
    return next(filter(None, known), NO_HANDINGS)


def calls_nothing_else(evaluator: Questions, module: Module, decorator: ast.expr) -> bool:
    """Whether a decorator lets nobody call the function but those who call its name."""
    handings = handings_by(evaluator, module, decorator)
    if "forwards" not in handings or "registered" in handings:
        return False
    plain = without_arguments(decorator)
    name = evaluator.names.qualified_name(module, plain) or ""
    passed = passed_names(decorator) if isinstance(decorator, ast.Call) else None
    is_own = evaluator.forwarding.definition(name) is not None
    return not is_own or not evaluator.forwarding.hands_on(name, passed)


def registered_function(
    evaluator: Questions, module: Module, call: ast.Call, known: Environment = ()
) -> ast.expr | None:
    """Return the function that ``call`` makes an endpoint; None if it does not.

    ``read_books = router.get("/books")(read_books_of_shop)``
    """
    match call:
        case ast.Call(
            func=ast.Call(func=ast.Attribute(value=owner, attr=method)), args=[given], keywords=[]
        ):
            owners = evaluator.values(module, owner, known)
        case _:
            return None
    is_known = are_instances(owners, lambda owner: _registers(evaluator, owner, method))
    return given if is_known else None


def _registers(evaluator: Questions, owner: str, method: str) -> bool:
    bases = (owner, *evaluator.classes.library_ancestors(owner))
    return any(registers_both_kinds(base, method) for base in bases)
