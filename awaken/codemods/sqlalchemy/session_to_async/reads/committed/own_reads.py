"""Reads of methods on their own object: properties of models, and classes that hold an object."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING

from awaken.kit.search import nodes_with
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.trees import Function, first_parameter, last_name

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module


class OwnReads:
    """Answers for one program."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._is_field = cache(partial(_is_field, project))
        self._read = cache(self._read_by)

    def behind(self, owners: Iterable[str], names: Iterable[str]) -> frozenset[str]:
        """Return ``names`` of objects of ``owners``, and the relationships that these read."""
        owners, names = tuple(owners), tuple(names)
        return frozenset(names).union(*(self._read(x, name) for x in owners for name in names))

    def answered(self, module: Module, node: ast.expr, owners: Iterable[str]) -> frozenset[str]:
        """Return what a response may read by properties of what an endpoint returns."""
        function = function_around(module, node)
        if function is None or not function.decorator_list:
            return frozenset()
        result = {
            (owner, part.name)
            for owner in owners
            for _, part in self._methods(owner)
            if part.decorator_list and self._is_field(part.name)
        }
        return frozenset().union(*(self._read(*pair) for pair in result))

    def _read_by(self, owner: str, name: str) -> frozenset[str]:
        """Return the relationships that one attribute of a class reads, if it is a method."""
        mapped = self._project.orm.mapped_class(owner)
        waiting, seen = [name], {name}
        for each in waiting:
            for module, function in self._methods(owner):
                if function.name == each:
                    read = set(_of_self(module, function)) - seen
                    waiting += sorted(read)
                    seen |= read
        return frozenset(seen - {name}).intersection(() if mapped is None else mapped.relationships)

    def _methods(self, owner: str) -> Iterator[tuple[Module, Function]]:
        for ancestor in self._project.orm.mapping_ancestors(owner):
            module, node = self._project.class_definition(ancestor) or (None, None)
            for each in () if node is None else node.body:
                if module is not None and isinstance(each, Function):
                    yield module, each


def read_of_held(project: Project) -> dict[FunctionPlace, set[tuple[str, str, str]]]:
    """Return the methods that read relationships of what their object holds: `self.owner.orders`.

    Each with the text of these, the class of the object there, and the name.
    """
    names, graph = project.orm.reads.names_of_mapped(), project.calls.graph()
    result: defaultdict[FunctionPlace, set[tuple[str, str, str]]] = defaultdict(set)
    words = tuple(f".{word}".encode() for word in sorted(names))
    for module, node in nodes_with(project, words, ast.Attribute):
        match node.value:
            case ast.Attribute(value=ast.Name(id=own)) as held if node.attr in names:
                function = function_around(module, node)
            case _:
                continue
        if function is not None and own == first_parameter(function):
            for owner in project.orm.classes_of(module, held):
                read = (module.text_of(node), owner, node.attr)
                result[graph.place_of(module, function)].add(read)
    return dict(result)


def _of_self(module: Module, function: Function) -> Iterator[str]:
    """Yield the attributes that a method reads of its object."""
    own = first_parameter(function)
    for node in module.walk(function):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == own:
                yield attribute


def _is_field(project: Project, name: str) -> bool:
    """Whether a class of the program has an annotated field of a name."""
    return any(
        last_name(node.target) == name
        for _, node in nodes_with(project, (name.encode(),), ast.AnnAssign)
    )
