"""Names that are put together at run time, as by ``getattr``, and what they may come to."""

from __future__ import annotations

import ast
import re

from awaken.project.source.f_strings import text_parts
from awaken.project.source.modules import Module

COMPOSING = ("getattr", "globals", "vars")
"""The functions that turn a text into what it names."""


def composing(module: Module) -> list[ast.Call | ast.Subscript]:
    """Return the ``getattr(...)``, ``globals()[...]`` and ``vars()[...]`` of a file in order."""
    outers: list[ast.Call | ast.Subscript] = []
    for word in COMPOSING:
        for node in module.mentions(word):
            call = module.parent(node)
            if not isinstance(node, ast.Name) or not isinstance(call, ast.Call):
                continue
            outer = call if word == "getattr" else module.parent(call)
            if call.func is node and isinstance(outer, ast.Call | ast.Subscript):
                outers.append(outer)
    # They were found word by word.
    return sorted(outers, key=module.span)


def fits(name: ast.expr, wanted: str) -> bool:
    """Whether an expression may be the text ``wanted``: constants and f-strings are compared."""
    match name:
        case ast.Constant():
            return False  # a whole name in a string is found by its text
        case _:
            parts = [
                re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".*"
                for part in text_parts(name)
            ]
            return not parts or re.fullmatch("".join(parts), wanted) is not None
