"""Replaced names: the code that replaces them, and the tests in which that is in force."""
