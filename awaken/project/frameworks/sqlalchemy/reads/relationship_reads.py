"""The places of a program that read relationships, each with the loads of its objects."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from awaken.contract import Place
from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.frameworks.sqlalchemy.reads.kinds.declared_relationships import declaring
from awaken.project.frameworks.sqlalchemy.reads.kinds.proxies import ProxySights
from awaken.project.frameworks.sqlalchemy.reads.python_sights import PythonSights, Sights
from awaken.project.frameworks.sqlalchemy.reads.read_facts import (
    ANY,
    BY_KEY,
    How,
    Read,
    Sight,
    Wanted,
)
from awaken.project.frameworks.sqlalchemy.reads.tracing.tracing import Tracing
from awaken.project.frameworks.sqlalchemy.reads.unseen import Unseen
from awaken.project.frameworks.sqlalchemy.relationships import WORDS, Site
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_method, cached_property
from awaken.project.values.domain import InstanceOf, Unknown, Values

_PYTHON = (ProxySights, PythonSights)
SERVED = ("response", "schema", "template")
# The sources of a base: `declarative_base(cls=Model)`, `SQLAlchemy(model_class=Model)`.
_MODEL_CLASS = b"model_class"
_BASE_OF = re.compile(rb"\b(?:cls|model_class) ?= ?(?:\w++\.)*+(\w++)")


class _Untraced(Struct, frozen=True):
    """A read of which the objects are known, but not yet what loaded them."""

    place: Place
    how: How
    owner: str
    attribute: str
    objects: tuple[InstanceOf, ...]
    unknown: tuple[Unknown, ...]
    served: tuple[Place, ...] = ()


class RelationshipReads:
    """Answers for one program; nothing is looked for before it is asked."""

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        models: Models,
        sources: Sequence[Sights],
        proxies: ProxySights,
    ) -> None:
        self._evaluator = evaluator
        self._models = models
        self._proxies = proxies
        self._sources = sources
        self.tracing = Tracing(evaluator, sources)
        self.unseen = Unseen(evaluator)

    def reads_of(self, wanted: Wanted) -> Iterator[Read]:
        """Yield the reads of relationships that are wanted, of all kinds of places.

        Also those of an attribute that some class has as a relationship, of an object of unknown
        class.
        """
        untraced = _joined_items((read for _, read in self._visible_reads(wanted, self._sources)))
        self._follow(untraced)
        return map(self._traced_read, untraced)

    def of_schemas(self, wanted: Wanted) -> Iterator[tuple[Place | None, Read]]:
        """Yield the reads of schemas that are wanted, each with the call that reads.

        Without one it is the expression that gives the object, None where none is visible.
        """
        sources = [source for source in self._sources if not isinstance(source, _PYTHON)]
        result: dict[Place | None, list[_Untraced]] = {}
        for sight, read in self._visible_reads(wanted, sources):
            if sight.how == "schema":
                node = sight.node
                given = sight.module.place(node) if isinstance(node, ast.expr) else None
                result.setdefault(sight.reader or given, []).append(read)
        joined = [(given, item) for given, reads in result.items() for item in _joined_items(reads)]
        self._follow(read for _, read in joined)
        return ((given, self._traced_read(item)) for given, item in joined)

    def _follow(self, reads: Iterable[_Untraced]) -> None:
        # All at once: the arguments of a function are the same for all its reads.
        self.tracing.follow(
            origin for read in reads for value in read.objects for origin in value.origins or ()
        )

    def names(self) -> frozenset[str]:
        """Return the names of all attributes that are relationships of some class."""
        return frozenset(site.attribute for site in self._sites() if site.attribute is not None)

    def names_of_mapped(self) -> frozenset[str]:
        """Return those that may be relationships of a class that is proven to be mapped."""
        known: dict[str, bool] = {}
        attributes: set[str] = set()
        for site in self._sites():
            if site.attribute is None or site.owner is None or site.attribute in attributes:
                continue
            if site.owner not in known:
                known[site.owner] = self._may_be_mapped(site.owner)
            if known[site.owner]:
                attributes.add(site.attribute)
        return frozenset(attributes)

    def _sites(self) -> list[Site]:
        relationships = self._models.relationships
        return [
            site
            for path in self._evaluator.files_with(WORDS)
            for site in relationships.in_file(path)
        ]

    def _may_be_mapped(self, qualified: str) -> bool:
        """Whether a class, or one that inherits from it, is mapped, as far as that is cheap."""
        hierarchy = (qualified, *self._evaluator.classes.all_subclasses(qualified))
        if any(self._models.status(name) == "mapped" for name in hierarchy):
            return True
        # The source of a base has subclasses in no list of bases.
        spellings = self._evaluator.classes.spellings
        given = self._made_bases_of
        return bool(given) and any(not given.isdisjoint(spellings(name)) for name in hierarchy)

    @cached_property
    def _made_bases_of(self) -> frozenset[str]:
        """The names that may be given to a call that makes a base."""
        evaluator, words = self._evaluator, self._evaluator.callers.words
        making = evaluator.classes.spellings_of(evaluator.knowledge.declarative_factories)
        paths = {*self._evaluator.files_with([_MODEL_CLASS])}
        paths.update(path for name in making for path in words.files_with(name))
        result = (name for path in sorted(paths) for name in _BASE_OF.findall(words.text(path)))
        return frozenset(name.decode(errors="replace") for name in result)

    def _visible_reads(
        self, wanted: Wanted, sources: Sequence[Sights]
    ) -> Iterator[tuple[Sight, _Untraced]]:
        """Yield the reads that are wanted, each with what tells of it."""
        names = self.names()
        attributes = names & wanted.attributes
        asked = attributes | (wanted.attributes & {ANY})
        if not asked:
            return
        behind = self._proxies.names(attributes)
        # Readers other than Python may read anything after an attribute that they name.
        elsewhere = names | self._proxies.names(names)
        by_proxy = attributes | (self._proxies.relationships_before(attributes) & names)
        for source in sources:
            # Proxies that Python code reads are a source by themselves.
            is_python = isinstance(source, _PYTHON)
            followed = frozenset[str]() if is_python else behind
            sought = by_proxy if isinstance(source, ProxySights) else attributes
            for sight in (
                source.reading(attributes, wanted)
                if isinstance(source, PythonSights)
                else source.reading(sought if is_python else elsewhere)
            ):
                if _may_read(sight, asked | followed) and wanted.holds(sight.how, sight.place):
                    along = self._items_along(sight, names, followed)
                    served = _served_by(sight)
                    reads = (item for item in along if item.attribute in asked)
                    yield from ((sight, replace(item, served=served)) for item in reads)

    def _items_along(
        self, sight: Sight, names: frozenset[str], behind: frozenset[str]
    ) -> Iterator[_Untraced]:
        for attribute, values in self.tracing.along.path(sight):
            if attribute in {ANY, BY_KEY}:
                yield from self._any(values, sight)
                continue
            yield from self._reads(values, attribute, sight, names)
            if attribute in behind:
                for name, objects in self._proxies.relationships_behind(attribute, values, names):
                    yield from self._reads(objects, name, sight, names)

    def _any(self, values: Values, sight: Sight) -> Iterator[_Untraced]:
        """Yield the reads of objects of which any relationship may be read."""
        # An item by a computed key is one of a container, and an attribute of an object.
        why = sight.unseen or Unknown("an attribute by a computed name is read", sight.place)
        unknown = tuple(alternative for alternative in values if isinstance(alternative, Unknown))
        for value in values:
            if isinstance(value, InstanceOf) and self._models.mapped_class(value.qualified):
                yield _Untraced(sight.place, sight.how, value.qualified, ANY, (value,), (why,))
            elif isinstance(value, InstanceOf):
                for below in self._models.mapped_below(value.qualified):
                    doubt = _may_be_below(value, sight.place)
                    yield _Untraced(sight.place, sight.how, below, ANY, (), (why, doubt))
        if unknown:
            yield _Untraced(sight.place, sight.how, "", ANY, (), (why, *unknown))

    def _reads(
        self, values: Values, attribute: str, sight: Sight, names: frozenset[str]
    ) -> Iterator[_Untraced]:
        """Yield the reads of one attribute of objects, by the class that declares it."""
        unknown = self.unseen.reasons_for(values, sight) if attribute in names else ()
        owners: dict[str, list[InstanceOf]] = {}
        for value in values:
            declaring = self._declaring(value, attribute) if isinstance(value, InstanceOf) else ""
            if declaring and isinstance(value, InstanceOf):
                owners.setdefault(declaring, []).append(value)
            if isinstance(value, InstanceOf) and attribute in names:
                below = self._of_subclasses(value, attribute, sight)
                yield from (read for read in below if read.owner != declaring)
        place, how = sight.place, sight.how
        for owner, objects in owners.items():
            yield _Untraced(place, how, owner, attribute, tuple(objects), unknown)
        # Then it may also be an object of another class that has the attribute.
        if unknown and not _is_called(sight):
            yield _Untraced(place, how, "", attribute, (), unknown)

    def _of_subclasses(
        self, value: InstanceOf, attribute: str, sight: Sight
    ) -> Iterator[_Untraced]:
        """Yield the reads of an attribute that classes below that of the object declare."""
        below = self._heirs_with(value.qualified, attribute)
        owners = dict.fromkeys(self._declaring(InstanceOf(name), attribute) for name in below)
        for owner in owners:
            if owner:
                doubt = _may_be_below(value, sight.place)
                yield _Untraced(sight.place, sight.how, owner, attribute, (), (doubt,))

    def _heirs_with(self, qualified: str, attribute: str) -> tuple[str, ...]:
        """Return the mapped classes below a class that may have a relationship of this name.

        Few classes declare it, and thousands may inherit from the class.
        """
        if not self._models.may_have_heirs(qualified):
            return ()
        having = self._having(attribute)
        if having is None:
            return self._models.mapped_below(qualified)
        return tuple(name for name in having if self._is_mapped_below(name, qualified))

    @cached_method
    def _having(self, attribute: str) -> tuple[str, ...] | None:
        """Return the classes that have a relationship of a name; None if any class may."""
        classes = self._evaluator.classes
        owners = dict.fromkeys(
            site.owner for site in self._sites() if site.attribute == attribute and site.owner
        )
        spelt = {name for owner in owners for name in classes.spellings(owner)}
        heirs = (heir for owner in owners for heir in (owner, *classes.all_subclasses(owner)))
        return tuple(dict.fromkeys(heirs)) if self._made_bases_of.isdisjoint(spelt) else None

    def _is_mapped_below(self, heir: str, qualified: str) -> bool:
        line = self._evaluator.classes.line(heir)
        is_below = any(qualified in facts.bases for facts in line)
        return is_below and self._models.mapped_class(heir) is not None

    def _traced_read(self, read: _Untraced) -> Read:
        traces, why = self.tracing.traces_of(read.objects, read.attribute, read.place)
        unknown = (*why, *read.unknown)
        return Read(
            read.place, read.owner, read.attribute, read.how, traces, unknown, served=read.served
        )

    def _declaring(self, value: InstanceOf, attribute: str) -> str:
        """Return the class that declares a relationship of an object; empty if there is none."""
        mapped = self._models.mapped_class(value.qualified)
        if mapped is None or attribute not in mapped.relationships:
            return ""
        return declaring(self._models, value.qualified, attribute, mapped.relationships[attribute])


def _served_by(sight: Sight) -> tuple[Place, ...]:
    """Return the expression that gives what a reader outside of Python code reads."""
    node = sight.node
    if isinstance(node, ast.expr) and sight.how in SERVED:
        return (sight.module.place(node),)
    return ()


def _may_be_below(value: InstanceOf, place: Place) -> Unknown:
    return Unknown(f"the object may be of any class below `{value.qualified}`", place)


def _may_read(sight: Sight, asked: Collection[str]) -> bool:
    """Whether one of the attributes that are asked for is read at a place."""
    steps = (ANY if step == BY_KEY else step for step in sight.path[sight.begin :])
    return any(step in asked for step in steps)


def _joined_items(reads: Iterable[_Untraced]) -> list[_Untraced]:
    """Return one read for all that read an attribute at one place, in their order.

    A response model that holds itself reads the same field of objects on each of its levels.
    """
    result: dict[tuple[object, ...], _Untraced] = {}
    for item in reads:
        key = (item.place, item.how, item.owner, item.attribute)
        if key not in result:
            result[key] = item
            continue
        known = result[key]
        objects = dict.fromkeys((*known.objects, *item.objects))
        unknown = dict.fromkeys((*known.unknown, *item.unknown))
        served = dict.fromkeys((*known.served, *item.served))
        result[key] = replace(
            known, objects=tuple(objects), unknown=tuple(unknown), served=tuple(served)
        )
    return list(result.values())


def _is_called(sight: Sight) -> bool:
    """Whether the attribute is called: then it is a method of that name, as `rows.keys()`."""
    if sight.how != "attribute" or not isinstance(sight.node, ast.expr):
        return False
    read = sight.module.parent(sight.node)
    return read is not None and sight.module.call_of(read) is not None
