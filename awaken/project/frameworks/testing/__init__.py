"""Tests: doubles of Query with the queries they stand for, and what runs coroutine tests."""

from awaken.project.frameworks.testing.coroutine_tests import CoroutineTests
from awaken.project.frameworks.testing.index import Double, Doubles
from awaken.project.frameworks.testing.marks import configured
from awaken.project.frameworks.testing.object_factories import ObjectFactories
from awaken.project.frameworks.testing.reach import QueryUse, use_of

__all__ = [
    "CoroutineTests",
    "Double",
    "Doubles",
    "ObjectFactories",
    "QueryUse",
    "configured",
    "use_of",
]
