"""Method families: the methods that a call on an instance of a class may run.

A family holds the method that the class has or inherits, all that override it in classes below,
those that a class with several bases brings beside it, and of a protocol the methods of the
classes that fulfil it. All of it is told from the facts of files; no tree is held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from awaken.project.names.classes import Classes, ClassFacts
from awaken.project.names.functions.definitions import FoundFunctions, Functions
from awaken.project.names.functions.standing_in import may_stand_in

PROTOCOLS = frozenset({"typing.Protocol", "typing_extensions.Protocol"})
_MOST_METHODS = 1000
"""Methods of one family: homeassistant's largest has fewer, and a chain of n classes has n
families of up to n methods each."""
_MOST_FULFILLING = 100
"""Classes that fulfil a protocol without naming it: one with a single common member says
nothing."""

_MAKING = ("__new__", "__init__", "__post_init__")


@dataclass(frozen=True, slots=True)
class Family:
    """The definitions that may run; ``why`` is empty, or says why they are not all in sight.

    ``outside`` is the class of a library that has the method if none of ``functions`` runs.
    """

    functions: tuple[FoundFunctions, ...]
    outside: str = ""
    why: str = ""


class Families:
    """Finds the families of all methods of a program; ``paths`` are its files."""

    def __init__(self, classes: Classes, functions: Functions, paths: Iterable[str]) -> None:
        self._classes = classes
        self._functions = functions
        self._kept: dict[tuple[str, str], Family] = {}
        self._lines: dict[str, dict[str, ClassFacts]] = {}
        self._defining: dict[str, list[str]] = defaultdict(list)
        self._having: dict[str, list[str]] = defaultdict(list)
        self._joining: dict[str, list[str]] = defaultdict(list)
        self._below: dict[str, list[str]] = defaultdict(list)
        self._protocols: set[str] = set()
        self._of_protocols: dict[str, frozenset[str]] = {}
        self._fulfilled: dict[tuple[str, str], bool] = {}
        self._candidates: dict[str, list[str]] = {}
        for path in paths:
            for one in classes.in_file(path).values():
                self._add(one)

    def _add(self, facts: ClassFacts) -> None:
        name, line = facts.qualified, self._line(facts.qualified)
        for member in sorted(facts.members):
            self._defining[member].append(name)
        for member in sorted(facts.members | facts.assigned):
            self._having[member].append(name)
        for above in line:
            if above != name:
                self._below[above].append(name)
        if sum(base in line for base in facts.bases) > 1:
            for above in line:
                self._joining[above].append(name)
        if any(base in PROTOCOLS for base in facts.bases):
            self._protocols.add(name)

    def _line(self, qualified: str) -> dict[str, ClassFacts]:
        """Return the class and all that it inherits of the project, the nearest first."""
        if qualified not in self._lines:
            found = self._classes.ancestors(qualified)
            inside = () if found is None else found.inside
            self._lines[qualified] = {one.qualified: one for one in inside}
        return self._lines[qualified]

    def of(self, qualified: str, method: str) -> Family:
        """Return what ``method`` of an instance of the class ``qualified`` may be."""
        key = (qualified, method)
        if key not in self._kept:
            self._kept[key] = self._family(qualified, method)
        return self._kept[key]

    def exact(self, qualified: str, method: str) -> Family:
        """Return what ``method`` of the class itself is: no class below it has a say."""
        own = self._definer(self._line(qualified).values(), method)
        return self._made_of(qualified, [] if own is None else [own], method)

    def above(self, qualified: str, method: str) -> Family:
        """Return what ``super().method`` in the class ``qualified`` may be.

        The next class above; where a class below has several bases, also what stands beside it.
        """
        line = self._line(qualified)
        own = self._definer([one for name, one in line.items() if name != qualified], method)
        names = {} if own is None else {own: None}
        for joining in self._joining.get(qualified, ()):
            for name, one in self._line(joining).items():
                is_beside = name not in line and qualified not in self._line(name)
                if is_beside and method in one.members:
                    names[name] = None
        return self._made_of(qualified, list(names), method)

    def made(self, qualified: str) -> list[Family]:
        """Return what runs when the class itself, and none below it, makes an instance."""
        line = self._line(qualified).values()
        definers = [(self._definer(line, name), name) for name in _MAKING]
        return [self._made_of(one, [one], name) for one, name in definers if one is not None]

    def _family(self, qualified: str, method: str) -> Family:
        own = self._definer(self._line(qualified).values(), method)
        names = {} if own is None else {own: None}
        names |= dict.fromkeys(self._overriding(qualified, method))
        for joining in self._joining.get(qualified, ()):
            beside = self._definer(self._line(joining).values(), method)
            names |= {} if beside is None else {beside: None}
        if qualified in self._protocols:
            fulfilling = self._fulfilling(qualified)
            if len(fulfilling) > _MOST_FULFILLING:
                return Family((), why=f"`{qualified}` is a protocol that too many classes fulfil")
            definers = (self._definer(self._line(name).values(), method) for name in fulfilling)
            names |= {definer: None for definer in definers if definer is not None}
        return self._made_of(qualified, list(names), method)

    def _made_of(self, qualified: str, names: list[str], method: str) -> Family:
        if len(names) > _MOST_METHODS:
            return Family((), why=f"too many classes have a `{method}`")
        # What a protocol declares runs only where nothing else is there.
        real = [name for name in names if name not in self._protocols]
        found = [self._functions.named(f"{name}.{method}") for name in real or names]
        functions = tuple(one for one in found if one is not None)
        if len(functions) < len(found):
            return Family(functions, why=f"`{method}` of `{qualified}` is no plain method")
        return Family(functions, "" if functions else self._outside(qualified))

    def _outside(self, qualified: str) -> str:
        ancestors = self._classes.ancestors(qualified)
        return next(iter(ancestors.outside), "") if ancestors is not None else ""

    def _definer(self, line: Iterable[ClassFacts], method: str) -> str | None:
        return next((one.qualified for one in line if method in one.members), None)

    def _overriding(self, qualified: str, method: str) -> list[str]:
        """Return the classes below one that define its ``method`` again, by the shorter way."""
        defining, below = self._defining.get(method, []), self._below.get(qualified, [])
        if len(defining) < len(below):
            return [name for name in defining if qualified in self._line(name)]
        facts = ((name, self._line(name)[name]) for name in below)
        return [name for name, one in facts if method in one.members]

    def together(self, qualified: str, method: str) -> list[str]:
        """Return the classes whose ``method`` may be called where that of ``qualified`` may.

        Those above and below it that define it, those that stand beside it in a class with several
        bases, and over a protocol all that fulfil it, with the protocol itself. Sorted.
        """
        found = {qualified}
        waiting = [qualified]
        while waiting:
            for name in self._beside(waiting.pop(), method):
                if name not in found:
                    found.add(name)
                    waiting.append(name)
        return sorted(name for name in found if method in self._line(name)[name].members)

    def _beside(self, qualified: str, method: str) -> Iterator[str]:
        line = self._line(qualified)
        yield from (name for name, one in line.items() if method in one.members)
        yield from self._overriding(qualified, method)
        for joining in self._joining.get(qualified, ()):
            yield from (name for name, one in self._line(joining).items() if method in one.members)
        if qualified in self._protocols:
            definers = (
                self._definer(self._line(one).values(), method)
                for one in self._fulfilling(qualified)
            )
            yield from (name for name in definers if name is not None)
        for protocol in self._asking_for.get(method, ()):
            if self._fulfils(qualified, protocol):
                yield protocol

    # --------------------------------------------------------------------------------- protocols
    @cached_property
    def _asking_for(self) -> dict[str, list[str]]:
        """The protocols that ask for a member, by its name."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for protocol in sorted(self._protocols):
            for member in sorted(self._wanted(protocol)):
                found[member].append(protocol)
        return found

    def _wanted(self, protocol: str) -> frozenset[str]:
        """Return the members that a class must have to fulfil a protocol."""
        if protocol not in self._of_protocols:
            self._of_protocols[protocol] = frozenset(
                member
                for one in self._line(protocol).values()
                if one.qualified in self._protocols
                for member in one.members
                if member == "__call__" or not member.startswith("__")
            )
        return self._of_protocols[protocol]

    def _fulfilling(self, protocol: str) -> list[str]:
        """Return the classes that have all members of a protocol, by whatever they inherit."""
        if protocol not in self._candidates:
            self._candidates[protocol] = self._found_fulfilling(protocol)
        return self._candidates[protocol]

    def _found_fulfilling(self, protocol: str) -> list[str]:
        wanted = self._wanted(protocol)
        if not wanted:
            return []
        rarest = min(sorted(wanted), key=lambda member: len(self._having.get(member, ())))
        candidates = {
            below
            for name in self._having.get(rarest, ())
            for below in (name, *self._below.get(name, ()))
        }
        return [name for name in sorted(candidates) if self._fulfils(name, protocol)]

    def _fulfils(self, name: str, protocol: str) -> bool:
        key = (name, protocol)
        if key not in self._fulfilled:
            self._fulfilled[key] = name not in self._protocols and all(
                self._has(name, protocol, member) for member in sorted(self._wanted(protocol))
            )
        return self._fulfilled[key]

    def _has(self, name: str, protocol: str, member: str) -> bool:
        """Whether a class has what a protocol asks for, and takes what it is passed there."""
        for one in self._line(name).values():
            if member in one.assigned:
                return True
            if member in one.members:
                asked_by = self._definer(self._line(protocol).values(), member)
                own = self._functions.named(f"{one.qualified}.{member}")
                asked = self._functions.named(f"{asked_by}.{member}")
                return own is None or asked is None or may_stand_in(own, asked)
        return False
