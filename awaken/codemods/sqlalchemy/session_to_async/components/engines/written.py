"""Asynchronous engines and factories as code, and those that already exist next to others."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.components.engines.shared import (
    Shared,
    assigned_alone,
)
from awaken.codemods.sqlalchemy.session_to_async.payload import Forwarded, Wrapped
from awaken.contract import Edit, NodeEdit, Span, TextEdit
from awaken.kit.changes import Member
from awaken.kit.payloads import ADD_KEYWORD
from awaken.kit.sites import Rewrite
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project


def asynchronous_code(
    module: Module, shared: Shared, edits: Iterable[Edit], names: Mapping[str, str]
) -> str:
    """Return the statement that makes the asynchronous one, of the text of the other.

    ``edits`` are those that make it asynchronous in its place; ``names`` are the asynchronous ones,
    by those of the others.
    """
    start, text = shared.statement.span.start, module.source.text
    pieces = [piece for edit in edits for piece in _pieces_of(module, shared, edit)]
    for name, place in shared.built_on.items():
        if name in names:
            end = place.span.end
            last = name.rpartition(".")[2].encode()
            begin = end - len(last)
            pieces.append((begin, end, names[name]))
    for variable in assigned_alone(shared.made_in(module)):
        span = module.span(variable)
        pieces.append((span.start, span.end, names[shared.qualified]))
    written_text = text
    for begin, end, code in sorted(pieces, reverse=True):
        written_text = written_text[:begin] + code.encode() + written_text[end:]
    more = len(written_text) - len(text)
    made = written_text[start : shared.statement.span.end + more].decode()
    return "\n".join(made.splitlines())


def _pieces_of(module: Module, shared: Shared, edit: Edit) -> Iterator[tuple[int, int, str]]:
    """Yield the bytes that an edit replaces in the text of the statement, with the new text."""
    match edit:
        case TextEdit(anchor=anchor) if shared.statement.span.contains(anchor):
            yield anchor.start, anchor.end, edit.text
        case TextEdit():
            yield from of_variables(module, shared, edit)
        case NodeEdit(anchor=anchor, data=data) if edit.rewriter == ADD_KEYWORD:
            written = f"{data.name}={data.value}"
            yield _argument(module.source.text, anchor.start, anchor.end, written)
        case NodeEdit(data=Wrapped() as data, anchor=anchor):
            span = module.span(_wrapped_argument(module, anchor, data))
            yield span.end, span.end, ")"
            yield span.start, span.start, f"{data.function}("
        case NodeEdit(data=Forwarded() as data, anchor=anchor):
            yield anchor.end, anchor.end, ")"
            yield anchor.start, anchor.start, f"{data.function}("


def of_variables(module: Module, shared: Shared, edit: TextEdit) -> list[tuple[int, int, str]]:
    """Return where a statement names a variable whose text an edit changes, with the new text.

    The other engine goes on with the variable as it is.
    """
    result: list[tuple[int, int, str]] = []
    for node in module.nodes(ast.Name):
        if not shared.statement.span.contains(module.span(node)):
            continue
        value = module.scopes.only_value(node)
        span = None if value is None else module.span(value)
        if span is None or edit.path != module.path or not span.contains(edit.anchor):
            continue
        text, use = module.source.text, module.span(node)
        before, behind = text[span.start : edit.anchor.start], text[edit.anchor.end : span.end]
        result.append((use.start, use.end, before.decode() + edit.text + behind.decode()))
    return result


def _wrapped_argument(module: Module, call: Span, data: Wrapped) -> ast.expr:
    """Return the argument of a call that becomes one of a function."""
    [node, *_] = module.calls_at(call)
    named = (keyword.value for keyword in node.keywords if keyword.arg == data.keyword)
    return next(named) if data.keyword else node.args[0]


def _argument(text: bytes, start: int, end: int, written: str) -> tuple[int, int, str]:
    """Return where an argument goes into a call, and how: before the bracket that closes it."""
    inside = text[start : end - 1].rstrip()
    at, behind = start + len(inside), text[start + len(inside) : end - 1]
    if inside.endswith(b"("):
        return at, at, written
    line = inside.rpartition(b"\n")[2]
    space = " "
    if b"\n" in behind:
        space = "\n" + line[: len(line) - len(line.lstrip())].decode()
    comma = "" if inside.endswith(b",") else ","
    end_comma = "," if b"\n" in behind else ""
    return at, at, f"{comma}{space}{written}{end_comma}"


def edits_of(members: Iterable[Member]) -> list[Edit]:
    """Return the edits of those of some members that are rewritten."""
    return [
        edit for item in members if isinstance(item.outcome, Rewrite) for edit in item.outcome.edits
    ]


def twins_of(
    project: Project, shared: Mapping[str, Shared], made: Mapping[str, Sequence[Member]]
) -> dict[str, str]:
    """Return the names of asynchronous engines and factories that exist next to others already.

    They are made by the very code that would be written for them, as by an earlier run.
    """
    names: dict[str, str] = {}
    waiting = list(shared.values())
    while waiting:
        # Bases come before their subclasses.
        left = {each.qualified for each in waiting}
        ready = [candidate for candidate in waiting if not candidate.built_on.keys() & left]
        if not ready:
            return names
        for resource in ready:
            waiting.remove(resource)
            module = project.module(resource.piece.path)
            members = [each for each in made.get(resource.qualified, ()) if not each.along]
            is_written = members and all(isinstance(each.outcome, Rewrite) for each in members)
            if module is None or not is_written or not resource.built_on.keys() <= names.keys():
                continue
            name = next(_made_alike(module, resource, edits_of(members), names), None)
            if name is not None:
                names[resource.qualified] = name
    return names


def _made_alike(
    module: Module, shared: Shared, edits: Iterable[Edit], found: Mapping[str, str]
) -> Iterator[str]:
    """Yield the variables of a file that the asynchronous one would be equal to."""
    code = asynchronous_code(module, shared, edits, {**found, shared.qualified: shared.name})
    wanted = _value_of(ast.parse(code, filename="").body[0])
    for statement in module.tree.body:
        variables = [*assigned_alone(statement)] if wanted else []
        if variables and _value_of(statement) == wanted:
            (name,) = {variable.id for variable in variables}
            start = module.span(statement).start
            uses = [place.span.start for place, _ in shared.uses if place.path == module.path]
            is_alone = len(module.scopes.module.bindings.get(name, ())) == len(variables)
            # A name of the other one above would refer to this one before it exists.
            if is_alone and all(start < use for use in uses):
                yield name


def _value_of(statement: ast.stmt) -> str:
    """Return what a statement does, without the name of its one variable; empty without."""
    names = {variable.id for variable in assigned_alone(statement)}
    if len(names) != 1:
        return ""
    values = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else statement
    return "" if values is None else ast.dump(values).replace(repr(names.pop()), "''")
