"""Imports LibCST without methods of its nodes that nobody calls: a third of its time."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

_NODE = "CSTNode"


def import_libcst() -> None:
    """Import LibCST; each of its nodes is a data class that does not refuse assignments.

    Python compiles two methods for each of 190 classes to refuse them. It compiles two more to
    compare and print nodes, and drops them, for LibCST has its own. Mypy refuses assignments here.
    """
    if "libcst" in sys.modules:
        return
    plain, nodes = dataclasses.dataclass, list[Any]()

    def decorator(kind: type | None = None, /, **options: Any) -> Any:
        if kind is None:
            return lambda decorated: decorator(decorated, **options)
        if all(base.__name__ != _NODE for base in kind.__mro__):
            return plain(**options)(kind)
        nodes.append(kind)
        return plain(**options | {"frozen": False, "repr": False, "eq": False})(kind)

    names: dict[str, Callable[..., Any]] = vars(dataclasses)
    names["dataclass"] = decorator
    try:
        import libcst  # noqa: F401, PLC0415  with the decorator above
    finally:
        names["dataclass"] = plain
    for node in nodes:
        # A frozen data class of a plug-in may only have bases that say the same.
        node.__dataclass_params__.frozen = True
