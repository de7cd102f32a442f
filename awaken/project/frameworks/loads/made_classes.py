"""Mapped classes that are made by a call: ``type("User", (Base,), {"__tablename__": "users"})``."""

from __future__ import annotations

import ast

from awaken.project.frameworks.loads.items import Item, What
from awaken.project.frameworks.loads.module_reader import ModuleReader

_TABLES = frozenset({"__table__", "__tablename__"})


def made_class(reader: ModuleReader, call: ast.Call) -> Item | None:
    """Return the item for a class that ``call`` makes of a declarative base, if it is mapped."""
    match call:
        case ast.Call(
            func=ast.Name(id="type"), args=[_, ast.Tuple(elts=bases), ast.Dict() as body]
        ):
            pass
        case _:
            return None
    if call.keywords or reader.module.scopes.is_bound("type", call):
        return None
    names = [key.value if isinstance(key, ast.Constant) else None for key in body.keys]
    if None in names or _TABLES.isdisjoint(names) or "__abstract__" in names:
        return None
    qualified = [reader.qualified(base) for base in bases]
    statuses = {reader.project.orm.mapping_status(name) for name in qualified if name is not None}
    if "base" not in statuses:
        return None
    return Item(call, What.ENTITY, owner=ast.unparse(call))
