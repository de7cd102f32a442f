"""The effects of decorators on their functions.

A decorator of the program is read, or believed what it declares. Those of libraries are knowledge.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from awaken.contract import Place
from awaken.knowledge.decorators import (
    AWAITING,
    NO_EFFECTS,
    DecoratorEffects,
    common_effects,
    known_methods,
    library_effects,
)
from awaken.project.names.functions.opaque import passed_names
from awaken.project.source.memo import recursive
from awaken.project.source.modules import Module
from awaken.project.source.trees import without_arguments
from awaken.project.values.domain import Environment, External, InstanceOf, NoneValue, Values
from awaken.project.values.questions import Questions

_DECLARED: dict[str | None, DecoratorEffects] = {
    "same": frozenset({"returns"}),
    "coroutine": frozenset({"coroutine"}),
}


def decorator_effects(
    evaluator: Questions, module: Module, decorator: ast.expr
) -> DecoratorEffects:
    """Return what is true of what ``decorator``, with its arguments, makes of its function."""
    plain, names = without_arguments(decorator), evaluator.names
    name = names.qualified_name(module, plain)
    result = effects_of_name(evaluator, name or "", called=plain is not decorator)
    # Of other methods nothing is known, whatever the object is.
    if not result and isinstance(plain, ast.Attribute) and plain.attr in known_methods():
        return effects_of_names(library_names(evaluator, module, plain))
    # A mark that several tests share: `slow = pytest.mark.timeout(60)`.
    home, value = (names.value_at(name) if plain is decorator else None) or (module, None)
    is_shared = not result and isinstance(value, ast.Call)
    return decorator_effects(evaluator, home, value) if is_shared and value is not None else result


def effects_of_name(evaluator: Questions, qualified: str, *, called: bool) -> DecoratorEffects:
    """Return the same of the decorator with this qualified name, which may be ``called`` first."""
    declared = evaluator.declared_decorators.result_of(qualified, called=called)
    read, applied = evaluator.forwarding.reading_of(qualified, called=called)
    if applied:
        read = common_effects((read, *_of_applied(evaluator, applied)))
        # Code of those runs as well.
        read |= NO_EFFECTS if "same" in read else {"outside"}
    return read | _DECLARED.get(declared, NO_EFFECTS) or library_effects(qualified)


@recursive(lambda *_: (NO_EFFECTS,))  # a decorator may apply itself
def _of_applied(evaluator: Questions, places: tuple[Place, ...]) -> list[DecoratorEffects]:
    return [
        decorator_effects(evaluator, module, node)
        for place in places
        for module in evaluator.modules_at([place.path])
        for node in module.expressions_at({place.span})
    ]


def effects_of_names(names: Sequence[Sequence[str]]) -> DecoratorEffects:
    """Return what is true of decorators with these `library_names`."""
    return common_effects(
        next(filter(None, map(library_effects, each)), NO_EFFECTS) for each in names
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
                _may_have_own(evaluator, name, method)
            ):
                bases = evaluator.classes.library_names(name)
                result.append(tuple(f"{base}.{method}" for base in bases))
            case NoneValue():
                pass
            case _:
                return []
    return result


def _may_have_own(evaluator: Questions, qualified: str, method: str) -> bool:
    """Whether a class of the program, or an unknown one that it inherits, may define a method."""
    ancestors = evaluator.classes.ancestors(qualified)
    is_unknown = ancestors is not None and bool(ancestors.unresolved)
    return is_unknown or evaluator.classes.has_own(qualified, method)


def calls_nothing_else(evaluator: Questions, module: Module, decorator: ast.expr) -> bool:
    """Whether a decorator lets nobody call the function but those who call its name."""
    effects = decorator_effects(evaluator, module, decorator)
    if "forwards" not in effects or "registered" in effects:
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
    effects = effects_of_names(names_of_method(evaluator, owners, method))
    return given if effects >= AWAITING else None
