"""Test doubles of Query, and the queries of the program that tests replace by them."""

from awaken.project.frameworks.testing.index import Double, Doubles
from awaken.project.frameworks.testing.marks import configured
from awaken.project.frameworks.testing.reach import QueryUse, use_of

__all__ = ["Double", "Doubles", "QueryUse", "configured", "use_of"]
