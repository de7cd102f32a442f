"""Sides of relationships that are left alone for what their declaration says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.lazy_raise import reasons
from awaken.kit.reasons import OUT_OF_SIGHT, cure_of_outside
from awaken.kit.relationships.sides import Side
from awaken.kit.sites import Refused
from awaken.project.names.visibility import is_public
from awaken.project.source.trees import is_constant
from awaken.project.source.worklist import multimap

if TYPE_CHECKING:
    from awaken.project import Project

_DATACLASS_BASE = "sqlalchemy.orm.MappedAsDataclass"
_DATACLASS_DECORATOR = "mapped_as_dataclass"
"""Of SQLAlchemy, and of a registry, which has any name."""


def refusals(project: Project, sides: Sequence[Side]) -> dict[Side, Refused]:
    """Return the sides that are left alone for what their declaration says, with the reason."""
    keys = Counter(side.key for side in sides)
    by_attribute = multimap((attribute, owner) for owner, attribute in keys)
    result: dict[Side, Refused] = {}
    for side in sides:
        owner, attribute = side.key
        others = [name for name in by_attribute[attribute] if name != owner]
        is_single = keys[side.key] == 1 and not _is_inherited(project, owner, others)
        refused = _refusal(project, side, is_single=is_single)
        if refused is not None:
            result[side] = refused
    return result


def _is_inherited(project: Project, owner: str, others: Sequence[str]) -> bool:
    """Whether a class that inherits from ``owner``, or a base of it, is among ``others``."""
    if not owner or not others:
        return False
    below = project.all_subclasses(owner)
    return any(name in below or owner in project.all_subclasses(name) for name in others if name)


def _refusal(project: Project, side: Side, *, is_single: bool) -> Refused | None:
    owner, attribute = side.key
    if not attribute or project.class_facts(owner) is None:
        return Refused(reasons.OWNER_NOT_TOLD)
    family = (owner, *project.all_subclasses(owner))
    statuses = {project.orm.models.status(name) for name in family}
    if "mapped" not in statuses or "unknown" in statuses:
        return Refused(reasons.NOT_MAPPED, owner.rpartition(".")[2])
    if side.declared.facts.lazy is None:
        return Refused(reasons.LAZY_NOT_TOLD, side.display_name)
    if side.declared.facts.target is None:
        return Refused(reasons.TARGET_NOT_TOLD, side.display_name)
    if not is_single:
        return Refused(reasons.DECLARED_AGAIN, side.display_name)
    if _is_generated(project, side):
        return Refused(reasons.GENERATED, side.display_name)
    if project.published and _is_seen_outside(project, owner, attribute):
        return Refused(reasons.PUBLISHED, side.display_name)
    use = project.outside.reads_of(attribute)
    if use is not None:
        where = f"{use.path}:{use.line}"
        shown = f"`{side.display_name}` may be read at {where}, and that file {use.why}"
        return Refused(OUT_OF_SIGHT, shown, cure_of_outside(use.why, project.outside.folder))
    return None


def _is_seen_outside(project: Project, owner: str, attribute: str) -> bool:
    # Objects are handed on under whatever name their class has: that of the attribute counts.
    facts = project.class_facts(owner)
    module = None if facts is None else project.module(facts.path)
    return module is None or is_public(module, attribute)


def _is_generated(project: Project, side: Side) -> bool:
    """Whether methods that a dataclass mapping generates read the side."""
    if side.declared.reverse:
        # It is no field of the dataclass.
        return False
    given = {keyword.arg: keyword.value for keyword in side.call.keywords}
    off = [given.get(name) for name in ("repr", "compare")]
    if all(is_constant(node, value=False) for node in off):
        return False
    owner = side.key[0]
    return any(_is_dataclass(project, name) for name in (owner, *project.all_subclasses(owner)))


def _is_dataclass(project: Project, qualified: str) -> bool:
    facts = project.class_facts(qualified)
    if _DATACLASS_BASE in project.library_ancestors(qualified):
        return True
    decorators = () if facts is None else facts.decorators
    return any((item or "").rpartition(".")[2] == _DATACLASS_DECORATOR for item in decorators)
