"""Classes that a call makes, with their fields: ``NamedTuple("Point", [("x", int)])``."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from awaken.knowledge.library_names import name_table
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name

MADE_LIKE: Mapping[str, str] = name_table("classes_made_by_calls")
"""What a class inherits from that a call of a function makes, by the name of the function."""
_LAST_NAMES = {name.rpartition(".")[2] for name in MADE_LIKE}
_OF_FIELDS = {"field_names"}
_OF_OTHERS = {"defaults", "frozen", "module", "slots", "total"}
"""The arguments that add no name to the class."""


def making_call(module: Module, base: ast.expr) -> ast.expr:
    """Return the call that makes a base of a class: itself, or the value of its variable."""
    return (module.scopes.only_value(base) if isinstance(base, ast.Name) else None) or base


def made_fields(module: Module, base: ast.expr) -> dict[str, ast.expr | None] | None:
    """Return the fields of a base that a call makes, with their annotations.

    None where another function may be called, or the fields are not written out.
    """
    match node := making_call(module, base):
        case ast.Call(func=func, args=[_, *args]) if last_name(func) in _LAST_NAMES:
            named = {keyword.arg: keyword.value for keyword in node.keywords}
        case _:
            return None
    given = [*args, *(value for name, value in named.items() if name in _OF_FIELDS)]
    if len(given) != 1 or not named.keys() <= _OF_FIELDS | _OF_OTHERS:
        return None
    # Keys of a dictionary are no attributes.
    return {} if isinstance(given[0], ast.Dict) else _fields(given[0])


def _fields(given: ast.expr) -> dict[str, ast.expr | None] | None:
    match given:
        case ast.Constant(value=str(text)):
            return dict.fromkeys(text.replace(",", " ").split())
        case ast.List(elts=items) | ast.Tuple(elts=items):
            fields = [_field(item) for item in items]
            known = dict(field for field in fields if field is not None)
            return known if len(known) == len(items) else None
    return None


def _field(item: ast.expr) -> tuple[str, ast.expr | None] | None:
    match item:
        case ast.Constant(value=str(name)):
            return name, None
        case ast.Tuple(elts=[ast.Constant(value=str(name)), annotation, *_]):
            return name, annotation
    return None
