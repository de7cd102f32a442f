"""Generic classes: their type variables, and what they give to those of their bases."""

from __future__ import annotations

import ast
from functools import cache
from typing import NamedTuple

from awaken.knowledge.declarations import declaration
from awaken.project.source.trees import items_in_brackets
from awaken.project.values.domain import InstanceOf
from awaken.project.values.library_types.declared_types import named_declaration, read, variables_in

PARAMETRISED = {"typing.Generic", "typing.Protocol", "typing_extensions.Protocol"}


class GenericClass(NamedTuple):
    """A class: the names of its type variables in order, and its bases with their arguments."""

    variables: tuple[str, ...]
    bases: tuple[InstanceOf, ...]
    is_protocol: bool = False


@cache
def library_class(qualified: str) -> GenericClass | None:
    """Return a class that a stub declares; None where there is none."""
    result = declaration(qualified)
    node = result.nodes[0] if result is not None and result.nodes else None
    if result is None or not isinstance(node, ast.ClassDef):
        return None
    bases: list[InstanceOf] = []
    listed: tuple[str, ...] | None = None
    is_protocol = False
    for base in node.bases:
        arguments = items_in_brackets(base) if isinstance(base, ast.Subscript) else []
        outer = base.value if isinstance(base, ast.Subscript) else base
        declared = named_declaration(result.module, outer)
        if declared is None:
            continue
        is_protocol = is_protocol or declared.public_name == "typing.Protocol"
        if declared.public_name in PARAMETRISED:
            if arguments:
                listed = variables_in(result.module, arguments)
            continue
        inner = tuple(read(result.module, argument) for argument in arguments)
        bases.append(InstanceOf(declared.public_name, parameters=inner))
    variables = variables_in(result.module, node.bases) if listed is None else listed
    return GenericClass(variables, tuple(bases), is_protocol)
