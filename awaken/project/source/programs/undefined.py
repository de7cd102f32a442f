"""Names that nothing defines: to read one raises NameError, so nothing is done with its value."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from awaken.project.source.expressions.attribute_texts import readers_of_names
from awaken.project.source.modules import Module
from awaken.project.source.trees import root_of

_SETTING = (b"__dict__", b"patch", b"setattr", b"vars(")
"""What a file says that gives another file a name by a string."""


class Program(Protocol):
    """The program around a name."""

    def files_with(self, triggers: Sequence[bytes]) -> list[str]:
        """Return the files that hold one of these words."""

    def modules_at(self, paths: Iterable[str]) -> Iterator[Module]:
        """Yield the files that parse."""

    def qualified_name(self, module: Module, node: ast.expr) -> str | None:
        """Return the full name that ``node`` means; None where it is not certain."""


def is_undefined(project: Program, module: Module, node: ast.expr) -> bool:
    """Whether the first name of ``node`` has no value wherever it is read.

    It may have one if the file takes names from elsewhere, or if something sets it by its name.
    """
    root, scopes = root_of(node), module.scopes
    if not isinstance(root, ast.Name) or root.id.startswith("__"):
        return False
    name = root.id
    if scopes.bindings_of(root) or scopes.import_stars or project.qualified_name(module, node):
        return False
    return not project.files_with([b"builtins"]) and not may_be_given(project, module, name)


def may_be_given(project: Program, module: Module, name: str) -> bool:
    """Whether a file may give a module a name that it does not bind, or the module itself may."""
    if may_define(module):
        return True
    assigned = (f".{name}{sign}" for sign in (" =", "=", ":", " :"))
    if project.files_with([text.encode() for text in assigned]):
        return True
    named = (f'{name}"'.encode(), f"{name}'".encode())
    texts = (home.source.text for home in project.modules_at(project.files_with(named)))
    return any(word in text for text in texts for word in _SETTING)


def may_define(module: Module) -> bool:
    """Whether a file may give itself names by a builtin, or by code that is a text."""
    called = {module.scopes.builtin_called(call) for call in module.nodes(ast.Call)}
    # These need the module, which a file gets from `sys.modules`, or by its name.
    by_name = {"modules", "import_module", "__import__", module.name.rpartition(".")[2]}
    return any(readers_of_names(module, module.scopes.module)) or (
        bool(called & {"setattr", "vars"}) and not by_name.isdisjoint(module.words())
    )
