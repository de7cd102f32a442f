"""Calls of what stubs declare.

``type_variables`` finds the classes of a value, ``overloads`` the overload of a call, and
``library_results`` the results of values whose calls are not visible.
"""
