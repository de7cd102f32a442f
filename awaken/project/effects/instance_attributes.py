"""Attributes that are plain values."""

from __future__ import annotations

import ast

from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.modules import Module
from awaken.project.source.trees import methods_named
from awaken.project.values.domain import InstanceOf

_OF_EVERYTHING = {"__class__", "__dict__", "__doc__", "__module__", "__name__", "__qualname__"}
_HOOKS = {"__getattribute__", "__setattr__", "__slots__"}


class Attributes(ProgramFacts):
    """Answers for one project."""

    def is_plain(self, module: Module, node: ast.Attribute) -> bool:
        """Whether reading ``node`` runs no code: it is no property, and is there.

        The code of its receiver does not count.
        """
        if node.attr in _OF_EVERYTHING or self._is_static(module, node):
            return True
        return self._is_stored(module, node)

    def _is_static(self, module: Module, node: ast.Attribute) -> bool:
        """Whether ``node`` is a name of a module, or an attribute that a class has itself."""
        names = self._evaluator.names
        name = names.qualified_name(module, node)
        if name is None:
            return False
        located = names.locate(name)
        if located is None:
            return True
        owner = name.rpartition(".")[0]
        if len(located.rest) <= 1:
            return True
        pair = self._evaluator.classes.node(owner)
        return pair is not None and node.attr in pair[0].scopes.scope_made_by(pair[1]).bindings

    def _classes(self, module: Module, node: ast.expr) -> list[tuple[Module, ast.ClassDef]] | None:
        """Return the class of which ``node`` is an instance, and all that it inherits."""
        values = self._evaluator.values(module, node)
        if len(values) != 1 or not isinstance(values[0], InstanceOf):
            return None
        classes, name = self._evaluator.classes, values[0].qualified
        line = [(home, body) for _, home, body in classes.bodies(name)]
        return line if classes.line(name) else None

    def _is_stored(self, module: Module, node: ast.Attribute) -> bool:
        """Whether every instance of the receiver's class has the attribute, as a plain value."""
        classes = self._classes(module, node.value)
        if classes is None:
            return False
        has = False
        for home, owner in classes:
            bound = home.scopes.scope_made_by(owner).bindings
            # With one of these the class itself decides what an attribute is.
            if _HOOKS & set(bound):
                return False
            bindings = bound.get(node.attr, [])
            is_method = any(binding.kind == "function" for binding in bindings)
            if is_method and any(one.decorator_list for one in methods_named(owner, node.attr)):
                return False
            has = has or bool(bindings) or node.attr in _set_at_once(owner)
        return has


def _set_at_once(owner: ast.ClassDef) -> set[str]:
    """Return the attributes that ``__init__`` sets in every case: by its own statements."""
    init = next(iter(methods_named(owner, "__init__")), None)
    if init is None or not init.args.args:
        return set()
    result: set[str] = set()
    # Not what is below an `if` or a `try`, which may be passed over.
    for statement in init.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        result |= {
            target.attr
            for target in targets
            if isinstance(target, ast.Attribute)
            and isinstance(target.value, ast.Name)
            and target.value.id == init.args.args[0].arg
        }
    return result
