"""Test doubles of Query, and the queries of the program that tests replace by them."""

from awaken.project.doubles.index import Double, Doubles
from awaken.project.doubles.marks import configured, is_test_file
from awaken.project.doubles.reach import Use, use_of

__all__ = ["Double", "Doubles", "Use", "configured", "is_test_file", "use_of"]
