"""Annotations, and what more is seen of the values that they promise."""

from __future__ import annotations

import ast

from msgspec.structs import replace

from awaken.knowledge.library_names import name_list
from awaken.project.source.modules import Module
from awaken.project.values.domain import (
    ClassOf,
    DeclarativeBase,
    Environment,
    InstanceOf,
    ModuleOf,
    NoneValue,
    Producer,
    Session,
    TupleOf,
    Unknown,
    Value,
    Values,
    union,
    values_inside,
    without_none,
)
from awaken.project.values.questions import Questions

_OPEN = name_list("open_promises")
_BARE = {"builtins.list": 1, "builtins.set": 1, "builtins.dict": 2}
"""Containers, and how many type parameters each has."""


def holds_own(evaluator: Questions, declared: Values) -> bool:
    """Whether a value may say more than its annotation, which names a class of the program.

    So it may of a statement or a result of which the annotation leaves open what it gives. The same
    holds for rows: PyCharm takes ``query(Model).all()`` for ``list[type[Model]]``.
    """
    return any(
        (
            isinstance(value, ClassOf | InstanceOf)
            and (
                evaluator.classes.facts(value.qualified) is not None
                or evaluator.mapping.is_base(value.qualified)
                or is_open(value)
            )
        )
        or holds_own(evaluator, values_inside(value))
        for value in declared
    )


def _is_mapped_class(evaluator: Questions, value: Value) -> bool:
    return isinstance(value, ClassOf) and evaluator.mapping.is_mapped(value.qualified)


def is_open(value: Value) -> bool:
    """Whether it is a statement or a result, and nothing says of what, or a module of no name."""
    return isinstance(value, InstanceOf) and not value.parameters and value.qualified in _OPEN


def is_bare(value: Value) -> bool:
    """Whether it is a list or a dictionary, and nothing says of what: `dict[str, Any]`, too."""
    if not isinstance(value, InstanceOf) or value.qualified not in _BARE:
        return False
    return not value.parameters or all(isinstance(item, Unknown) for item in value.parameters[-1])


def with_items(value: Value, given: Values) -> Value:
    """Return a container, of which nothing says what it holds, with what those given hold.

    The items of what is unknown are as unknown as it is.
    """
    if not isinstance(value, InstanceOf) or not is_bare(value):
        return value
    held: list[tuple[Values, ...]] = []
    for item in given:
        match item:
            case Unknown():
                held.append(value.parameters or ((item,),) * _BARE[value.qualified])
            case InstanceOf(qualified=value.qualified, parameters=[_, *_]):
                held.append(item.parameters)
            case NoneValue():
                pass
            case _:
                return value
    grows = any(isinstance(item, InstanceOf) and item.grows for item in given)
    return replace(
        value, parameters=tuple(union(*each) for each in zip(*held, strict=False)), grows=grows
    )


def is_made(values: Values) -> bool:
    """Whether all ``values`` are instances that are distinguished by the call that made them."""
    return bool(values) and all(isinstance(value, InstanceOf) and value.made for value in values)


def classes_for(evaluator: Questions, declared: Values, given: Values) -> Values:
    """Return ``declared``; of ``model: User = User``, a slip for ``type[User]``, the class."""
    items = [InstanceOf(value.qualified) for value in given if isinstance(value, ClassOf)]
    if not items or len(items) < len(given):
        return declared
    if not all(_is_instance_of(evaluator, item, declared) for item in items):
        return declared
    return tuple(
        ClassOf(value.qualified) if isinstance(value, InstanceOf) else value for value in declared
    )


def narrower(evaluator: Questions, declared: Values, found: Values) -> Values:
    """Return what is ``found``, as far as it is known and of the declared classes.

    The annotation rules where it is not, and adds nothing to what is.
    """
    if is_made(found):
        return found
    # A value that is declared not to be None is not, whatever a path may seem to give.
    if NoneValue() not in declared:
        found = without_none(found)
    narrowed = [_narrowed_value(evaluator, value, declared) for value in found]
    known = tuple(value for value in narrowed if value is not None)
    return known if known and len(known) == len(narrowed) else declared


def narrowed_by_value(
    evaluator: Questions,
    declared: Values,
    module: Module,
    value: ast.expr | None,
    known: Environment = (),
) -> Values:
    """Return what a value is, as far as that says more than what is ``declared`` of it."""
    if value is None or not holds_own(evaluator, declared):
        return declared
    return narrower(evaluator, declared, evaluator.values(module, value, known))


