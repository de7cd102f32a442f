"""The other side of a relationship, and whether reading it leads to an object that is there."""

from __future__ import annotations

import ast

from msgspec import Struct

from awaken.contract import Place
from awaken.project.frameworks.sqlalchemy.keys import attributes_of_class, leads_to_many
from awaken.project.frameworks.sqlalchemy.mapping import RelationshipFacts
from awaken.project.frameworks.sqlalchemy.models import MappedClass, ModelFacts
from awaken.project.frameworks.sqlalchemy.reads.kinds.declared_relationships import declaring


class Inverse(Struct, frozen=True):
    """The side of a relationship that leads back.

    ``by_key`` says that it is a reference by foreign key to the primary key: on the way back the
    object is found in the session without a statement, as long as something holds it. None if that
    is unknown.
    """

    owner: str
    attribute: str
    by_key: bool | None


class Inverses(ModelFacts):
    """Answers for one program."""

    def inverse_of(self, owner: str, attribute: str) -> Inverse | None:
        """Return the side that leads back; None if none is declared or visible."""
        mapped = self._models.mapped_class(owner)
        facts = None if mapped is None else mapped.relationships.get(attribute)
        target = None if facts is None else self._models.mapped_class(facts.target or "")
        if mapped is None or facts is None or target is None:
            return None
        name = self._name(facts)
        back = target.relationships.get(name or "")
        if name is None or back is None:
            return None
        above = self._models.ancestor_names(owner)
        if back.target not in above:
            return None
        declared = declaring(self._models, target.qualified, name, back)
        return Inverse(declared, name, _is_by_key(target, back, mapped))

    def _name(self, facts: RelationshipFacts) -> str | None:
        """Return the name of the other side, by ``back_populates`` or by a ``backref``."""
        sites = self._models.relationships.in_file(facts.path)
        at_call = [site for site in sites if site.facts.span == facts.span]
        own = next((site for site in at_call if site.facts == facts), None)
        if own is None:
            return None
        if own.reverse:
            return next((site.attribute for site in at_call if not site.reverse), None)
        return facts.backref or self._back_populates(facts)

    def _back_populates(self, facts: RelationshipFacts) -> str | None:
        for _, call in self._evaluator.calls_at(Place(facts.path, facts.span)):
            for keyword in call.keywords:
                if keyword.arg == "back_populates" and isinstance(keyword.value, ast.Constant):
                    return str(keyword.value.value)
        return None


def _is_by_key(owner: MappedClass, facts: RelationshipFacts, target: MappedClass) -> bool | None:
    """Whether a relationship is a reference by a foreign key to the whole primary key."""
    if facts.uselist or facts.secondary:
        return False
    is_collection = leads_to_many(owner, target, facts)
    if is_collection is not False:
        return None if is_collection is None else False
    own = attributes_of_class(facts.foreign_keys, owner, is_default=True) or owner.columns
    keys = {name for name, column in target.columns.items() if column.primary_key}
    referred = {
        (column.foreign_key or "").rpartition(".")[2]
        for name, column in owner.columns.items()
        if name in own and (column.foreign_key or "").rpartition(".")[0] == target.tablename
    }
    return bool(keys) and referred == keys
