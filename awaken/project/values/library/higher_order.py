"""Functions of the standard library that call a function with each item of something."""

from __future__ import annotations

import ast

from awaken.knowledge.library_names import name_table

BY_KEY: dict[str, int] = name_table("positions_of_items")
OF_ITEMS = {
    *("builtins.filter", "builtins.map", "itertools.dropwhile", "itertools.filterfalse"),
    *("itertools.takewhile",),
}
"""What calls its first argument with the items of the next ones."""


def items_called_with(
    name: str | None, call: ast.Call, function: ast.expr, keyword: str | None, position: int
) -> ast.expr | None:
    """Return the argument of ``call`` whose items are given to a parameter of ``function``.

    ``name`` is what is called, ``keyword`` the one that ``function`` is passed as, ``position``
    that of the parameter. None where nothing says so.
    """
    if any(isinstance(argument, ast.Starred) for argument in call.args) or position < 0:
        return None
    is_key = keyword == "key" or (name == "itertools.groupby" and call.args[1:2] == [function])
    if is_key and name in BY_KEY and position == 0:
        at = BY_KEY[name]
        several = name in {"builtins.min", "builtins.max"} and len(call.args) > 1
        return call.args[at] if at < len(call.args) and not several else None
    if is_key and name is None and position == 0 and isinstance(call.func, ast.Attribute):
        # Of a list alone: nothing else has it.
        return call.func.value if call.func.attr == "sort" and not call.args else None
    if name in OF_ITEMS and call.args[:1] == [function] and position + 1 < len(call.args):
        return call.args[position + 1]
    return None
