"""The effects of decorators on their functions.

A decorator of the program is read, or believed what it declares. Those of libraries are knowledge.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from awaken.contract import Place
from awaken.knowledge.decorators import (
    AWAITING,
    NO_HANDINGS,
    Handings,
    common_handings,
    known_methods,
    library_handings,
)
from awaken.project.names.functions.opaque import passed_names
from awaken.project.source.memo import recursive
from awaken.project.source.modules import Module
from awaken.project.source.trees import without_arguments
from awaken.project.values.domain import Environment, External, InstanceOf, NoneValue, Values
from awaken.project.values.questions import Questions

_DECLARED: dict[str | None, Handings] = {
    "same": frozenset({"returns"}),
    "coroutine": frozenset({"coroutine"}),
}


def handings_by(evaluator: Questions, module: Module, decorator: ast.expr) -> Handings:
    """Return what is true of what ``decorator``, with its arguments, makes of its function."""
    plain, names = without_arguments(decorator), evaluator.names
    name = names.qualified_name(module, plain)
    result = handings_of(evaluator, name or "", called=plain is not decorator)
    # Of other methods nothing is known, whatever the object is.
    if not result and isinstance(plain, ast.Attribute) and plain.attr in known_methods():
        return handings_of_names(library_names(evaluator, module, plain))
    # A mark that several tests share: `slow = pytest.mark.timeout(60)`.
    home, value = (names.value_at(name) if plain is decorator else None) or (module, None)
    is_shared = not result and isinstance(value, ast.Call)
    return handings_by(evaluator, home, value) if is_shared and value is not None else result


def handings_of(evaluator: Questions, qualified: str, *, called: bool) -> Handings:
    """Return the same of the decorator with this qualified name, which may be ``called`` first."""
    declared = evaluator.declared_decorators.result_of(qualified, called=called)
    read, applied = evaluator.forwarding.reading_of(qualified, called=called)
    if applied:
        read = common_handings((read, *_of_applied(evaluator, applied)))
        # Code of those runs as well.
        read |= NO_HANDINGS if "same" in read else {"outside"}
    return read | _DECLARED.get(declared, NO_HANDINGS) or library_handings(qualified)


@recursive(lambda *_: (NO_HANDINGS,))  # a decorator may apply itself
def _of_applied(evaluator: Questions, places: tuple[Place, ...]) -> list[Handings]:
    return [
        handings_by(evaluator, module, node)
        for place in places
        for module in evaluator.modules_at([place.path])
        for node in module.expressions_at({place.span})
    ]


def handings_of_names(names: Sequence[Sequence[str]]) -> Handings:
    """Return what is true of decorators with these `library_names`."""
    return common_handings(
        next(filter(None, map(library_handings, each)), NO_HANDINGS) for each in names
    )


def library_names(evaluator: Questions, module: Module, plain: ast.expr) -> list[tuple[str, ...]]:
    """Return the names that libraries have for each thing that ``plain`` may be.

    Those of a method are as many as the library classes of its object. Empty if it may be anything
    else.
    """
    name = evaluator.names.qualified_name(module, plain)
    # A name of the program's own may be an object that a library has the class of.
    if name is not None and evaluator.names.locate(name) is None:
        return [(name,)]
    if not isinstance(plain, ast.Attribute):
        return []
    return names_of_method(evaluator, evaluator.values(module, plain.value), plain.attr)


def names_of_method(evaluator: Questions, owners: Values, method: str) -> list[tuple[str, ...]]:
    """Return the same of a method of ``owners``."""
    result: list[tuple[str, ...]] = []
    for owner in owners:
        match owner:
            case InstanceOf(qualified=name) | External(qualified=name) if not (
                evaluator.classes.has_own(name, method)
            ):
                bases = evaluator.classes.library_names(name)
                result.append(tuple(f"{base}.{method}" for base in bases))
            case NoneValue():
                pass
            case _:
                return []
    return result


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
    handings = handings_of_names(names_of_method(evaluator, owners, method))
    return given if handings >= AWAITING else None
