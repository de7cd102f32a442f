"""The relationships that an object has, the classes that declare them, and their other sides."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from awaken.contract import Place
from awaken.project.frameworks.sqlalchemy.keys import attributes_of_class, leads_to_many
from awaken.project.frameworks.sqlalchemy.mapping import RelationshipFacts
from awaken.project.frameworks.sqlalchemy.models import MappedClass, ModelFacts, Models
from awaken.project.frameworks.sqlalchemy.relationships import WORDS
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_method

Declared = tuple[str, str, RelationshipFacts]


class DeclaredRelationships:
    """Answers for one program; keeps what a class has."""

    def __init__(self, models: Models, evaluator: ProgramEvaluator) -> None:
        self._models = models
        self._evaluator = evaluator

    @cached_method
    def relationships_of(self, qualified: str) -> tuple[Declared, ...]:
        """Return what an object of a class may have: declaring class, name and facts.

        A class that is not mapped itself, such as a base of models, has those of its subclasses.
        """
        is_mapped = self._models.mapped_class(qualified) is not None
        result = self._of_mapped(qualified) if is_mapped else self._relationships_below(qualified)
        return tuple(result)

    def everywhere(self) -> Iterator[Declared]:
        """Yield the relationships of all classes of the program that are known."""
        for path in self._evaluator.files_with(WORDS):
            for site in self._models.relationships.in_file(path):
                if site.owner is not None and site.attribute is not None:
                    yield site.owner, site.attribute, site.facts

    def _of_mapped(self, qualified: str) -> Iterator[Declared]:
        mapped = self._models.mapped_class(qualified)
        for name, facts in mapped.relationships.items() if mapped is not None else ():
            yield declaring(self._models, qualified, name, facts), name, facts

    def _relationships_below(self, qualified: str) -> Iterator[Declared]:
        # The class of `declarative_base(cls=...)` has subclasses in no list of bases.
        return (item for item in self.everywhere() if self._inherits(item[0], qualified))

    def _inherits(self, owner: str, qualified: str) -> bool:
        owners = (owner, *self._evaluator.classes.all_subclasses(owner))
        return any(qualified in self._models.ancestor_names(name) for name in owners)


def declaring(models: Models, qualified: str, name: str, facts: RelationshipFacts) -> str:
    """Return the class that declares a relationship of a mapped class, perhaps a mixin of it."""
    owners = [
        site.owner
        for site in models.relationships.in_file(facts.path)
        if site.attribute == name and site.facts == facts and site.owner is not None
    ]
    return owners[0] if owners else qualified


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
