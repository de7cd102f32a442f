"""What an annotation promises of a value, and what more is seen of the value itself."""

from __future__ import annotations

from awaken.project.values.domain import InstanceOf, NoneValue, Unknown, Value, Values, union
from awaken.project.values.questions import Questions


def holds_own(evaluator: Questions, declared: Values) -> bool:
    """Whether an annotation names a class of the program, of which a value may say more."""
    return any(
        isinstance(one, InstanceOf)
        and (
            evaluator.classes.facts(one.qualified) is not None
            or holds_own(evaluator, union(*one.parameters))
        )
        for one in declared
    )


def is_made(values: Values) -> bool:
    """Whether all that ``values`` may be are instances that are told apart by what made them."""
    return bool(values) and all(isinstance(one, InstanceOf) and one.made for one in values)


def narrower(evaluator: Questions, declared: Values, found: Values) -> Values:
    """Return what is ``found``, as far as it is known and of the declared classes.

    The annotation rules where it is not, and adds nothing to what is.
    """
    if is_made(found):
        return found
    # What is promised not to be None is not, whatever a path may seem to give.
    if NoneValue() not in declared:
        found = tuple(one for one in found if one != NoneValue())
    if not found or not all(_is_one_of(evaluator, one, declared) for one in found):
        return declared
    return found


def _is_one_of(evaluator: Questions, value: Value, declared: Values) -> bool:
    match value:
        case InstanceOf():
            return any(
                isinstance(one, InstanceOf)
                and evaluator.library.parameters_as(value, one.qualified) is not None
                and all(not isinstance(x, Unknown) for x in union(*value.parameters))
                and (bool(value.parameters) or not one.parameters)
                and _holds_what(evaluator, one, value)
                for one in declared
            )
        case NoneValue():
            return value in declared
        case _:
            return False


def _holds_what(evaluator: Questions, declared: InstanceOf, value: InstanceOf) -> bool:
    """Whether what a container holds is of the classes that it is declared to hold."""
    held = evaluator.library.parameters_as(value, declared.qualified) or ()
    pairs = zip(declared.parameters, held, strict=False)
    return all(
        _is_one_of(evaluator, each, wanted)
        for wanted, given in pairs
        if all(isinstance(one, InstanceOf | NoneValue) for one in wanted)
        for each in given
    )
