"""Annotations of variables that hold queries: ``Query[User]`` becomes ``Select[tuple[User]]``."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.items import Item, What
from awaken.codemods.sqlalchemy.query_to_select.kept import Web
from awaken.codemods.sqlalchemy.query_to_select.names import Written, name_here
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.project.bindings import Binding


@dataclass(frozen=True, slots=True)
class Annotation:
    """An annotation with the text that replaces it, the import of that and of what was there."""

    node: ast.expr
    text: str
    needs: Written
    released: tuple[str, str] | None


def annotations_of(web: Web, items: Mapping[Binding, Sequence[Item]]) -> list[Annotation]:
    """Return what becomes of the annotations of ``web``; raises Refused.

    ``items`` are those of the query that each definition gives.
    """
    found = []
    for name in {binding.name for binding in items}:
        own = [list(items[one]) for one in items if one.name == name]
        for binding in web.flow.scope.bindings.get(name, ()):
            note = binding.annotation
            if note is not None and "Query" in ast.unparse(note):
                found.append(_annotation(web, name, note, items.get(binding, own[0])))
    return found


def _annotation(web: Web, name: str, note: ast.expr, items: Sequence[Item]) -> Annotation:
    module = web.reader.module
    parsed = module.parse_string(note) if isinstance(note, ast.Constant) else note
    generic = parsed.value if isinstance(parsed, ast.Subscript) else parsed
    refused = Refused(reasons.QUERY_ANNOTATION, name, because=(web.place(note),))
    if web.reader.project.targets.admits("sqlalchemy", "<2.0"):
        raise refused  # its Select is neither exported nor generic
    if not isinstance(generic, ast.Name | ast.Attribute):
        raise refused
    is_query = web.reader.library_name(generic) == "Query"
    is_class = len(items) == 1 and items[0].what is What.ENTITY and not items[0].aliased
    owner = items[0].owner if is_class else None
    if not is_query or owner is None or not owner.replace(".", "").isidentifier():
        raise refused
    select = name_here(web.reader, note, "Select")
    text = f"{select.text}[tuple[{owner}]]"
    if note is not parsed:
        quote = module.text_of(note)[-1]
        text = f"{quote}{text}{quote}"
    return Annotation(note, text, select, _imported_from(web, generic))


def _imported_from(web: Web, generic: ast.expr) -> tuple[str, str] | None:
    """Return the module and the name of the import of Query, if it is a plain one."""
    if not isinstance(generic, ast.Name):
        return None
    bindings = web.reader.module.scopes.module.bindings.get(generic.id, [])
    statement = web.reader.module.parent(bindings[0].node) if len(bindings) == 1 else None
    if isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
        return statement.module, generic.id
    return None
