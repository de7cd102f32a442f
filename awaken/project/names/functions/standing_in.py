"""Methods that can be called where a protocol declares another one."""

from __future__ import annotations

from typing import Literal

from awaken.project.names.file_facts import WrittenFunction
from awaken.project.names.functions.definitions import FoundFunctions

_BINDING = {"classmethod", "staticmethod"}
_SAYING = {"abc.abstractmethod", "abstractmethod", "override", "typing.override"}


def may_stand_in(method: FoundFunctions, asked: FoundFunctions) -> bool:
    """Whether ``method`` may be what a protocol asks for by ``asked``, both as written.

    It is not if it cannot be passed what is passed there. It may not if it belongs to the class and
    has parameters of other names. Alternative constructors are like that: ``User.create(name)``
    next to the ``create(user)`` of a repository.
    """
    if len(method.functions) != 1 or len(asked.functions) != 1:
        return True
    function, other = method.functions[0], asked.functions[0]
    kind, kind_asked = _kind(function), _kind(other)
    if "decorated" in {kind, kind_asked}:
        return True
    own = function.parameters if kind == "staticmethod" else function.parameters.behind_first()
    wanted = other.parameters if kind_asked == "staticmethod" else other.parameters.behind_first()
    if kind != kind_asked and not own.others and not wanted.others:
        names = {*own.positional, *own.named}
        if not names.issuperset((*wanted.positional, *wanted.named)):
            return False
    return own.takes(wanted)


def _kind(
    function: WrittenFunction,
) -> Literal["classmethod", "staticmethod", "plain", "decorated"]:
    names = {decorator.name.text for decorator in function.decorators} - _SAYING
    if not names:
        return "plain"
    if len(names) > 1 or not names <= _BINDING:
        return "decorated"
    return "classmethod" if "classmethod" in names else "staticmethod"
