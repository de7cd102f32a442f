"""Small programs as values, and how to point at an expression in them."""

from __future__ import annotations

import ast
from textwrap import dedent

from awaken.project import Module, Project, Snapshot
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import decode

MODELS = """
    from sqlalchemy import Column, ForeignKey, Integer
    from sqlalchemy.orm import declarative_base
    Base = declarative_base()
    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
    class Note:
        id = 1
"""


def program(files: dict[str, str], *, published: bool = True) -> Project:
    """Return the project with these files; their text may be indented as a whole."""
    sources = {path: decode(path, dedent(text).encode()) for path, text in files.items()}
    return Project(Snapshot(sources), None, settings=ProjectSettings(published))


def module_of(project: Project, path: str) -> Module:
    """Return a file that must parse."""
    module = project.module(path)
    assert module is not None, path
    return module


def last(module: Module, text: str) -> ast.expr:
    """Return the last expression of the file whose source is ``text``."""
    found = [
        node
        for node in module.walk()
        if isinstance(node, ast.expr)
        and not module.in_fstring(node)
        and module.text_of(node) == text
    ]
    assert found, text
    return found[-1]


def name_in(files: dict[str, str], path: str, text: str) -> str | None:
    """Return the qualified name of the last expression ``text`` in the file ``path``."""
    project = program(files)
    module = module_of(project, path)
    return project.qualified_name(module, last(module, text))
