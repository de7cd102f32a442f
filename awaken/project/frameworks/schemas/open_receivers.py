"""The objects that a method may be called on, where the class itself leaves something open.

``self.schema`` of ``class Repository(Generic[S, M])`` is another class for each of the program's
repositories, and so is what ``select(self.model)`` loads.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.names.functions.decorators import decorator_names, method_kind
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import last_name, parameters_of
from awaken.project.source.worklist import MOST_STEPS
from awaken.project.values.domain import (
    Argument,
    ClassOf,
    Environment,
    InstanceOf,
    Value,
    without_origins,
)


class Receivers(ProgramFacts):
    """Answers for one program."""

    def receivers_around(self, module: Module, node: ast.AST) -> list[Environment]:
        """Return what the first parameter of the method around ``node`` may be.

        Empty outside of methods, and where there are too many to tell them apart.
        """
        function, owner = module.enclosing_function(node), module.enclosing_class(node)
        while isinstance(function, ast.Lambda):
            function = module.enclosing_function(function)
        if function is None or owner is None or module.parent(function) is not owner:
            return []
        parameters = [argument for argument, _ in parameters_of(function.args)]
        kind = method_kind(decorator_names(self._evaluator.names, module, function))
        if not parameters or kind == "static":
            return []
        qualified = module.full_name(owner)
        result: list[Value] = [
            ClassOf(value.qualified) if kind == "class" else value
            for value in self._instances_of(qualified)
        ]
        first = parameters[0]
        return [(Argument(first, module, first, (), value),) for value in dict.fromkeys(result)]

    @cached_method
    def _instances_of(self, qualified: str) -> tuple[InstanceOf, ...]:
        """Return the instances of a class and of those below it that differ in their types."""
        names = (qualified, *self._evaluator.classes.all_subclasses(qualified))
        result = dict.fromkeys(instance for name in names for instance in self._of_one(name))
        return tuple(result) if len(result) <= MOST_STEPS else ()

    def _of_one(self, qualified: str) -> Iterator[InstanceOf]:
        generic = self._evaluator.generic_class(qualified)
        if generic is None or not generic.variables:
            yield InstanceOf(qualified)
            return
        spellings = self._evaluator.classes.spellings(qualified)
        paths = self._evaluator.files_with([spelling.encode() for spelling in spellings])
        for module, node in nodes_in(self._evaluator.modules_at(paths), ast.AST):
            if _is_call_of(node, spellings):
                yield from self._instances_made(module, node, qualified)

    def _instances_made(
        self, module: Module, node: ast.AST, qualified: str
    ) -> Iterator[InstanceOf]:
        for value in self._evaluator.values(module, node) if isinstance(node, ast.Call) else ():
            plain = without_origins(value)
            if isinstance(plain, InstanceOf) and plain.qualified == qualified and plain.parameters:
                yield plain


def _is_call_of(node: ast.AST, names: list[str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    func = node.func.value if isinstance(node.func, ast.Subscript) else node.func
    return last_name(func) in names
