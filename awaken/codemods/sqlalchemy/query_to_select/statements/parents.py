"""The relationship that ``with_parent(parent)`` searches for, told from what the parent is.

SQLAlchemy takes the first relationship of the parent's mapper that leads to the class of the query.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Link
from awaken.codemods.sqlalchemy.query_to_select.reading.help import short_text
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.codemods.sqlalchemy.query_to_select.statements.join_targets import class_here
from awaken.kit.names_here import is_dotted, snake_case


def relationship_to(reader: Reader, model: str, parent: ast.expr) -> str | None:
    """Return how the relationship from ``parent`` to the class ``model`` is written there.

    None where several may be meant, or none is visible.
    """
    owner = _class_of(reader, model, parent)
    if owner is None:
        return None
    kinds = (owner, *reader.project.all_subclasses(owner))
    names = {_of_class(reader, kind, model) for kind in kinds}
    name = names.pop() if len(names) == 1 else None
    if name is None:
        return None
    # The class of the parent is at hand wherever the parent is.
    written = class_here(reader, parent, owner)
    if written is None and is_dotted(parent):
        written = f"type({ast.unparse(parent)})"
    return None if written is None else f"{written}.{name}"


def caveats_of_parents(reader: Reader, links: Iterable[Link]) -> Iterator[str]:
    """Yield the caveats where the parent decides the relationship.

    Today None is no parent at all; with a relationship it means rows without a parent.
    """
    for link in links:
        if link.name == "with_parent" and len(link.call.args) == 1:
            parent = link.call.args[0]
            if not _proven(reader, parent):
                yield (
                    f"awaken assumes from its name that `{short_text(parent)}` is a parent of "
                    "that class"
                )
            elif ast.unparse(parent) != "self":
                yield f"the rewrite no longer raises if `{short_text(parent)}` is None"


def _proven(reader: Reader, parent: ast.expr) -> tuple[str, ...]:
    """Return the mapped classes of which ``parent`` is an instance for sure, with all they map."""
    instance = reader.project.instance_of(reader.module, parent)
    mapped = [reader.project.orm.mapped_class(name) for name in instance]
    return instance if instance and all(one is not None and one.complete for one in mapped) else ()


def _class_of(reader: Reader, model: str, parent: ast.expr) -> str | None:
    """Return the class that ``parent`` is taken for an instance of."""
    proven = _proven(reader, parent)
    if proven:
        return proven[0] if len(proven) == 1 else None
    last = snake_case(getattr(parent, "attr", getattr(parent, "id", "")))
    related = reader.project.orm.relationships_to(model)
    # `old_event` is an event as well.
    words = {name: snake_case(name.rpartition(".")[2]) for name in related}
    result = [name for name, word in words.items() if f"_{last}".endswith(f"_{word}")]
    return result[0] if len(result) == 1 else None


def _of_class(reader: Reader, owner: str, model: str) -> str | None:
    """Return the one relationship of ``owner`` that leads to ``model``."""
    names = {
        name
        for word, result in reader.project.orm.relationships_to(model).items()
        if word == owner or owner in reader.project.all_subclasses(word)
        for name in result
    }
    return names.pop() if len(names) == 1 else None
