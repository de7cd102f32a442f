"""Tests: the names that they replace, mocks of Query, and runners of coroutine tests.

``replacements`` finds the replacements of the program's functions; ``double_index`` maps mocks of
Query to the queries that they answer.
"""

from awaken.project.frameworks.testing.coroutine_tests import CoroutineTests
from awaken.project.frameworks.testing.double_index import Double, Doubles
from awaken.project.frameworks.testing.double_reach import QueryUse, use_of
from awaken.project.frameworks.testing.object_factories import ObjectFactories
from awaken.project.frameworks.testing.passed_mocks import (
    Mocked,
    Mocks,
    configured_mark,
)
from awaken.project.frameworks.testing.replacements import (
    Replacement,
    Replacements,
    assigned_attributes,
)

__all__ = [
    "CoroutineTests",
    "Double",
    "Doubles",
    "Mocked",
    "Mocks",
    "ObjectFactories",
    "QueryUse",
    "Replacement",
    "Replacements",
    "assigned_attributes",
    "configured_mark",
    "use_of",
]
