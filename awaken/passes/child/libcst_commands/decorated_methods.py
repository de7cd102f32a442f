"""Makes LibCST look for decorated methods where there may be some.

Each visitor that knows matchers goes through all its attributes three times when it is made, for
methods that a matcher decorates. Nearly all of the thousand are methods that LibCST itself defines
for every kind of node, decorated by nobody: that takes ten milliseconds for each file, and as many
for each helper that a codemod makes. Other attributes are looked up as before.
"""

from __future__ import annotations

from importlib import import_module

from libcst import CSTTransformer, CSTVisitor

_OF_LIBCST = frozenset(
    one
    for one in (*CSTTransformer.__mro__, *CSTVisitor.__mro__)
    if one.__module__ == "libcst._typed_visitor"
)
"""The base classes that have a method for every kind of node."""


def look_for_few() -> None:
    """From now on leave out the attributes that only LibCST's own base classes have."""
    try:
        looking = import_module("libcst.matchers._visitors")
    except ModuleNotFoundError:  # in another LibCST it is elsewhere, and takes its time
        return
    # The name of a builtin, which the functions that look there find in their module first.
    vars(looking)["dir"] = names_of


def names_of(visitor: object) -> list[str]:
    """Return the attributes of a visitor as ``dir`` does, without those that LibCST defines."""
    kind = type(visitor)
    if kind.__dir__ is not object.__dir__ or not _OF_LIBCST.intersection(kind.__mro__):
        return dir(visitor)
    found = set(getattr(visitor, "__dict__", ()))
    for one in kind.__mro__:
        if one not in _OF_LIBCST:
            found.update(vars(one))
    return sorted(found)
