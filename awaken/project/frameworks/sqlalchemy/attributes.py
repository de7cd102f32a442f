"""What reading an attribute of a mapped class gives: an object, a collection, a plain value."""

from __future__ import annotations

from collections.abc import Callable

from awaken.project.frameworks.sqlalchemy.class_queries import ClassQueries, ClassQuery
from awaken.project.frameworks.sqlalchemy.eager import EagerLoading
from awaken.project.frameworks.sqlalchemy.mapping import ColumnFacts, RelationshipFacts
from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.frameworks.sqlalchemy.relationships import Site
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.values.domain import ClassOf, InstanceOf, NoneValue, Values, union

_QUERY = "sqlalchemy.orm.Query"
_COLLECTIONS = {
    "dynamic": "sqlalchemy.orm.AppenderQuery",
    "write_only": "sqlalchemy.orm.WriteOnlyCollection",
}
# What a column of a type gives; of the others it depends on their arguments or on the database.
_PYTHON_TYPES = {
    **dict.fromkeys(["BigInteger", "INTEGER", "Integer", "SmallInteger"], "builtins.int"),
    **dict.fromkeys(["String", "Text", "Unicode", "UnicodeText", "VARCHAR"], "builtins.str"),
    **dict.fromkeys(["Boolean", "BOOLEAN"], "builtins.bool"),
    **dict.fromkeys(["LargeBinary"], "builtins.bytes"),
    **dict.fromkeys(["DateTime", "DATETIME", "TIMESTAMP"], "datetime.datetime"),
    "Date": "datetime.date",
    "Time": "datetime.time",
    "Interval": "datetime.timedelta",
}


class MappedAttributes:
    """Answers the evaluator, which knows nothing of mappings.

    What is asked is worked out apart from the question that led here, so that no answer depends
    on where it was asked first.
    """

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        models: Models,
        eager: EagerLoading,
        class_queries: ClassQueries,
    ) -> None:
        self._evaluator = evaluator
        self._models = models
        self._eager = eager
        self._class_queries = class_queries
        self._kept: dict[tuple[str, bool, str], Values] = {}
        self._is_asked = False

    def of(self, owner: InstanceOf | ClassOf, name: str) -> Values:
        """Return what reading ``name`` gives by the mapping; empty where no mapping says so."""
        # To tell what is mapped, nothing that a mapped object holds is needed.
        if self._is_asked:
            return ()
        key = (owner.qualified, isinstance(owner, InstanceOf), name)
        if key not in self._kept:
            self._kept[key] = self._apart(
                lambda: (
                    self._of_instance(owner.qualified, name)
                    if isinstance(owner, InstanceOf)
                    else self._of_class(owner.qualified, name)
                )
            )
        return self._kept[key]

    def _apart(self, ask: Callable[[], Values]) -> Values:
        self._is_asked = True
        try:
            with self._evaluator.without_callers():
                return ask()
        finally:
            self._is_asked = False

    def _of_class(self, qualified: str, name: str) -> Values:
        if name != "query":
            return ()
        found = self._class_queries.of(qualified)
        # A class of queries of the program's own may give anything.
        if not isinstance(found, ClassQuery) or found.custom or found.query_class is not None:
            return ()
        return (InstanceOf(_QUERY, parameters=((InstanceOf(qualified),),)),)

    def _of_instance(self, qualified: str, name: str) -> Values:
        mapped = self._models.mapped_class(qualified)
        if mapped is None or self._is_annotated(qualified, name):
            return ()
        if name in mapped.relationships:
            return self._related(qualified, name, mapped.relationships[name])
        column = mapped.columns.get(name)
        return () if column is None else _of_column(column)

    def _is_annotated(self, qualified: str, name: str) -> bool:
        """Whether a class body says itself what the attribute holds."""
        for one in self._models.ancestors(qualified):
            found = self._evaluator.classes.node(one.qualified)
            if found is None:
                continue
            given = self._evaluator.members.given_to(*found, name)
            if given:
                return any(annotation is not None for _, annotation in given)
        return False

    def _related(self, owner: str, name: str, facts: RelationshipFacts) -> Values:
        if facts.target is None or self._models.status(facts.target) == "plain":
            return ()
        one: Values = (InstanceOf(facts.target),)
        if facts.lazy in _COLLECTIONS:
            return (InstanceOf(_COLLECTIONS[facts.lazy], parameters=(one,)),)
        many: Values = (InstanceOf("builtins.list", parameters=(one,)),)
        is_collection = self._eager.is_collection(Site(owner, name, facts), owner)
        if is_collection is None:
            return union(many, one, (NoneValue(),))
        return many if is_collection else (*one, NoneValue())


def _of_column(facts: ColumnFacts) -> Values:
    name = _PYTHON_TYPES.get((facts.type or "").rpartition(".")[2])
    if name is None:
        return ()
    plain: Values = (InstanceOf(name),)
    return plain if facts.nullable is False or facts.primary_key else (*plain, NoneValue())
