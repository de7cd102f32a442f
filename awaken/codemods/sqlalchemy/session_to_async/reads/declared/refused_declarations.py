"""Declared relationships that are refused: what is read of them cannot be loaded before.

These are collections that are queries (``lazy="dynamic"``) and send statements, and relationships
of unknown classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reasons import DYNAMIC_COLLECTION, UNKNOWN_OWNER
from awaken.contract import Place
from awaken.kit.changes import Member
from awaken.kit.relationships.sides import WORDS, Key
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused, Site
from awaken.knowledge.library_names import library_names
from awaken.project.source.programs.alembic_files import is_revision

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read

_CHANGING = library_names().dynamic_methods | {"statement"}
"""What such a collection does without a query, and the statement that others execute."""


def dynamic_collections(project: Project, rule: str) -> Iterator[Member]:
    """Yield the declarations of collections that something reads, each with where."""
    declared = {
        key: site
        for module in modules_with(project, WORDS)
        if not is_revision(module)
        for key, site in _declared_pairs(project, module.path)
    }
    if not declared:
        return
    sending: dict[Key, Place] = {}
    for read in project.orm.reads.all():
        key = (read.owner, read.attribute)
        keys = [key] if read.owner else [pair for pair in declared if pair[1] == read.attribute]
        if not _is_changing(project, read):
            sending |= {one: read.place for one in keys if one in declared and one not in sending}
    for key, place in sending.items():
        for module, call in project.calls_at(declared[key])[:1]:
            shown = f"{key[0].rpartition('.')[2]}.{key[1]}"
            why = Refused(DYNAMIC_COLLECTION, shown, because=(place,))
            yield Member(Site(rule, module, call), why, f"`{shown}`")


def unknown_owners(project: Project, rule: str) -> Iterator[Member]:
    """Yield the declarations that give a class a relationship, and don't show which, or its name.

    A helper or a loop may do so. No read of such an attribute is known.
    """
    for module in modules_with(project, WORDS):
        sides = () if is_revision(module) else project.orm.relationships.in_file(module.path)
        for side in sides:
            if side.owner is None or side.attribute is None:
                for call in module.calls_at(side.facts.span)[:1]:
                    why = Refused(UNKNOWN_OWNER, module.excerpt(call))
                    yield Member(Site(rule, module, call), why, f"`{module.excerpt(call)}`")


def _declared_pairs(project: Project, path: str) -> Iterator[tuple[Key, Place]]:
    for side in project.orm.relationships.in_file(path):
        if side.facts.lazy == "dynamic" and side.owner and side.attribute:
            yield (side.owner, side.attribute), Place(side.facts.path, side.facts.span)


def _is_changing(project: Project, read: Read) -> bool:
    """Whether a place only adds to a collection, or takes its statement."""
    nodes = project.expressions_at(read.place)
    return any(getattr(module.parent(node), "attr", "") in _CHANGING for module, node in nodes)
