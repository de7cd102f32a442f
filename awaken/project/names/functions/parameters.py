"""The parameters of a function as written, and whether it can replace another one."""

from __future__ import annotations

import ast

from msgspec import Struct

from awaken.project.source.trees import parameters_of


class Parameters(Struct, frozen=True, array_like=True):
    """The parameters of a function; ``needed`` are those without a default.

    ``rest`` says whether it takes any number of positional arguments, ``others`` any by name.
    """

    positional: tuple[str, ...]
    named: tuple[str, ...]
    needed: frozenset[str]
    rest: bool
    others: bool

    def behind_first(self) -> Parameters:
        """Return what a caller passes to a method that is bound."""
        return Parameters(self.positional[1:], self.named, self.needed, self.rest, self.others)

    def takes(self, declared: Parameters) -> bool:
        """Whether a call that fits ``declared`` may fit this as well."""
        if declared.rest or declared.others:
            return True
        asked = [name for name in declared.positional if name in declared.needed]
        if len(self.positional) < len(asked) and not self.rest and not self.others:
            return False
        names = {*declared.positional, *declared.named}
        beyond = (*self.positional[len(declared.positional) :], *self.named)
        if any(name in self.needed and name not in names for name in beyond):
            return False
        by_name = {name for name in declared.named if name in declared.needed}
        return self.others or by_name <= {*self.positional, *self.named}


def written_parameters(arguments: ast.arguments) -> Parameters:
    """Return the parameters of a function."""
    positional = [*arguments.posonlyargs, *arguments.args]
    collecting = {arguments.vararg, arguments.kwarg}
    return Parameters(
        tuple(argument.arg for argument in positional),
        tuple(argument.arg for argument in arguments.kwonlyargs),
        frozenset(
            argument.arg
            for argument, default in parameters_of(arguments)
            if default is None and argument not in collecting
        ),
        arguments.vararg is not None,
        arguments.kwarg is not None,
    )
