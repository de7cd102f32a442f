"""The classes of a value, with the types for their type variables."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from awaken.knowledge.declarations import Declaration, declaration
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import InstanceOf, Values
from awaken.project.values.library_types.solving import Solution, solved_values
from awaken.project.values.questions import EvaluatorPart, GenericClass, library_class


class Member(Struct, frozen=True):
    """A member, its stub, and the arguments of its class's type variables."""

    module: str
    nodes: tuple[ast.AST, ...]
    solution: Solution


class Lines(EvaluatorPart):
    """Follows bases, from classes of the program on to those of libraries."""

    def declaration(self, qualified: str) -> Declaration | None:
        """Return what a stub declares by a name that the program does not have."""
        result = declaration(qualified)
        if result is None or self._evaluator.names.locate(qualified) is not None:
            return None  # the program has a module of this name, which comes first
        return result

    def shape(self, qualified: str) -> GenericClass | None:
        """Return the type variables of a class, and what it gives its bases."""
        if self._evaluator.classes.facts(qualified) is not None:
            return self._evaluator.generic_class(qualified)
        return library_class(qualified) if self.declaration(qualified) is not None else None

    def line(self, value: InstanceOf) -> Iterator[InstanceOf]:
        """Yield the class of ``value`` and all its bases, with the values of their variables."""
        waiting = Worklist([value], lambda instance: instance.qualified)
        for instance in waiting:
            yield instance
            shape = self.shape(instance.qualified)
            if shape is None:
                continue
            solution = dict(zip(shape.variables, instance.parameters, strict=False))
            for base in reversed(shape.bases):
                inner = tuple(solved_values(each, solution) for each in base.parameters)
                if instance.parameters and not shape.variables:
                    # Of a query of the program's own class the mapping says what it loads.
                    inner = inner or instance.parameters
                waiting += [InstanceOf(base.qualified, parameters=inner)]

    def member(self, owner: InstanceOf, name: str) -> Member | None:
        """Return the member of a class itself that its stub declares."""
        declared = self.declaration(owner.qualified)
        nodes = (declared.members or {}).get(name) if declared is not None else None
        if declared is None or not nodes:
            return None
        shape = library_class(owner.qualified)
        variables = () if shape is None else shape.variables
        return Member(declared.module, nodes, dict(zip(variables, owner.parameters, strict=False)))

    def outside_of(self, value: InstanceOf) -> str | None:
        """Return the first class of a library in the line of ``value``."""
        inside = self._evaluator.classes
        return next(
            (x.qualified for x in self.line(value) if inside.facts(x.qualified) is None), None
        )

    def parameters_as(self, value: InstanceOf, base: str) -> tuple[Values, ...] | None:
        """Return the values of the parameters of ``base`` in ``value``; None if it is no such."""
        for instance in self.line(value):
            if instance.qualified == base:
                return instance.parameters
        return None
