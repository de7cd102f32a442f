"""Held locks: which lock a ``with`` takes, and which code runs while it is held."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Protocol

from msgspec import Struct

from awaken.knowledge.locks import Guarding, locks
from awaken.project.names.classes import Definition
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.expression_uses import targets_of
from awaken.project.source.memo import recursive
from awaken.project.source.modules import Module
from awaken.project.source.trees import FunctionOrLambda, With, children, keyword_of, last_name
from awaken.project.source.worklist import preorder


class Program(Protocol):
    """Questions about the program that identify the lock of an expression."""

    def module(self, path: str) -> Module | None:
        """Return the parsed file."""

    def qualified_name(self, module: Module, node: ast.expr) -> str | None:
        """Return the dotted name of ``node``."""

    def definition(self, qualified: str) -> Definition | None:
        """Return what the project defines under this name."""

    def class_definition(self, qualified: str) -> tuple[Module, ast.ClassDef] | None:
        """Return the file and the tree of a class; None if the project does not define it."""

    def instance_of(self, module: Module, node: ast.expr) -> tuple[str, ...]:
        """Return the classes of which ``node`` is an instance; empty if it may be more."""


class Lock(Struct, frozen=True):
    """A lock of the program: a variable of a module, or an attribute of a class.

    ``name`` is its qualified name, ``made`` what makes it, as ``asyncio.Lock``.
    """

    name: str
    made: str

    @property
    def kind(self) -> Guarding:
        """Whether it is a lock or a semaphore."""
        return locks().kinds[self.made]

    @property
    def is_of_tasks(self) -> bool:
        """Whether tasks wait for it, and not threads."""
        return self.made in locks().of_tasks


def locks_taken_by(program: Program, module: Module, entered: With) -> list[tuple[Lock, ast.expr]]:
    """Return the locks that a ``with`` takes, in order, and the expressions that name them."""
    result = [
        (lock_of(program, module, item.context_expr), item.context_expr) for item in entered.items
    ]
    return [(lock, node) for lock, node in result if lock is not None]


def lock_of(program: Program, module: Module, node: ast.expr) -> Lock | None:
    """Return the lock that ``node`` names; None for other values, and if unknown.

    Local variables and items of containers are not followed.
    """
    match node:
        case ast.Name():
            return _global(program, module, node)
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
            owner = module.enclosing_class(node)
            return None if owner is None else _of_class(program, module, owner, name)
        case ast.Attribute(attr=name):
            return _global(program, module, node) or _of_instance(program, module, node.value, name)
    return None


def runs_held(entered: With) -> Iterator[ast.AST]:
    """Return the nodes that run while the block of ``entered`` does, of no function inside."""
    apart = (FunctionOrLambda, ast.ClassDef, ast.GeneratorExp)
    return preorder(entered.body, lambda node: () if isinstance(node, apart) else children(node))


# --------------------------------------------------------------------------------- where it is made
def _global(program: Program, module: Module, node: ast.Name | ast.Attribute) -> Lock | None:
    binding = module.scopes.only_binding(node)
    if binding is not None and binding.scope.kind == "module":
        made = _made_text(program, module, binding)
        if made is not None:
            return Lock(f"{module.name}.{last_name(node)}", made)
    name = program.qualified_name(module, node)
    definition = None if name is None else program.definition(name)
    home = None if definition is None else program.module(definition.path)
    if home is None or name is None:
        return None
    bindings = home.scopes.module.bindings.get(name.rpartition(".")[2], [])
    made = _made_text(program, home, bindings[0]) if len(bindings) == 1 else None
    return None if made is None else Lock(f"{home.name}.{bindings[0].name}", made)


def _made_text(program: Program, module: Module, binding: Binding) -> str | None:
    return _maker(program, module, binding.value)


def _maker(program: Program, module: Module, value: ast.expr | None) -> str | None:
    """Return what makes ``value``, if that is a lock: also as a factory of a dataclass."""
    if not isinstance(value, ast.Call):
        return None
    name = program.qualified_name(module, value.func)
    if name in locks().kinds:
        return name
    factory = keyword_of(value, "default_factory")
    name = None if factory is None else program.qualified_name(module, factory)
    return name if name in locks().kinds else None


def _of_instance(program: Program, module: Module, owner: ast.expr, name: str) -> Lock | None:
    itself = program.qualified_name(module, owner)
    if itself is not None and program.class_definition(itself) is not None:
        return _of_named_class(program, itself, name)
    classes = program.instance_of(module, owner)
    return _of_named_class(program, classes[0], name) if len(classes) == 1 else None


@recursive()
def _of_named_class(program: Program, qualified: str, name: str) -> Lock | None:
    owner = program.class_definition(qualified)
    return None if owner is None else _of_class(program, *owner, name)


def _of_class(program: Program, module: Module, owner: ast.ClassDef, name: str) -> Lock | None:
    """Return the lock that the class ``owner`` keeps as ``name``, or a class above it."""
    values = list(_assigned_nodes(module, owner, name))
    if values:
        made = {_maker(program, module, value) for value in values}
        maker = made.pop() if len(made) == 1 else None
        return None if maker is None else Lock(f"{module.name}.{owner.name}.{name}", maker)
    for base in owner.bases:
        qualified = program.qualified_name(module, base)
        lock = None if qualified is None else _of_named_class(program, qualified, name)
        if lock is not None:
            return lock
    return None


def _assigned_nodes(module: Module, owner: ast.ClassDef, name: str) -> Iterator[ast.expr | None]:
    """Yield all values that ``owner`` gives its attribute ``name``."""
    for node in module.walk(owner):
        match node:
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                if any(_is_attribute(module, part, owner, name) for part in targets_of(node)):
                    yield value


def _is_attribute(module: Module, target: ast.expr, owner: ast.ClassDef, name: str) -> bool:
    match target:
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attribute):
            return attribute == name and module.enclosing_class(target) is owner
        case ast.Name(id=attribute):
            return attribute == name and module.scopes.scope_of(target).node is owner
    return False
