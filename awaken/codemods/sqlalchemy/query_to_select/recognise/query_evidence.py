"""The evidence that a call of ``query`` is one of a session: that it asks for what is mapped."""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.project.frameworks.loads.mapped_classes import entity_of


def is_proved_by_use(reader: Reader, call: ast.Call) -> bool:
    """Whether this call, or another one on the same variable, asks for what is mapped."""
    if _is_proved(reader, call):
        return True
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    function = reader.module.enclosing_function(call)
    if not isinstance(receiver, ast.Name) or function is None:
        return False
    binding = reader.bindings(receiver)
    # A variable that is set twice may be something else at the other call.
    return len(binding) == 1 and any(
        isinstance(other, ast.Call)
        and isinstance(other.func, ast.Attribute)
        and other.func.attr == "query"
        and isinstance(other.func.value, ast.Name)
        and reader.bindings(other.func.value) == binding
        and _is_proved(reader, other)
        for other in reader.module.walk(function)
    )


def is_proved_by_use_alone(reader: Reader, call: ast.Call) -> bool:
    """Whether this call asks for what is mapped, and callers tell no more of its session."""
    sessions, module, function = reader.project.orm.sessions, reader.module, call.func
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Attribute)
        and any(
            _is_mapped(reader, node) or sessions.is_built_on(module, node) for node in call.args
        )
        and sessions.is_proved_by_use_alone(module, function.value)
        and _is_proved(reader, call)
    )


def _is_proved(reader: Reader, call: ast.Call) -> bool:
    if reader.project.orm.sessions.by_use(reader.module, call) is not None:
        return True
    evidence = next((argument for argument in call.args if _is_mapped(reader, argument)), None)
    if evidence is None:
        return False
    return reader.project.orm.sessions.by_use(reader.module, call, evidence) is not None


def _is_mapped(reader: Reader, node: ast.expr) -> bool:
    """Whether ``node`` is a mapped class or an attribute of one, whatever name it has here."""
    for part in (node, node.value) if isinstance(node, ast.Attribute) else (node,):
        entity = entity_of(reader, part)
        if entity is not None:
            return not entity.certainty.is_presumed
    return False
