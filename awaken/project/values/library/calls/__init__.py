"""Calls of what stubs declare.

``overloads`` finds the overload of a call by the classes of its values, ``library_results`` the
results of values whose calls are not visible.
"""
