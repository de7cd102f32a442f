"""The help for a receiver or an item that nothing explains, told from how it is written."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.project.frameworks.loads.query_items import Item, What
from awaken.project.source.trees import Function
from awaken.project.values.domain import ClassOf

_WIDTH = 40
"""Characters of source that a sentence can hold, in a line of 100 with the rest of it."""


def short_text(node: ast.AST) -> str:
    """Return the source of ``node``, cut where it is too long for a sentence."""
    text = ast.unparse(node)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


def prove_session(reader: Reader, receiver: ast.expr) -> str:
    """Return what makes ``receiver`` a session for the rule, if it is one."""
    match receiver:
        case ast.Name():
            return _prove_variable(reader, receiver)
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
            return f"If it is one, annotate it in the class body: `{name}: Session`."
        case ast.Call(func=ast.Name() | ast.Attribute() as function):
            return f"If it is one, annotate what `{short_text(function)}` returns: `-> Session`."
    return f"If it is one, put it in a variable: `session: Session = {short_text(receiver)}`."


def _prove_variable(reader: Reader, name: ast.Name) -> str:
    bindings = reader.bindings(name)
    kinds = {binding.kind for binding in bindings}
    if kinds == {"parameter"}:
        return f"If it is one, annotate the parameter: `{name.id}: Session`."
    if kinds == {"with"} and isinstance(bindings[0].value, ast.Call):
        manager = bindings[0].value.func
        qualified = reader.qualified_name(manager)
        # A class gives what `__enter__` returns, a generator what it yields.
        if qualified is not None and reader.project.class_facts(qualified) is not None:
            return f"If it is one, annotate `{short_text(manager)}.__enter__`: `-> Session`."
        return (
            f"If it is one, annotate what `{short_text(manager)}` yields: `-> Iterator[Session]`."
        )
    if kinds == {"import"}:
        return f"If it is one, annotate it where it is defined: `{name.id}: Session = ...`."
    if kinds <= {"assignment", "annotation"}:
        return f"If it is one, annotate each assignment: `{name.id}: Session = ...`."
    return f"If it is one, pass it to a function as a parameter: `{name.id}: Session`."


def tell_target(reader: Reader, item: Item) -> str:
    """Return what tells the rule which class a bulk write means by ``item``."""
    node = item.node
    match node:
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
            told = f"annotate it in the class body: `{name}: type[Base]`"
        case ast.Name(id=name) if {b.kind for b in reader.bindings(node)} == {"parameter"}:
            told = f"annotate the parameter: `{name}: type[Base]`"
        case _:
            told = (
                f"put it in a variable of this function: `model: type[Base] = {short_text(node)}`"
            )
    return f"If it is a class, {told}; if a Table, write `session.execute(...)` by hand."


def tell_kind(reader: Reader, item: Item) -> str:
    """Return what tells the rule whether ``item`` is a class or a column."""
    node = item.node
    # A class has no `label()`, so that one proves a column.
    column = f"if a column, write `{short_text(node)}.label(...)`"
    match node:
        case ast.Starred(value=value):
            return (
                "Write out the items, or assign them to a local list that nothing "
                f"changes: `{short_text(value)} = [...]`."
            )
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
            told = f"`{name}: type[Base]`"
            return f"If it is a class, annotate it in the class body: {told}; {column}."
        case ast.Name(id=name) if {b.kind for b in reader.bindings(node)} == {"parameter"}:
            return f"If it is a class, annotate the parameter: `{name}: type[Base]`; {column}."
    return (
        "If it is a class, put it in a variable of this function first: "
        f"`model: type[Base] = {short_text(node)}`; {column}."
    )


def refuse_unknown(reader: Reader, items: Sequence[Item]) -> None:
    """Raise Refused if the kind of one of ``items`` is unknown."""
    for item in items:
        if item.what is What.UNKNOWN:
            help_text = tell_kind(reader, item)
            refused = Refused(reasons.UNKNOWN_ENTITY, short_text(item.node), help_text)
            raise refused.answered_by(*_answers(reader, item.node))


def _answers(reader: Reader, node: ast.expr) -> Iterator[str]:
    """Yield the setting that makes all callers of a function visible, if these pass classes."""
    parameters = reader.bindings(node) if isinstance(node, ast.Name) else []
    functions = [binding.scope.node for binding in parameters if binding.kind == "parameter"]
    for function in functions if reader.project.published else ():
        if not isinstance(function, Function):
            continue
        values = reader.project.values.of(reader.module, node).alternatives
        obstacles = reader.project.calls.callers_of(reader.module, function).obstacles
        if {obstacle.kind for obstacle in obstacles} == {"outside"} and any(
            isinstance(value, ClassOf) for value in values
        ):
            yield "published = false"
