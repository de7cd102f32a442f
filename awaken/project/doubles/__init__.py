"""Test doubles of Query, and the queries of the program that tests replace by them."""

from awaken.project.doubles.index import Double, Doubles
from awaken.project.doubles.marks import configured, is_test_file

__all__ = ["Double", "Doubles", "configured", "is_test_file"]
