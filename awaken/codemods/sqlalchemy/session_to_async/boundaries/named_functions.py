"""Functions as an option names them: `package.module.function`, also one inside of another."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from awaken.project.graph.forwards.call_graph import FunctionPlace

if TYPE_CHECKING:
    from awaken.project import Project

_LOCAL = ".<locals>"


def name_of(project: Project, function: FunctionPlace) -> str:
    """Return how an option names a function."""
    home = project.layout.name_of(function.path)
    return f"{home}.{function.qualname}".replace(_LOCAL, "")


def named(project: Project, wanted: Collection[str]) -> Iterator[FunctionPlace]:
    """Yield the functions of a program that an option names."""
    names = {one.replace(_LOCAL, "") for one in wanted}
    words = {one.rpartition(".")[2] for one in names}
    for function in project.calls.graph().functions() if names else ():
        is_word = function.qualname.rpartition(".")[2] in words
        if is_word and name_of(project, function) in names:
            yield function
