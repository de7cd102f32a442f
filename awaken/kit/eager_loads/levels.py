"""The levels of loader options, and what is added to them to serve one more read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from awaken.kit.eager_loads.loader_options import (
    BLOCKING,
    LOADING,
    WILDCARD,
    NamesHere,
    Option,
    path_text,
)
from awaken.kit.eager_loads.reasons import (
    CHOSEN,
    CONFLICT,
    NOT_LOADED_AHEAD,
    UNKNOWN_ENTITY,
    UNKNOWN_STRATEGY,
)
from awaken.kit.sites import Refused
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.frameworks.sqlalchemy.mapping import RelationshipFacts

if TYPE_CHECKING:
    from awaken.project import Project

_EAGER = name_list("eager_strategies")
_QUERIES = library_names().lazy_collections.keys()
_POLYMORPHIC = "selectin_polymorphic"


class Level(Struct, frozen=True):
    """The options that apply to objects of the class ``qualified``.

    ``own`` may get more options, ``fixed`` stay as they are. ``text`` is how the class is written
    here, empty if that is not known. ``joined`` says whether the objects come in the rows of the
    statement itself, ``passed`` are the classes on the way and ``attribute`` is the relationship
    that leads here.
    """

    qualified: str
    own: list[Option]
    fixed: Sequence[Option] = ()
    text: str = ""
    aliased: bool = False
    joined: bool = True
    passed: tuple[str, ...] = ()
    attribute: str = ""


class _Step(Struct, frozen=True):
    """One relationship on the way: the option that loads it, if there is one, or its name.

    ``owner`` is the class to write in front of it, ``subclass`` that class where objects of it come
    among others.
    """

    level: Level
    attribute: str
    owner: str
    subclass: bool
    found: Option | None
    function: str
    is_missing: bool


class Served(Struct):
    """How a read is served: the options on the way as code, and whether any of them is new."""

    text: str = ""
    is_new: bool = False


class Loads(Struct):
    """The options of one statement, and what is to be known to add to them.

    ``separate`` says that nothing may be joined to it, ``is_select`` that repeated rows are not
    left out. ``elsewhere`` are options that it may get in other places.
    """

    project: Project
    names: NamesHere
    separate: bool
    is_select: bool
    elsewhere: Sequence[Option] = field(default_factory=list)

    def serve(self, top: Level, path: Sequence[str]) -> Served:
        """Have the options below ``top`` serve ``path``; raises Refused, and changes nothing then.

        ``path`` are relationships, each with the class that it is read from.
        """
        steps: list[_Step] = []
        level = top
        for location in path:
            qualified, _, attribute = location.rpartition(".")
            step, level = self._step(level, qualified, attribute)
            steps.append(step)
        missing = [at for at, step in enumerate(steps) if step.is_missing]
        if not missing:
            there = [step.found for step in steps if step.found is not None]
            return Served(path_text(there), any(option.new or option.changed for option in there))
        needed = steps[: missing[-1] + 1]
        kept = dict(self.names.edits)
        try:
            owners = [self._owner(step) for step in needed]
            bases = [self._base(step) if step.subclass else "" for step in needed]
        except Refused:
            self.names.edits = kept
            raise
        return _added_server(needed, owners, bases)

    def _step(self, level: Level, qualified: str, attribute: str) -> tuple[_Step, Level]:
        facts, subclass = self._facts(level, qualified, attribute)
        owner = qualified if subclass else level.qualified
        own, fixed = list(_having(level.own, attribute)), list(_having(level.fixed, attribute))
        option = own[0] if own else None
        there = next(iter((*own, *fixed)), None)
        if there is not None and there.name in BLOCKING:
            raise Refused(CHOSEN, path_text([there]))
        self._check_wildcards(level, there)
        is_loaded = there is not None and there.name in LOADING
        is_loaded = is_loaded or self._is_eager(level, facts, there)
        function = "defaultload" if option is None else option.name
        if not is_loaded:
            function = self._function(level, owner, attribute, facts)
        step = _Step(level, attribute, owner, subclass, option, function, not is_loaded)
        below = Level(
            facts.target or "",
            [] if option is None else option.children,
            # Several options may begin with the same relationship: SQLAlchemy joins them.
            [child for other in (*own[1:], *fixed) for child in other.children],
            joined=level.joined and function in {"joinedload", "contains_eager", "defaultload"},
            passed=(*level.passed, level.qualified),
            attribute=attribute,
        )
        return step, below

    def _facts(
        self, level: Level, qualified: str, attribute: str
    ) -> tuple[RelationshipFacts, bool]:
        """Return the relationship, and whether only a subclass of what is loaded has it."""
        loaded = self.project.orm.mapped_class(level.qualified)
        if loaded is not None and attribute in loaded.relationships:
            return _known_facts(loaded.relationships[attribute], attribute), False
        below = self.project.orm.mapped_class(qualified)
        is_below = qualified in self.project.all_subclasses(level.qualified)
        if below is None or attribute not in below.relationships or not is_below:
            raise Refused(UNKNOWN_ENTITY, level.attribute or level.text)
        if level.aliased:
            raise Refused(UNKNOWN_ENTITY, level.text)
        return _known_facts(below.relationships[attribute], attribute), True

    def _is_eager(self, level: Level, facts: RelationshipFacts, there: Option | None) -> bool:
        """Whether the mapping loads it.

        Where a class comes back to itself, it does so for as many steps as ``join_depth`` says.
        """
        if facts.lazy not in _EAGER or (there is not None and there.name != "defaultload"):
            return False
        around = {facts.target or "", *self.project.all_subclasses(facts.target or "")}
        passed = (*level.passed, level.qualified)
        return len(passed) <= facts.join_depth or around.isdisjoint(passed)

    @staticmethod
    def _check_wildcards(level: Level, there: Option | None) -> None:
        for option in (*level.own, *level.fixed):
            for each in option.children if option.name == "Load" else [option]:
                if each.name in {"raiseload", "noload"} and WILDCARD in each.args and not there:
                    raise Refused(CHOSEN, path_text([each]))

    # ------------------------------------------------------------------------------ new options
    def _function(self, level: Level, owner: str, attribute: str, facts: RelationshipFacts) -> str:
        """Return the function that loads a relationship."""
        many = self.project.orm.is_collection(owner, attribute)
        may_join = not level.joined or self._may_join(facts.target or "")
        function = "joinedload" if many is False and may_join else "selectinload"
        others = {option.name for option in self.elsewhere if option.key == attribute} & LOADING
        if not others or others == {function}:
            return function
        # Two ways to load one relationship raise InvalidRequestError.
        if others != {"selectinload"}:
            raise Refused(CONFLICT, f"{min(others)}({owner.rpartition('.')[2]}.{attribute})")
        return "selectinload"

    def _may_join(self, target: str) -> bool:
        """Whether a to-one may be joined to the rows of the statement."""
        if self.separate:
            return False
        # The joins of a joined class repeat rows, which only legacy queries leave out.
        return not self.is_select or self.project.orm.eager.needs_unique(target) is False

    def _owner(self, step: _Step) -> str:
        """Return the code of the class, or alias, that a relationship is an attribute of."""
        if step.found is not None:
            return ""
        if step.level.text and not step.subclass:
            return step.level.text
        return self.names.class_of(step.owner)

    def _base(self, step: _Step) -> str:
        return step.level.text or self.names.class_of(step.level.qualified)


def _known_facts(facts: RelationshipFacts, attribute: str) -> RelationshipFacts:
    if facts.lazy in _QUERIES:
        raise Refused(NOT_LOADED_AHEAD, attribute)
    if facts.lazy is None:
        raise Refused(UNKNOWN_STRATEGY, attribute)
    if facts.lazy == "noload":
        raise Refused(CHOSEN, 'lazy="noload"')
    return facts


def _added_server(steps: Sequence[_Step], owners: Sequence[str], bases: Sequence[str]) -> Served:
    """Write down the options for ``steps``, one below the other."""
    siblings = steps[0].level.own
    path: list[Option] = []
    for step, owner, base in zip(steps, owners, bases, strict=True):
        option = step.found
        if option is None:
            if base:
                _add_subclass(siblings, base, owner)
            option = Option(step.function, f"{owner}.{step.attribute}", step.attribute, new=True)
            siblings.append(option)
        elif option.name != step.function:
            option.name, option.changed = step.function, True
        path.append(option)
        siblings = option.children
    return Served(path_text(path), is_new=True)


def _add_subclass(siblings: list[Option], base: str, subclass: str) -> None:
    """Load the columns of a subclass: its own columns need an option for both."""
    for option in siblings:
        if option.name == _POLYMORPHIC:
            if subclass not in option.args:
                option.args, option.changed = f"{option.args.rpartition(']')[0]}, {subclass}]", True
            return
    siblings.append(Option(_POLYMORPHIC, f"{base}, [{subclass}]", new=True))


def _having(options: Iterable[Option], attribute: str) -> Iterator[Option]:
    """Yield the options for a relationship among those of one level."""
    for option in options:
        inner = list(_having(option.children, attribute)) if option.name == "Load" else []
        yield from inner or ([option] if option.key == attribute else [])
