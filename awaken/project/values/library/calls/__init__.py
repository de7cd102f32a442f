"""Calls of what stubs declare.

``lines`` finds the classes of a value, ``fitting`` the overload of a call, ``solutions`` the types
for its type variables, and ``uses`` the results of values whose calls are not visible.
"""
