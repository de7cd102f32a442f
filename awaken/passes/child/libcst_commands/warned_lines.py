"""The lines that a codemod of LibCST warns of: its warnings have words and no place."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from types import FrameType

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from awaken.passes.protocol import Warned

_VISIT = cst.CSTNode.visit.__code__


class Warnings(list[str]):
    """The warnings of a context, each with the nodes that were being visited meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._visited: list[Sequence[cst.CSTNode]] = []

    def append(self, warning: str) -> None:
        """Take a warning, as ``warn`` of LibCST gives it."""
        super().append(warning)
        self._visited.append(tuple(_visited_nodes(sys._getframe(1))))  # noqa: SLF001  no other way

    def of_nodes(self) -> Iterator[tuple[str, Sequence[cst.CSTNode]]]:
        """Yield each warning with its nodes, the innermost first."""
        # Insertions by other means are not reported.
        known = len(self._visited) == len(self)
        yield from zip(self, self._visited if known else [()] * len(self), strict=True)


def locate_warnings(warnings: list[str], tree: cst.Module) -> tuple[Warned, ...]:
    """Return warnings about a file that is read as ``tree``, with their lines."""
    if not isinstance(warnings, Warnings):
        return tuple(Warned(str(one)) for one in warnings)
    lines = _Lines(tree)
    return tuple(Warned(str(one), lines.line_of(nodes)) for one, nodes in warnings.of_nodes())


class _Lines:
    """The lines of the nodes of a file, in each copy of its tree."""

    def __init__(self, tree: cst.Module) -> None:
        self._tree = tree
        self._found: dict[cst.Module, dict[cst.CSTNode, int]] = {}

    def line_of(self, nodes: Sequence[cst.CSTNode]) -> int:
        """Return the line of the innermost node that has one; 0 if there is none."""
        trees = [node for node in nodes if isinstance(node, cst.Module)]
        known = [
            line for tree in trees for node in nodes if (line := self._lines_in(tree).get(node))
        ]
        return known[0] if known else 0

    def _lines_in(self, tree: cst.Module) -> dict[cst.CSTNode, int]:
        if tree not in self._found:
            # Lines of earlier changes are elsewhere.
            is_equal = tree is self._tree or tree.code == self._tree.code
            self._found[tree] = _lines(tree) if is_equal else {}
        return self._found[tree]


def _lines(tree: cst.Module) -> dict[cst.CSTNode, int]:
    places = MetadataWrapper(tree, unsafe_skip_copy=True).resolve(PositionProvider)
    return {node: one.start.line for node, one in places.items() if node is not tree}


def _visited_nodes(frame: FrameType | None) -> Iterator[cst.CSTNode]:
    while frame is not None:
        if frame.f_code is _VISIT:
            yield frame.f_locals["self"]
        frame = frame.f_back
