"""Revisions of Alembic: files that run once, against the tables of their day."""

from __future__ import annotations

from awaken.project.source.modules import Module


def is_revision(module: Module) -> bool:
    """Whether a file is a revision: it says which one comes before it.

    Source: Alembic, "Create a Migration Script".
    """
    return "down_revision" in module.scopes.module.bindings
