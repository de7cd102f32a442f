"""The methods of dataclass mappings that read all fields: whether anything runs them.

A mapped dataclass has a generated `__repr__` and `__eq__`. They read its relationships where an
object is formatted, or compared with another, and nowhere else.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.kit.rule import ProjectFacts
from awaken.kit.search import nodes_with
from awaken.knowledge.library_names import name_list
from awaken.project.source.memo import cached_property
from awaken.project.source.trees import last_name
from awaken.project.values.domain import instances_in

_WORDS = (b"=", b" in ", b"(", b"%", b"{")
_COMPARING = (ast.Eq, ast.Gt, ast.GtE, ast.In, ast.Lt, ast.LtE, ast.NotEq, ast.NotIn)
_CALLS = name_list("logging_methods") | {
    *("ascii", "format", "hash", "print", "repr", "sorted", "str"),  # builtins
    *("count", "index", "remove"),  # of lists
}


class GeneratedMethods(ProjectFacts):
    """Answers for one program."""

    def may_run(self, owner: str) -> bool:
        """Whether an object of a class, or of one below it, is formatted or compared."""
        hierarchy = {owner, *self._project.all_subclasses(owner)}
        return not hierarchy.isdisjoint(self._classes)

    @cached_property
    def _classes(self) -> frozenset[str]:
        """The mapped classes whose objects are formatted or compared somewhere."""
        return frozenset(
            instance.qualified
            for module, node in nodes_with(self._project, _WORDS, ast.AST)
            for used in (*_used_nodes(node), *self._moved_nodes(node))
            for instance in instances_in(self._project.values.of(module, used).alternatives)
            if self._project.orm.mapped_class(instance.qualified) is not None
        )

    def _moved_nodes(self, node: ast.AST) -> Iterator[ast.expr]:
        """Yield what gets another owner: the collection of the one before looks for it."""
        match node:
            case ast.Attribute(value=held, attr=name, ctx=ast.Store()) if name in self._sides:
                yield held

    @cached_property
    def _sides(self) -> frozenset[str]:
        """The names of the relationships of mapped classes."""
        return frozenset(self._project.orm.reads.names_of_mapped())


def _used_nodes(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what is formatted or compared by a node."""
    match node:
        case ast.Compare(left=left, ops=ops, comparators=others):
            if any(isinstance(operator, _COMPARING) for operator in ops):
                yield from (left, *others)
        case ast.FormattedValue(value=value):
            yield value
        case ast.BinOp(op=ast.Mod(), right=ast.Tuple(elts=parts)):
            yield from parts
        case ast.BinOp(op=ast.Mod(), right=right):
            yield right
        case ast.Call(args=given) if last_name(node.func) in _CALLS:
            yield from (argument for argument in given if not isinstance(argument, ast.Starred))
