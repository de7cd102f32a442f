"""The places that read attributes by name."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

from awaken.project.frameworks.sqlalchemy.reads.domain import How, Sight
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module

_GETTERS: dict[str, How] = {"getattr": "getattr", "hasattr": "hasattr"}


class Sights(Protocol):
    """Something that knows places of one kind that read attributes."""

    def reading(self, names: Collection[str]) -> Iterator[Sight]:
        """Yield the places that read an attribute of one of these names, file by file."""
        ...


class PythonSights:
    """The places in Python code: attributes, ``getattr`` and ``hasattr`` with a constant."""

    def __init__(
        self, evaluator: ProgramEvaluator, files_with: Callable[[Sequence[bytes]], list[str]]
    ) -> None:
        self._evaluator = evaluator
        self._files_with = files_with

    def reading(self, names: Collection[str]) -> Iterator[Sight]:
        """Yield the places that read an attribute of one of these names, file by file."""
        for path in self._files_with(sorted(one.encode() for one in names)) if names else ():
            module = self._evaluator.load(path)
            for node in module.walk() if module is not None else ():
                sight = self._sight(module, node) if module is not None else None
                if sight is not None and sight.path[0] in names:
                    yield sight

    def _sight(self, module: Module, node: ast.AST) -> Sight | None:
        match node:
            # What is called is a method that has the name by chance, as of `rows.keys()`.
            case ast.Attribute() if _is_called(module, node):
                return None
            case ast.Attribute(ctx=ast.Load()):
                return Sight(module, node.value, (node.attr,), module.place(node), "attribute")
            case ast.Attribute(ctx=ast.Store()):
                return Sight(module, node.value, (node.attr,), module.place(node), "assigned")
            case ast.Call(
                func=ast.Name(id="getattr" | "hasattr" as name),
                args=[owner, ast.Constant(value=str(attribute)), *_],
            ):
                return Sight(module, owner, (attribute,), module.place(node), _GETTERS[name])
            case _:
                return None


def _is_called(module: Module, node: ast.Attribute) -> bool:
    above = module.parent(node)
    return isinstance(above, ast.Call) and above.func is node
