"""Classes that a call makes, with their fields: ``NamedTuple("Point", [("x", int)])``."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import NamedTuple

from awaken.knowledge.library_names import name_table
from awaken.project.source.memo import cached_in_file
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name

MADE_LIKE: Mapping[str, str] = name_table("classes_made_by_calls")
"""What a class inherits from that a call of a function makes, by the name of the function."""
_LAST_NAMES = {name.rpartition(".")[2] for name in MADE_LIKE}
_TEXTS = [*(f"{name}(".encode() for name in sorted(_LAST_NAMES)), b"new_class"]
_NEW_CLASS = "new_class"
_DERIVING = {_NEW_CLASS, "type"}
OPEN = "__getattribute__"
"""The member of a class that may have any other."""
_OF_FIELDS = {"field_names"}
_OF_OTHERS = {"defaults", "frozen", "module", "slots", "total"}
"""The arguments that add no name to the class."""


class MadeClass(NamedTuple):
    """A class that a call makes, by the name that Python or its variable gives it.

    ``bases`` are what it inherits from, and the function that makes it.
    """

    qualname: str
    call: ast.Call
    fields: dict[str, ast.expr | None]
    bases: list[ast.expr]


@cached_in_file
def made_classes(module: Module) -> dict[ast.Call, MadeClass]:
    """Return the classes with known fields that calls of a file make, by their calls."""
    if not any(text in module.source.text for text in _TEXTS):
        return {}
    made = ((node, _all_fields(module, node)) for node in module.nodes(ast.Call))
    known = ((node, fields) for node, fields in made if fields is not None)
    named = ((node, _qualname_of(module, node), fields) for node, fields in known)
    return {
        node: MadeClass(name, node, fields, [*_bases_of(module, node), node.func])
        for node, name, fields in named
        if name
    }


def _bases_of(module: Module, call: ast.Call) -> list[ast.expr]:
    match call:
        case ast.Call(func=func, args=[_, ast.Tuple(elts=bases), *_]) if _may_derive(module, func):
            return bases
    return []


def _may_derive(module: Module, func: ast.expr) -> bool:
    """Whether a call makes a class with bases, and a namespace: ``type`` or ``types.new_class``."""
    name = last_name(func)
    return name in _DERIVING or name in module.names_given_to(_NEW_CLASS)


def _all_fields(module: Module, call: ast.Call) -> dict[str, ast.expr | None] | None:
    """Return the names that the instances of a class that a call makes have of it."""
    match call:
        case ast.Call(func=func, args=[_, ast.Tuple(), *rest]) if _may_derive(module, func):
            is_written = isinstance(func, ast.Name) and func.id == "type" and len(rest) == 1
            keys = _written_keys(rest[0]) if is_written and not call.keywords else None
            return {OPEN: None} if keys is None else keys
    return made_fields(call)


def _written_keys(namespace: ast.expr) -> dict[str, ast.expr | None] | None:
    """Return the keys of a dictionary that is written out; None where not all are texts."""
    match namespace:
        case ast.Dict(keys=keys):
            names = [key.value if isinstance(key, ast.Constant) else None for key in keys]
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
            names = [keyword.arg for keyword in keywords]
        case _:
            return None
    texts = [name for name in names if isinstance(name, str)]
    return dict.fromkeys(texts) if len(texts) == len(names) else None


def _qualname_of(module: Module, call: ast.Call) -> str:
    """Return the name of a class that a call makes; empty where none is its own."""
    scope, name = module.scopes.scope_of(call), ""
    match module.parent(call), call.args[0]:
        case ((ast.Assign(targets=[target]) | ast.AnnAssign(target=target)), _) if isinstance(
            target, ast.Name
        ) and _names_classes(module, target):
            name = target.id
        case _, ast.Constant(value=str(text)) if not scope.bindings_of(text):
            name = text
    if not name and _may_derive(module, call.func):
        # Relatives find a class without a name by its bases.
        name = f"{last_name(call.func)}()"
    return scope.qualname_of(name) if name else ""


def _names_classes(module: Module, target: ast.Name) -> bool:
    """Whether all that binds a name are calls that make classes, perhaps under a condition."""
    values = [binding.value for binding in module.scopes.bindings_of(target)]
    calls = [value for value in values if isinstance(value, ast.Call)]
    return len(calls) == len(values) and (
        len(calls) == 1 or None not in (_all_fields(module, call) for call in calls)
    )


def made_fields(base: ast.expr) -> dict[str, ast.expr | None] | None:
    """Return the fields of a base that a call makes, with their annotations.

    None where another function may be called, or the fields are not written out.
    """
    match base:
        case ast.Call(func=func, args=[_, *args]) if last_name(func) in _LAST_NAMES:
            named = {keyword.arg: keyword.value for keyword in base.keywords}
        case _:
            return None
    fields = [*args, *(value for name, value in named.items() if name in _OF_FIELDS)]
    if len(fields) != 1 or not named.keys() <= _OF_FIELDS | _OF_OTHERS:
        return None
    # Keys of a dictionary are no attributes.
    return {} if isinstance(fields[0], ast.Dict) else _fields(fields[0])


def _fields(node: ast.expr) -> dict[str, ast.expr | None] | None:
    match node:
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
