"""Fixers that were written for 2to3: Bowler makes one for each place, and gives it nothing."""

from __future__ import annotations

import inspect
from typing import Any

from fissix.fixer_base import BaseFix
from fissix.fixer_util import find_root


def usable(fixer: type[Any]) -> type[Any]:
    """Return a fixer that can be made without arguments, which 2to3's own cannot."""
    try:
        inspect.signature(fixer).bind()
    except TypeError:
        return _begun(fixer) if issubclass(fixer, BaseFix) else fixer
    return fixer


def _begun(fixer: type[Any]) -> type[Any]:
    class Begun(fixer):  # type: ignore[misc]
        """The same, with what 2to3 gives it before it shows it a file."""

        def __init__(self) -> None:
            super().__init__({"print_function": True}, [])

        def transform(self, node: Any, results: Any) -> Any:
            self.start_tree(find_root(node), self.filename or "")
            return super().transform(node, results)

    Begun.__name__ = fixer.__name__
    return Begun
