"""The relationships that an object has, with the classes that declare them."""

from __future__ import annotations

from collections.abc import Iterator

from awaken.project.frameworks.sqlalchemy.mapping import RelationshipFacts
from awaken.project.frameworks.sqlalchemy.models import Models
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
