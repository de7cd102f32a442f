"""Objects that a function has made, and that no session has yet: nothing is loaded for them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.expressions.expression_uses import targets_of
from awaken.project.source.trees import variable_of

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_QUERYING = library_names().executing_methods


def is_transient(project: Project, module: Module, statement: ast.stmt, name: str) -> bool:
    """Whether a variable has such an object where a statement sets an attribute of it.

    A statement of the same block makes the object, and no call runs between the two. The value of
    the statement cannot reach the object, because no related one has it.
    """
    block = module.block_of(statement)
    for earlier in reversed(block[: block.index(statement)] if statement in block else ()):
        made = getattr(earlier, "value", None)
        if getattr(variable_of(earlier), "id", "") == name:
            return isinstance(made, ast.Call) and _is_apart(project, module, made, statement, name)
        if any(isinstance(node, ast.Call | ast.Await | ast.Yield) for node in ast.walk(earlier)):
            return False
    return False


def _is_apart(
    project: Project, module: Module, made: ast.Call, statement: ast.stmt, name: str
) -> bool:
    """Whether a new object of a mapped class is in no session after the value of a statement."""
    qualified = project.qualified_name(module, made.func)
    if qualified is None or project.orm.mapped_class(qualified) is None:
        return False
    # An `__init__` may put the object into a session: `db.session.add(self)`.
    if project.orm.models.runs_where_made(qualified):
        return False
    value = getattr(statement, "value", None)
    parts = list(ast.walk(value)) if isinstance(value, ast.expr) else []
    if any(isinstance(part, ast.Name) and part.id == name for part in parts):
        return False
    # A related object may be in a session, and take the new one along.
    names = project.orm.reads.names_of_mapped()
    is_related = any(keyword.arg is None or keyword.arg in names for keyword in made.keywords)
    return not is_related or not any(isinstance(part, ast.Call | ast.Await) for part in parts)


def is_flushed_by_value(
    project: Project, module: Module, node: ast.expr, statement: ast.stmt
) -> bool:
    """Whether the value of a statement queries, and so may flush the new object that it changes.

    A pending object loads nothing, but the flush makes it one that loads what is replaced.
    """
    if not isinstance(getattr(module.parent(node), "ctx", None), ast.Store):
        return False
    is_pending = any(
        isinstance(binding.value, ast.Call)
        and _may_be_pending(project, module, binding.value, statement)
        for binding in module.scopes.bindings_of(node)
    )
    return is_pending and any(
        isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and part.func.attr in _QUERYING
        and isinstance(project.orm.session_of(module, part.func.value), SessionProof)
        for part in ast.walk(statement)
    )


def _may_be_pending(project: Project, module: Module, made: ast.Call, statement: ast.stmt) -> bool:
    """Whether a session may have a new object of a mapped class in front of a statement."""
    qualified = project.qualified_name(module, made.func)
    if qualified is None or project.orm.mapped_class(qualified) is None:
        return False
    return bool(_places_given_away(module, made, statement)) or project.orm.models.runs_where_made(
        qualified
    )


def is_given_away(module: Module, made: ast.Call, reading: ast.stmt) -> bool:
    """Whether a new object may be in a session where a statement reads it, and be flushed there."""
    given, end = _places_given_away(module, made, reading), module.span(reading).start
    if given is None:
        return True
    return bool(given) and any(
        isinstance(node, ast.Call) and min(given) <= module.span(node).start < end
        for node in module.walk(module.enclosing_function(made))
    )


def _places_given_away(module: Module, made: ast.Call, reading: ast.stmt) -> list[int] | None:
    """Return where a function gives a new object away before a statement; None if at once."""
    targets = targets_of(module.parent(made))
    names = {part.id for each in targets for part in ast.walk(each) if isinstance(part, ast.Name)}
    if not names:
        return None
    start, end = module.span(made).end, module.span(reading).start
    # A list or a collection has it, too: `order.items = [item]`.
    return [
        module.span(node).end
        for node in module.walk(module.enclosing_function(made))
        if isinstance(node, ast.Name)
        and node.id in names
        and isinstance(node.ctx, ast.Load)
        and start < module.span(node).start < end
        and not _is_attribute_read(module, node)
    ]


def _is_attribute_read(module: Module, node: ast.Name) -> bool:
    """Whether an attribute of a variable is read, and not called."""
    above = module.parent(node)
    return isinstance(above, ast.Attribute) and module.call_of(above) is None
