"""Functions of libraries that are given an application, and what they do to its handlers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from awaken.knowledge.applications import Effect, installers
from awaken.project.modules import Module
from awaken.project.values import ClassOf, External, FunctionOf, InstanceOf
from awaken.project.wiring.applications import Application, Applications

if TYPE_CHECKING:
    from awaken.project.evaluation import Evaluator


@dataclass(frozen=True, slots=True)
class Installation:
    """The call ``node`` gives an application to ``name``; ``effect`` is None if it is unknown."""

    module: Module
    node: ast.Call
    name: str
    effect: Effect | None


class Installations:
    """Finds the calls that are given an application, in the files that can name it."""

    def __init__(self, evaluator: Evaluator, applications: Applications, targets: Any) -> None:
        self._evaluator = evaluator
        self._applications = applications
        self._targets = targets

    def of(self, application: Application, modules: Iterator[Module]) -> Iterator[Installation]:
        """Yield every call in ``modules`` that gives ``application`` to a library."""
        for module in modules:
            for node in module.walk():
                if isinstance(node, ast.Call) and self._is_given(module, node, application):
                    found = self._installation(module, node)
                    if found is not None:
                        yield found

    def _is_given(self, module: Module, call: ast.Call, application: Application) -> bool:
        given = [*call.args, *(one.value for one in call.keywords)]
        return any(
            isinstance(one, ast.Name | ast.Attribute)
            and application in self._applications.of(module, one).applications
            for one in given
        )

    def _installation(self, module: Module, call: ast.Call) -> Installation | None:
        names: set[str] = set()
        for value in self._evaluator.values(module, call.func):
            match value:
                case FunctionOf():
                    return None  # followed into
                case ClassOf(qualified=name) | External(qualified=name):
                    names.add(name)
                case _:
                    pass
        found = names.pop() if len(names) == 1 else self._of_method(module, call.func)
        if found is None:
            return Installation(module, call, module.excerpt(call.func), None)
        if self._evaluator.names.locate(found) is not None:
            return None
        return Installation(module, call, found, self._effect(found))

    def _of_method(self, module: Module, func: ast.expr) -> str | None:
        """Return the name of a method of a library's object, also behind chained calls."""
        if not isinstance(func, ast.Attribute):
            return None
        for owner in self._evaluator.values(module, func.value):
            if isinstance(owner, InstanceOf | ClassOf):
                return f"{owner.qualified}.{func.attr}"
        if isinstance(func.value, ast.Call) and isinstance(func.value.func, ast.Attribute):
            above = self._of_method(module, func.value.func)
            return above and f"{above.rpartition('.')[0]}.{func.attr}"
        return None

    def _effect(self, name: str) -> Effect | None:
        for one in installers():
            matches = name.startswith(one.name[:-1]) if one.name.endswith("*") else name == one.name
            known = not one.versions or self._targets.guarantees(one.distribution, one.versions)
            if matches and known:
                return one.effect
        return None
