"""Tests: the names that they replace, mocks of Query, and runners of coroutine tests.

``replacements`` finds the replacements of the program's functions; ``index`` maps mocks of Query to
the queries that they answer.
"""

from awaken.project.frameworks.testing.coroutine_tests import CoroutineTests
from awaken.project.frameworks.testing.index import Double, Doubles
from awaken.project.frameworks.testing.marks import configured
from awaken.project.frameworks.testing.mocks import Mocked, Mocks, is_of_mock
from awaken.project.frameworks.testing.object_factories import ObjectFactories
from awaken.project.frameworks.testing.reach import QueryUse, use_of
from awaken.project.frameworks.testing.replacements import Replacement, Replacements, assigned

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
    "assigned",
    "configured",
    "is_of_mock",
    "use_of",
]
