"""Expressions that read something of an object, and the statement that they are in."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from awaken.knowledge.library_names import name_list
from awaken.project.source.expressions.alternatives import (
    alternatives,
    conditions_passed,
    is_tested,
)
from awaken.project.source.expressions.expression_uses import reads_value, use_of
from awaken.project.source.trees import Function, root_of
from awaken.project.values.domain import (
    InstanceOf,
    Values,
    instances_in,
    values_inside,
    without_none,
)

if TYPE_CHECKING:
    from awaken.contract import Place
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Later
    from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read
    from awaken.project.source.modules import Module

_SEQUENCES = name_list("collections_of_objects")
DICTIONARIES = name_list("dictionaries")
_LOOKING = {"bool", "callable", "id", "isinstance", "issubclass", "len", "type"}
"""Builtins that read nothing of an object."""
OF_SESSIONS = {"add", "add_all", "delete", "expire", "expunge", "merge", "refresh"}
"""Methods of sessions, which load what they need themselves."""


def reads_of_object(module: Module, node: ast.expr, *, is_many: bool) -> bool:
    """Whether something may be read of the object that an expression gives, or of its items."""
    way, above = use_of(module, node)
    match way:
        case "attribute":
            return reads_value(module, above) and not is_many
        case "item":
            return reads_value(module, above)
        case "compared" | "tested":
            return False
        case "same":
            return len(alternatives(above)) > 1 and not is_tested(module, above)
        case "bound":
            # Its new name is bound after what expired it, and is not followed back.
            return isinstance(above, ast.Assign) and isinstance(
                above.targets[0], ast.Name | ast.Tuple
            )
        case "argument" if isinstance(above.func, ast.Name):
            return above.func.id not in _LOOKING
        case "argument" if isinstance(above.func, ast.Attribute):
            return above.func.attr not in OF_SESSIONS
    return True


def object_at(project: Project, module: Module, node: ast.expr) -> tuple[ast.expr, Values]:
    """Return the expression that takes an object out of what ``node`` gives, and its values.

    That is ``node`` itself where it is a mapped object. It is ``data["item"]`` of
    ``data["item"].name``, and ``box.item`` of ``box.item.name``.
    """
    values, above = _objects_of(project, module, node), module.parent(node)
    while not kind_of(project, values) and (
        (
            isinstance(above, ast.Subscript)
            and above.value is node
            and _is_item(project, module, above, values)
        )
        or (isinstance(above, ast.Attribute) and use_of(module, above).way != "called")
    ):
        node, above = above, module.parent(above)
        values = _objects_of(project, module, node)
    return node, values


def _is_item(project: Project, module: Module, item: ast.Subscript, values: Values) -> bool:
    """Whether ``item`` reads an item of ``values``, and may be read in front of its statement."""
    function, statement = module.enclosing_def(item), module.statement_of(item)
    if not isinstance(item.ctx, ast.Load) or function is None or statement is None:
        return False
    if isinstance(item.slice, ast.Constant):
        if any(isinstance(value, InstanceOf) and value.named for value in values):
            return True
    elif not isinstance(item.slice, ast.Name) or not is_of_function(module, item.slice, function):
        return False
    # Elsewhere the key may be missing.
    if not any(map(values_inside, values)) or whole_if(module, statement) is not statement:
        return False
    order = project.effects.order(module, item)
    return order is not None and order.unconditional


def _objects_of(project: Project, module: Module, node: ast.expr) -> Values:
    """Return what an expression may be, with the classes of objects that only a base names."""
    return project.orm.with_heirs(project.values.alternatives_of(module, node))


def read_nodes(module: Module, places: Collection[Place]) -> list[ast.Attribute | ast.Name]:
    """Return the expressions at ``places``, in the order of the source, the outer one first."""
    nodes = module.expressions_at({place.span for place in places})
    reads = [node for node in nodes if isinstance(node, ast.Attribute | ast.Name)]
    return sorted(
        (node for node in reads if module.place(node) in places),
        key=lambda node: (module.span(node).start, -module.span(node).end),
    )


def events_before(later: Iterable[Later]) -> defaultdict[str, dict[Place, list[Place]]]:
    """Return the reads in each file, each with the events before it."""
    places: defaultdict[str, dict[Place, list[Place]]] = defaultdict(dict)
    for item in later:
        places[item.place.path].setdefault(item.place, []).append(item.commit)
    return places


def is_served(read: Read) -> bool:
    """Whether visible statements load all objects of a read, each time again."""
    return read.is_traced and all(trace.load.kind in {"select", "query"} for trace in read.traces)


def is_conditional(module: Module, node: ast.expr, statement: ast.stmt) -> bool:
    """Whether an expression may be left out when a statement runs."""
    for below, above in module.steps_up(node):
        if above is statement:
            return False
        if isinstance(above, ast.comprehension):
            made = module.parent(above)
            # The first iterable of a comprehension is evaluated immediately.
            if below is not above.iter or getattr(made, "generators", [])[:1] != [above]:
                return True
        elif isinstance(above, ast.stmt) or any(conditions_passed(above, below)):
            return True
    return True


def whole_if(module: Module, statement: ast.stmt) -> ast.stmt:
    """Return the statement, of an ``elif`` the ``if`` that it belongs to."""
    above = module.parent(statement)
    while isinstance(statement, ast.If) and isinstance(above, ast.If):
        start = module.span(statement).start
        is_elif = above.orelse == [statement] and module.source.text.startswith(b"elif", start)
        if not is_elif:
            break
        statement, above = above, module.parent(above)
    return statement


def kind_of(project: Project, values: Values) -> str:
    """Return whether a value is one mapped object, or many; nothing if part of it is unknown.

    ``optional`` is one that may be None.
    """
    result = without_none(values)
    if result and all(_is_mapped(project, alternative) for alternative in result):
        return "one" if len(result) == len(values) else "optional"
    for value in result:
        is_list = isinstance(value, InstanceOf) and value.qualified in _SEQUENCES
        items = value.parameters[-1] if isinstance(value, InstanceOf) and value.parameters else ()
        if not is_list or not items or not all(_is_mapped(project, each) for each in items):
            return ""
    return "many" if result and len(result) == len(values) else ""


def mapped_in(project: Project, values: Values) -> frozenset[str]:
    """Return the mapped classes of the objects that values are, or lead to."""
    instances = (each for each in instances_in(values) if _is_mapped(project, each))
    return frozenset(each.qualified for each in instances)


def _is_mapped(project: Project, value: object) -> bool:
    return isinstance(value, InstanceOf) and project.orm.mapped_class(value.qualified) is not None


def is_of_function(module: Module, node: ast.Attribute | ast.Name, function: Function) -> bool:
    """Whether an expression means the same in front of its statement: its variable is there."""
    first, around = root_of(node), (function, *module.ancestors(function))
    return isinstance(first, ast.Name) and any(
        binding.scope.kind == "function" and binding.scope.node in around
        for binding in module.scopes.bindings_of(first)
    )
