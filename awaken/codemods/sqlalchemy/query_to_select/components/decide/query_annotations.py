"""Annotations of what holds queries: ``Query[User]`` becomes ``Select[tuple[User]]``."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.component import Component
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader, sqlalchemy_name
from awaken.kit.names_here import Written
from awaken.project.frameworks.loads.query_items import Item, What
from awaken.project.graph.call_edges import FunctionContext
from awaken.project.graph.holders import Holder
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name

_ROWS = ("tuple", "Tuple", "Any")


class Annotation(Struct, frozen=True):
    """An annotation with the text that replaces it, the import of that, and those that it had."""

    context: FunctionContext
    node: ast.expr
    text: str
    needs: Written
    released: frozenset[tuple[str, str]]


def annotations_of(
    component: Component, items: Mapping[Holder, Sequence[Item]]
) -> list[Annotation]:
    """Return the rewrites of the annotations of variables with queries; raises Refused.

    ``items`` are those of the query that each holds.
    """
    result: dict[ast.expr, Annotation] = {}
    for holder, own in items.items():
        for note in _notes(holder):
            reader = component.reader(holder.context)
            if note not in result and may_name_query(reader, note):
                result[note] = _annotation(reader, holder, note, own)
    return list(result.values())


def may_name_query(reader: Reader, note: ast.expr) -> bool:
    """Whether an annotation may name a class of queries, or holds a text that does."""
    parsed = reader.module.parse_string(note) if isinstance(note, ast.Constant) else None
    parts = [part for part in ast.walk(parsed or note) if isinstance(part, ast.Name)]
    words = [ast.unparse(note), *(reader.qualified_name(part) or "" for part in parts)]
    return any("Query" in word for word in words)


def _notes(holder: Holder) -> Iterator[ast.expr]:
    if holder.binding is None:
        notes = [_returned_node(holder)]
    else:
        bindings = holder.context.flow.scope.bindings.get(holder.binding.name, ())
        notes = [holder.binding.annotation]
        notes += [binding.annotation for binding in bindings if binding.kind == "annotation"]
    yield from (_not_none(note) for note in notes if note is not None)


def _not_none(note: ast.expr) -> ast.expr:
    """Return ``X`` of ``X | None`` and ``Optional[X]``."""
    match note:
        case ast.BinOp(left=one, op=ast.BitOr(), right=ast.Constant(value=None)):
            return one
        case ast.BinOp(left=ast.Constant(value=None), op=ast.BitOr(), right=one):
            return one
        case ast.Subscript(value=of, slice=one) if last_name(of) == "Optional":
            return one
    return note


def _returned_node(holder: Holder) -> ast.expr | None:
    """Return how what the function returns is annotated, or its element where that is a tuple."""
    note = holder.context.function.returns
    match note:
        case ast.Subscript(slice=ast.Tuple(elts=elements)) if holder.element is not None:
            return elements[holder.element] if len(elements) > holder.element else note
    return note


def _annotation(
    reader: Reader, holder: Holder, note: ast.expr, items: Sequence[Item]
) -> Annotation:
    context = holder.context
    module = reader.module
    parsed = module.parse_string(note) if isinstance(note, ast.Constant) else note
    generic = parsed.value if isinstance(parsed, ast.Subscript) else parsed
    refused = Refused(reasons.QUERY_ANNOTATION, holder.display_name, because=(context.place(note),))
    if parsed is None or not isinstance(generic, ast.Name | ast.Attribute):
        raise refused
    if reader.library_name(generic) != "Query":
        raise refused
    before_2 = reader.project.targets.admits("sqlalchemy", "<2.0")
    # Select of 1.4 is no generic class, and the package does not export it.
    select = sqlalchemy_name(reader, note, "sql.Select" if before_2 else "Select")
    text = select.text if before_2 else f"{select.text}{_rows(module, note, parsed, items)}"
    if note is not parsed:
        quote = module.text_of(note)[-1]
        # It would end the string around the annotation.
        if quote in text:
            raise refused
        text = f"{quote}{text}{quote}"
    return Annotation(context, note, text, select, frozenset(imported_modules(reader, parsed)))


def _rows(module: Module, note: ast.expr, query: ast.expr, items: Sequence[Item]) -> str:
    """Return what a row is, as ``[tuple[User]]``; nothing where it is not known."""
    if isinstance(query, ast.Subscript):
        whole = query.slice.value if isinstance(query.slice, ast.Subscript) else query.slice
        name = last_name(whole)
        # The items of a Row are the items of its Select.
        if name == "Row" and isinstance(query.slice, ast.Subscript):
            return f"[{ast.unparse(query.slice.slice)}]"
        text = ast.unparse(query.slice)
        return f"[{text}]" if name in _ROWS else f"[tuple[{text}]]"
    item = items[0] if len(items) == 1 else None
    if item is None or item.what is not What.ENTITY or item.aliased or item.owner is None:
        return ""
    is_class = item.owner.rpartition(".")[2] == (item.model or "").rpartition(".")[2]
    # Python evaluates an annotation that is no string with its function.
    first = item.owner.partition(".")[0]
    is_known = isinstance(note, ast.Constant) or module.scopes.is_bound_above(first, note)
    return f"[tuple[{item.owner}]]" if is_class and is_known else ""


def imported_modules(reader: Reader, note: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield the modules and the names of what SQLAlchemy gives to an annotation, as a string too.

    They are imported at the top of the file, and plainly.
    """
    module = reader.module
    for name in sorted({node.id for node in ast.walk(note) if isinstance(node, ast.Name)}):
        bindings = module.scopes.module.bindings.get(name, ())
        statement = module.parent(bindings[0].node) if len(bindings) == 1 else None
        if isinstance(statement, ast.ImportFrom) and not statement.level:
            home = statement.module or ""
            if home.partition(".")[0] == "sqlalchemy":
                yield home, name
