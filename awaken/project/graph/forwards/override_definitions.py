"""Override sets: the methods that a call on an instance of a class may run.

An override set has the method that the class defines or inherits, all overrides in subclasses, and
those of its sibling bases. That of a protocol has the methods of the classes that fulfill it. All
of it follows from the facts of files; no tree is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from awaken.project.graph.classes.override_sets import MAKING, Overrides
from awaken.project.names.classes import Classes, ClassFacts
from awaken.project.names.functions.definitions import FoundFunctions, Functions
from awaken.project.source.memo import cached_items, cached_method
from awaken.project.source.worklist import MOST_FUNCTIONS, multimap, reachable

_MOST_METHODS = 1000
"""Methods of an override set: homeassistant's largest has fewer, and a chain of n classes has n
sets of up to n methods each."""


class OverrideSet(Struct, frozen=True):
    """The definitions that may run; ``why`` is empty, or says why some are not visible.

    ``declared`` are those of protocols, in whose place one of ``functions`` runs.
    """

    functions: tuple[FoundFunctions, ...]
    why: str = ""
    declared: tuple[FoundFunctions, ...] = ()


class OverrideSets:
    """Finds the override sets of all methods of a program; ``paths`` are its files."""

    def __init__(
        self, classes: Classes, functions: Functions, overrides: Overrides, paths: Iterable[str]
    ) -> None:
        self._classes = classes
        self._functions = functions
        self._overrides = overrides
        self._line = overrides.line
        own = [facts for path in paths for facts in classes.in_file(path).values()]
        self._defining = multimap((name, item.qualified) for item in own for name in item.members)
        self._below = multimap(
            (name, item.qualified) for item in own for name in self._ancestors(item)
        )
        lines = ((item, self._line(item.qualified)) for item in own)
        joining = ((i, line) for i, line in lines if sum(base in line for base in i.bases) > 1)
        self._joining = multimap((name, i.qualified) for i, line in joining for name in line)

    def _ancestors(self, facts: ClassFacts) -> Iterator[str]:
        outside = self._classes.library_ancestors(facts.qualified)
        return (
            name for name in (*self._line(facts.qualified), *outside) if name != facts.qualified
        )

    @cached_method
    def override_set(self, qualified: str, method: str) -> OverrideSet:
        """Return what ``method`` of an instance of the class ``qualified`` may be."""
        definers = self._overrides.definers
        names = dict.fromkeys(definers(qualified, method))
        names |= dict.fromkeys(self._overriding(qualified, method))
        # A class with several bases may find the method in another base first.
        for joining in self._joining.get(qualified, ()):
            names |= dict.fromkeys(definers(joining, method))
        if self._overrides.is_protocol(qualified):
            fulfilling = self._overrides.fulfilling(qualified)
            # With a single common member, it says nothing.
            if len(fulfilling) > MOST_FUNCTIONS:
                return OverrideSet(
                    (), why=f"`{qualified}` is a protocol that too many classes fulfil"
                )
            for name in fulfilling:
                names |= dict.fromkeys(definers(name, method))
        return self._made_of(qualified, list(names), method)

    def exact(self, qualified: str, method: str) -> OverrideSet:
        """Return what ``method`` of the class itself is: no class below it has a say."""
        return self._made_of(qualified, [*self._overrides.definers(qualified, method)], method)

    def super_override_set(self, qualified: str, method: str) -> OverrideSet:
        """Return what ``super().method`` in the class ``qualified`` may be.

        It is the next class in the order of the bases. A class below may have another order only if
        it has several bases.
        """
        names: dict[str, None] = {}
        for below in (qualified, *self._joining.get(qualified, ())):
            names |= dict.fromkeys(self._overrides.following(below, qualified, method))
        return self._made_of(qualified, list(names), method)

    def initializer_sets(self, qualified: str) -> list[OverrideSet]:
        """Return what runs when the class itself, and none below it, makes an instance."""
        return [
            self._made_of(definer, [definer], name)
            for name in MAKING
            for definer in self._overrides.definers(qualified, name)
        ]

    def _made_of(self, qualified: str, names: list[str], method: str) -> OverrideSet:
        if len(names) > _MOST_METHODS:
            return OverrideSet((), why=f"too many classes have a `{method}`")
        # A protocol's own method runs only where there is no other.
        real = [name for name in names if not self._overrides.is_protocol(name)]
        functions = self._definitions(real or names, method)
        declared = self._definitions(set(names) - set(real), method) if real else ()
        if len(functions) < len(real or names):
            why = f"`{method}` of `{qualified}` is no plain method"
            return OverrideSet(functions, why=why, declared=declared)
        return OverrideSet(functions, declared=declared)

    def _definitions(self, names: Iterable[str], method: str) -> tuple[FoundFunctions, ...]:
        """Return the ``method`` of each class of these names that defines it plainly."""
        functions = (self._functions.functions_called(f"{name}.{method}") for name in names)
        return tuple(candidate for candidate in functions if candidate is not None)

    def _overriding(self, qualified: str, method: str) -> list[str]:
        """Return the classes below one that define its ``method`` again, by the shorter way."""
        defining, below = self._defining.get(method, []), self._below.get(qualified, [])
        if len(defining) < len(below):
            return [name for name in defining if qualified in self._line(name)]
        facts = ((name, self._line(name)[name]) for name in below)
        return [name for name, item in facts if method in item.members]

    def overriding_classes(self, qualified: str, method: str) -> list[str]:
        """Return the classes whose ``method`` may be called where that of ``qualified`` may.

        These are the classes above and below that define it, and the other bases of a class with
        several. For a protocol they are all that fulfil it, and itself. Sorted.
        """
        names = reachable([qualified], lambda name: self._classes_with(name, method))
        return sorted(name for name in names if method in self._line(name)[name].members)

    @cached_items
    def _classes_with(self, qualified: str, method: str) -> Iterator[str]:
        line = self._line(qualified)
        yield from (name for name, facts in line.items() if method in facts.members)
        yield from self._overriding(qualified, method)
        for joining in self._joining.get(qualified, ()):
            yield from (name for name, one in self._line(joining).items() if method in one.members)
        if self._overrides.is_protocol(qualified):
            for name in self._overrides.fulfilling(qualified):
                yield from self._overrides.definers(name, method)
        for protocol in self._overrides.asking_for(method):
            if self._overrides.fulfils(qualified, protocol):
                yield protocol
