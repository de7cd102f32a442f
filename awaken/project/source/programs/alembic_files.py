"""The files of Alembic: revisions, which run once, and what runs them."""

from __future__ import annotations

from awaken.contract import Place
from awaken.project.source.modules import Module
from awaken.project.source.programs.program import Program


def is_of_alembic(module: Module) -> bool:
    """Whether a file is a revision, or the environment in which they run."""
    return is_revision(module) or is_environment(module)


def is_in_revision(program: Program, place: Place) -> bool:
    """Whether a place is in a file of Alembic."""
    return any(map(is_of_alembic, program.modules_at([place.path])))


def is_revision(module: Module) -> bool:
    """Whether a file is a revision: it says which one comes before it.

    Source: Alembic, "Create a Migration Script".
    """
    return "down_revision" in module.scopes.module.bindings


def is_environment(module: Module) -> bool:
    """Whether a file is the environment in which Alembic runs revisions.

    Source: Alembic, "The Migration Environment".
    """
    imports = (b"from alembic import context", b"import alembic.context")
    return any(candidate in module.source.text for candidate in imports)
