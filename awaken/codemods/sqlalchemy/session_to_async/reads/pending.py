"""Sessions that hold changes back: what is read anew there would lose them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from awaken.contract import Place

if TYPE_CHECKING:
    from awaken.project import Project

_WORD = b"autoflush"
_HOLDS_BACK = re.compile(rb"\bno_autoflush\b|\bautoflush[\"']?\s*[=:](?!=)\s*(?!True\b)")


def holds_back(project: Project) -> bool:
    """Whether a session of the program may load without writing first what was changed."""
    modules = map(project.module, project.files_with((_WORD,)))
    return any(one is not None and _HOLDS_BACK.search(one.source.text) for one in modules)


def populating(project: Project, place: Place, *, is_held: bool) -> str:
    """Return what a ``get`` is told of reading its object anew: not where changes would be lost.

    Empty where its session has no name. ``is_held`` says whether it may hold changes back.
    """
    if not is_held:
        return "True"
    module = project.module(place.path)
    for call in () if module is None else module.calls_at(place.span):
        match call.func:
            case ast.Attribute(value=ast.Name() | ast.Attribute() as session) if module is not None:
                return f"not {module.text_of(session)}.dirty"
            case _:
                pass
    return ""
