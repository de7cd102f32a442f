"""Moves markers of FastAPI into annotations."""

from awaken.codemods.fastapi.annotated_dependency.plan import AnnotatedDependency

__all__ = ["AnnotatedDependency"]
