"""Conditions that are as true when the application starts as where a handler is registered."""

from __future__ import annotations

import ast

from msgspec import Struct

from awaken.codemods.fastapi.on_event_to_lifespan.placing.home import Home
from awaken.knowledge.library_names import name_list
from awaken.project import Project
from awaken.project.source.bindings import Binding
from awaken.project.source.f_strings import is_literal
from awaken.project.source.modules import Module
from awaken.project.source.trees import Loop

_PLAIN_CALLS = name_list("plain_calls")
_PLAIN_TYPES = {"builtins.bool", "builtins.float", "builtins.int", "builtins.str"}
_OF_STRINGS = {"casefold", "lower", "lstrip", "rstrip", "strip", "upper"}
"""Parts within parts of a value: settings are ``os.getenv("X", "").strip().lower() or "y"``."""


class Condition(Struct, frozen=True):
    """The source of a condition, and the names that it reads."""

    code: str
    reads: tuple[ast.Name, ...]


def steady_condition(project: Project, home: Home, test: ast.expr) -> Condition | None:
    """Return ``test`` as the lifespan may ask it, None if its answer may change until then.

    It may if it reads anything but values that cannot change, under names that are bound once.
    """
    text = home.module.text_of(test)
    # The condition becomes the head of an `if`, on one line.
    if "\n" in text or "\r" in text or not _Steadiness(project, home).of_test(test):
        return None
    reads = tuple(home.module.nodes_below(test, ast.Name))
    return Condition(text, reads)


class _Steadiness:
    """Decides about expressions: of the condition, and those that its names are bound to."""

    def __init__(self, project: Project, home: Home) -> None:
        self._project = project
        self._home = home

    def of_test(self, test: ast.expr) -> bool:
        """Whether a condition is always as true as it is now."""
        match test:
            case ast.Constant():
                return True
            case ast.Name():
                return self._of_name(test, truth_only=True)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.of_test(operand)
            case ast.BoolOp(values=values):
                return all(map(self.of_test, values))
            case ast.Compare(left=left, comparators=others):
                # A comparison needs the very values; their truth alone is not enough.
                return all(map(self._of_operand, (left, *others)))
        return False

    def _of_operand(self, node: ast.expr) -> bool:
        match node:
            case ast.Constant():
                return True
            case ast.Tuple(elts=elements) | ast.Set(elts=elements) | ast.List(elts=elements):
                return all(isinstance(element, ast.Constant) for element in elements)
            case ast.Name():
                return self._of_name(node, truth_only=False)
        return False

    def _of_name(self, node: ast.Name, *, truth_only: bool) -> bool:
        module = self._home.module
        binding = module.scopes.only_binding(node)
        # A loop gives one binding many values.
        if binding is None or _in_a_loop(module, binding):
            return False
        if binding.kind == "parameter":
            return binding.scope is self._home.scope and self._is_plain_type(binding.annotation)
        if binding.scope is not self._home.scope and binding.scope.kind != "module":
            return False
        # Tests may set the name between the import and the start.
        replaced_names = self._project.replaced_names
        if binding.scope.kind == "module" and replaced_names.of_variable(module, node.id):
            return False
        if binding.kind == "import":
            return self._of_imported(node, truth_only)
        return self._is_kept(module, binding, truth_only)

    def _of_imported(self, node: ast.Name, truth_only: bool) -> bool:
        name = self._project.qualified_name(self._home.module, node)
        definition = self._project.definition(name) if name is not None else None
        module = self._project.module(definition.path) if definition is not None else None
        if name is None or module is None:
            return False
        return self._is_kept(
            module, module.scopes.module.bindings[name.rpartition(".")[2]][0], truth_only
        )

    def _is_kept(self, module: Module, binding: Binding, truth_only: bool) -> bool:
        """Whether ``binding`` assigns a value that cannot change; a comparison gives a truth."""
        value = binding.value if binding.kind == "assignment" else None
        if value is None:
            return False
        if truth_only and isinstance(value, ast.Compare):
            return True
        return self._is_plain(module, value)

    def _is_plain(self, module: Module, value: ast.expr) -> bool:
        """Whether an expression gives a number, a string, a truth or None, and nothing else."""
        match value:
            case _ if is_literal(value):
                return True
            case ast.UnaryOp(op=ast.Not()):
                return True
            case ast.BoolOp(values=values):
                return all(self._is_plain(module, node) for node in values)
            case ast.Subscript(value=ast.Attribute() as owner):
                # The variables may change, but the string that was read cannot.
                return self._project.qualified_name(module, owner) == "os.environ"
            case ast.Call(func=ast.Attribute(value=owner, attr=name), args=[]) if (
                name in _OF_STRINGS
            ):
                return self._is_plain(module, owner)
            case ast.Call():
                return self._project.qualified_name(module, value.func) in _PLAIN_CALLS
        return False

    def _is_plain_type(self, annotation: ast.expr | None) -> bool:
        match annotation:
            # Without an annotation a parameter may be a list, which can change.
            case None:
                return False
            case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
                return self._is_plain_type(left)
        return self._project.qualified_name(self._home.module, annotation) in _PLAIN_TYPES


def _in_a_loop(module: Module, binding: Binding) -> bool:
    above = module.ancestors(binding.node)
    return any(isinstance(node, Loop) for node in above)
