"""One module of a program, with the questions that are asked to tell what a statement loads."""

from __future__ import annotations

import ast
from typing import Any, Protocol

from msgspec import Struct

from awaken.project.frameworks.orm import Orm
from awaken.project.graph.calls import Calls
from awaken.project.names.classes import ClassFacts, Definition
from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module
from awaken.project.source.programs.program import Program
from awaken.project.values.possible import ProgramValues


class OrmProgram(Program, Protocol):
    """Questions about a whole program; ``Project`` answers them."""

    @property
    def targets(self) -> Any:
        """The versions that the program declares."""

    @property
    def published(self) -> bool:
        """Whether code outside the program may import from it."""

    @property
    def orm(self) -> Orm:
        """Sessions, mapped classes and queries."""

    @property
    def calls(self) -> Calls:
        """Who calls what."""

    @property
    def values(self) -> ProgramValues:
        """What expressions may be."""

    def definition(self, qualified: str) -> Definition | None:
        """Return what the project defines under this name."""

    def value_at(self, qualified: str | None) -> tuple[Module, ast.expr] | None:
        """Return the only value of a name at the top of a file, with that file."""

    def class_definition(self, qualified: str) -> tuple[Module, ast.ClassDef] | None:
        """Return the class with this name, and its file, if the project defines it once."""

    def class_facts(self, qualified: str) -> ClassFacts | None:
        """Return the class with this name, if the project defines it."""

    def classes_of(self, module: Module, node: ast.expr) -> tuple[str, ...]:
        """Return the classes that ``node`` may be."""

    def instance_of(self, module: Module, node: ast.expr) -> tuple[str, ...]:
        """Return the classes that ``node`` may be an instance of."""

    def library_ancestors(self, qualified: str) -> tuple[str, ...]:
        """Return the classes outside of the project that a class inherits from."""

    def all_subclasses(self, qualified: str) -> tuple[str, ...]:
        """Return all classes that inherit from a class."""


class ModuleReader(Struct, frozen=True):
    """One module of a program, and what its expressions mean."""

    project: OrmProgram
    module: Module

    def qualified_name(self, node: ast.expr) -> str | None:
        """Return the dotted name that ``node`` means, or None."""
        return self.project.qualified_name(self.module, node)

    def library_name(self, node: ast.expr) -> str | None:
        """Return the last part of what ``node`` means if SQLAlchemy defines it, else None."""
        name = self.qualified_name(node) or ""
        if not name.startswith(("sqlalchemy.", "sqlmodel.")):
            return None
        return name.rpartition(".")[2]

    def function_name(self, node: ast.expr) -> str | None:
        """Return ``count`` for ``func.count``, ``sa.func.count`` and so on, else None."""
        if not isinstance(node, ast.Attribute):
            return None
        if self.library_name(node.value) == "func":
            return node.attr
        # ``func.json.x`` and ``db.func.x``: Flask-SQLAlchemy's object has SQLAlchemy's names.
        is_func = isinstance(node.value, ast.Attribute) and node.value.attr == "func"
        return node.attr if is_func else None

    def bindings(self, node: ast.Name) -> list[Binding]:
        """Return what gives ``node`` its value inside this file."""
        return self.module.scopes.bindings_of(node)

    def only_value(self, node: ast.Name) -> ast.expr | None:
        """Return the expression assigned to ``node`` if there is exactly one in a function."""
        return self.module.scopes.only_value(node)