def narrowed_variable(
    evaluator: Questions,
    declared: Values,
    module: Module,
    value: ast.expr | None,
    known: Environment = (),
) -> Values:
    """Return the same for a variable: a container of anything holds what that of ``value`` does."""
    if value is None or not any(map(is_bare, declared)):
        return narrowed_by_value(evaluator, declared, module, value, known)
    assigned = evaluator.values(module, value, known)
    return tuple(with_items(each, assigned) for each in declared)


def _narrowed_value(evaluator: Questions, value: Value, declared: Values) -> Value | None:
    """Return ``value`` as far as it says more than what is declared; None if it is no such."""
    match value:
        case InstanceOf():
            rows = (
                InstanceOf(alternative.qualified)
                for alternative in declared
                if isinstance(alternative, ClassOf) and _is_mapped_class(evaluator, alternative)
            )
            is_such = _is_instance_of(evaluator, value, (*declared, *rows))
            return value if is_such or _is_row(evaluator, value, declared) else None
        case ClassOf(qualified=name):
            bases = (InstanceOf(item.qualified) for item in declared if isinstance(item, ClassOf))
            is_such = _is_instance_of(evaluator, InstanceOf(name), tuple(bases))
            return value if is_such else None
        case NoneValue():
            return value if value in declared else None
        case ModuleOf():
            return value if InstanceOf("types.ModuleType") in declared else None
        case Producer():
            promised = [
                item for item in declared if isinstance(item, Producer) and item.how == value.how
            ]
            if len(promised) != 1:
                return None
            return replace(value, inner=narrower(evaluator, promised[0].inner, value.inner))
        case TupleOf(items=items):
            places = [
                alternative.items
                for alternative in declared
                if isinstance(alternative, TupleOf) and len(alternative.items) == len(items)
            ]
            if len(places) != 1:
                return None
            pairs = zip(places[0], items, strict=True)
            return TupleOf(tuple(narrower(evaluator, *pair) for pair in pairs))
    return None


def _is_row(evaluator: Questions, value: InstanceOf, declared: Values) -> bool:
    """Whether it is a mapped object, and no object of the classes that are declared.

    So is a row that a function returns, and that its annotation takes for the schema of it.
    """
    names = [item.qualified for item in declared if isinstance(item, InstanceOf)]
    lines = [evaluator.classes.ancestors(name) for name in names]
    return (
        evaluator.mapping.is_mapped(value.qualified)
        and len(names) == len(without_none(declared)) > 0
        and all(
            line is not None
            and bool(line.inside)
            and not line.unresolved
            and value.qualified not in {facts.qualified for facts in line.inside}
            for line in lines
        )
    )


def _is_instance_of(evaluator: Questions, value: InstanceOf, declared: Values) -> bool:
    return any(
        isinstance(alternative, InstanceOf)
        and (
            evaluator.library.parameters_as(value, alternative.qualified) is not None
            or _is_of_made_base(evaluator, value, alternative)
        )
        and all(not isinstance(x, Unknown) for x in union(*value.parameters))
        and (bool(value.parameters) or not alternative.parameters)
        and _holds_what(evaluator, alternative, value)
        for alternative in declared
    )


def _is_of_made_base(evaluator: Questions, value: InstanceOf, declared: InstanceOf) -> bool:
    """Whether a mapped object is declared by the variable of a base, which is no class to know."""
    mapping, name = evaluator.mapping, declared.qualified
    is_class = evaluator.classes.facts(name) is not None
    return not is_class and mapping.is_base(name) and mapping.is_mapped(value.qualified)


def _holds_what(evaluator: Questions, declared: InstanceOf, value: InstanceOf) -> bool:
    """Whether what a container holds is of the classes that it is declared to hold."""
    held = evaluator.library.parameters_as(value, declared.qualified) or ()
    pairs = zip(declared.parameters, held, strict=False)
    return all(
        _narrowed_value(evaluator, each, wanted) is not None
        for wanted, given in pairs
        if all(isinstance(alternative, InstanceOf | NoneValue) for alternative in wanted)
        for each in given
    )


def narrowed_annotations(declared: Values, given: Values) -> Values:
    """Return the annotation; where the value says more, as of a session or a base, the value."""
    if given and all(isinstance(argument, Session | DeclarativeBase) for argument in given):
        return given
    if is_made(given):
        # An annotation names the class, the value also which instance it is.
        return given
    return declared
