"""All doubles of Query in a project's tests, found when first asked for.

Only test files are parsed whose bytes may hold a double, and those that name a function or a class
that makes one. A project without such files is searched for a few words.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct

from awaken.contract import Place
from awaken.project.frameworks.testing.marks import (
    Mark,
    fakes_of,
    marks_of,
    patch_of,
)
from awaken.project.frameworks.testing.reach import QueryUse, Reach, use_of
from awaken.project.frameworks.testing.requests import Routes
from awaken.project.frameworks.testing.suite import Suite
from awaken.project.frameworks.testing.units import ProgramCall, Unit
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.looked_at import Search, WatchedSnapshot
from awaken.project.source.modules import Module
from awaken.project.source.test_files import DOUBLE_WORDS, is_around_tests, may_configure
from awaken.project.source.trees import Function

_FAKED = re.compile(rb"def query\(|^\s+query\s*=", re.MULTILINE)
_MOST_FILES = 60
"""Files that name one fixture or helper; half of it loses no finding (benchmarks/limits.md)."""


class Double(Struct, frozen=True):
    """A double of Query in a test: ``place`` is where it is first configured or asserted.

    ``name`` is how it is written there. ``uses`` are what the program asks of it. ``unseen`` says
    that nothing in sight gets it, or more than was followed, although methods of Query are named
    behind it. ``marks`` are all places of the test's file that make it a double, ``fake`` is its
    class if that is written by hand. If it ``is_followed``, no other use asks it.
    """

    place: Place
    name: str
    uses: tuple[QueryUse, ...]
    unseen: bool = False
    marks: tuple[Place, ...] = ()
    fake: str = ""
    is_followed: bool = False


class Doubles:
    """Finds the doubles of a project, once."""

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        files: WatchedSnapshot,
        files_with: Callable[[Sequence[bytes]], list[str]],
        has_queries: Callable[[], bool],
    ) -> None:
        self._evaluator = evaluator
        self._files = files
        self._has_queries = has_queries
        self._files_with = files_with
        self._words = evaluator.callers.words
        self._found: dict[Place, Double] | None = None
        self._by_use: dict[QueryUse, list[Double]] = {}
        self._unfollowed: set[Place] = set()  # doubles that more may get than was followed
        self._is_complete = True

    def find(self) -> None:
        """Find all doubles of the project, unless that was done."""
        self._all()

    def in_file(self, path: str) -> list[Double]:
        """Return the doubles of a test file, in the order of the source."""
        return sorted(
            (one for place, one in self._all().items() if place.path == path),
            key=lambda one: one.place,
        )

    def of(self, module: Module, query: ast.expr) -> Double | None:
        """Return a double that is asked by ``query``, as in ``session.query``, if one is."""
        return next(iter(self.answering(use_of(module, query))), None)

    def answering(self, use: QueryUse) -> tuple[Double, ...]:
        """Return the doubles that are asked by ``use``."""
        return tuple(self._by_use.get(use, ())) if self._all() else ()

    def share(self, earlier: Doubles, changed: Iterable[str]) -> None:
        """Take what was found earlier, if none of the ``changed`` files can have a double."""
        tests = (path for path in changed if is_around_tests(path))
        if not any(may_configure(self._files[path].text) for path in tests):
            self._found, self._by_use = earlier._found, earlier._by_use

    def _all(self) -> dict[Place, Double]:
        if self._found is None:
            self._found = {}
            self._search()
            for double in self._found.values():
                for use in double.uses:
                    self._by_use.setdefault(use, []).append(double)
        return self._found

    # ---------------------------------------------------------------------------------- the files
    def _search(self) -> None:
        # A mock of the `query` of anything else is none of a Query.
        if not self._has_queries():
            return
        tests = [path for path in self._files_with(DOUBLE_WORDS) if is_around_tests(path)]
        marked = [path for path in tests if may_configure(self._files.searched(path).text)]
        self._files.looked_at.note_search(Search("doubles", b""), marked)
        fakes = dict(self._fakes(marked))
        wanted: dict[str, None] = {}
        done = set[str]()
        for path in marked:
            concerned = list(self._concerned(path, fakes))
            wanted |= dict.fromkeys(concerned)
            if path in concerned:  # while its tree is at hand
                done.add(path)
                self._search_file(path, fakes)
        for path in wanted:
            if path not in done:
                self._search_file(path, fakes)
        if not self._is_complete:
            for path in marked:
                self._add_unused(path, fakes)

    def _fakes(self, paths: Sequence[str]) -> Iterator[tuple[str, Place]]:
        for path in paths:
            text = self._files[path].text
            module = self._evaluator.load(path) if _FAKED.search(text) else None
            for name, node in fakes_of(module) if module is not None else ():
                if module is not None:
                    yield name, module.place(node)

    def _concerned(self, path: str, fakes: Mapping[str, Place]) -> Iterator[str]:
        """Yield the files with tests that the doubles of a file may take part in."""
        module = self._evaluator.load(path)
        if module is None:
            return
        words = {name.rpartition(".")[2] for name in fakes if name.startswith(f"{module.name}.")}
        marks = list(marks_of(module, self._evaluator.names, fakes.keys()))
        for mark in marks:
            above = [one for one in module.ancestors(mark.node) if isinstance(one, Function)]
            words |= {above[-1].name} if above else set()
        if marks:
            yield path
        # Nobody calls tests and set-up methods by their names.
        words = {word for word in words if not word.startswith(("test", "setUp", "setup"))}
        for word in sorted(words):
            files = [one for one in self._words.files_with(word) if is_around_tests(one)]
            self._is_complete = self._is_complete and len(files) <= _MOST_FILES
            yield from files if len(files) <= _MOST_FILES else ()

    # ----------------------------------------------------------------------------------- one file
    def _search_file(self, path: str, fakes: Mapping[str, Place]) -> None:
        module = self._evaluator.load(path)
        if module is None:
            return
        reach = Reach(self._evaluator)
        routes = Routes(self._evaluator, self._files_with)
        suite = Suite(self._evaluator, reach, fakes.keys())
        for node in module.walk():
            if isinstance(node, Function) and node.name.startswith("test"):
                unit = Unit(suite, suite.member(module, node))
                self._is_complete = self._is_complete and unit.is_complete
                for name in unit.doubles:
                    self._add(unit, name, fakes, _reached(unit, name, reach, routes))

    def _add(
        self,
        unit: Unit,
        name: str,
        fakes: Mapping[str, Place],
        reached: _Reached,
    ) -> None:
        member, mark = unit.doubles[name]
        uses = reached.uses
        place = fakes.get(mark.fake) or member.module.place(mark.node)
        shown = (
            f"{mark.fake.rpartition('.')[2]}.query" if mark.fake else _shown(member.module, mark)
        )
        known = (self._found or {}).get(place)
        marks = {member.module.place(one.node) for one in unit.marks[name]}
        if known is not None:
            uses = [*dict.fromkeys([*known.uses, *uses])]
            marks |= set(known.marks)
        if not (reached.is_complete and unit.is_complete):
            self._unfollowed.add(place)
        unused = not uses and not reached.resolved and (known is None or known.unseen)
        unseen = mark.legacy and (unused or place in self._unfollowed)
        is_followed = not unseen and place not in self._unfollowed
        double = Double(
            place, shown, tuple(uses), unseen, tuple(sorted(marks)), mark.fake, is_followed
        )
        if self._found is not None:
            self._found[place] = double

    def _add_unused(self, path: str, fakes: Mapping[str, Place]) -> None:
        """Add the doubles of a file that no test was seen to have: one that was not followed may.

        That is said only where a search ended too early; else no test has them.
        """
        module = self._evaluator.load(path)
        for mark in marks_of(module, self._evaluator.names, fakes.keys()) if module else ():
            if module is not None and self._found is not None and mark.legacy:
                place = module.place(mark.node)
                self._found.setdefault(place, Double(place, _shown(module, mark), (), unseen=True))


@dataclass(frozen=True, slots=True)
class _Reached:
    """What asks a double; ``resolved``: anything of the program gets it, maybe without asking."""

    uses: list[QueryUse]
    resolved: bool
    is_complete: bool


def _reached(unit: Unit, name: str, reach: Reach, routes: Routes) -> _Reached:
    """Return what asks the double ``name``."""
    reach.replaces = unit.replaced
    answers = [routes.answering(*request) for request in unit.requests()]
    answering = [one for found in answers for one in found or ()]
    calls = [
        *unit.entries(name),
        *(ProgramCall(one, gives=False, inside=True) for one in answering),
    ]
    given = [one.entry for one in calls if one.gives]
    targets, overridden = list(unit.targets(name)), list(unit.overridden(name))
    # A request hands on nothing but what is patched or overridden.
    is_complete = None not in answers or not (targets or overridden)
    for dependency in overridden:
        for one in answering:
            entries, is_all = routes.given(one, dependency)
            given += entries
            is_complete = is_complete and is_all
    uses, is_all = reach.uses(given, frozenset())
    is_complete = is_complete and is_all
    for inside in (True, False):
        wanted = frozenset(target for target, only_inside in targets if only_inside is inside)
        if wanted:
            entries = [one.entry for one in calls if one.inside or not inside]
            asked, is_all = reach.uses(entries, wanted)
            uses += asked
            is_complete = is_complete and is_all
    for target, only_inside in targets:
        # No call was seen to get there; what names it may still be reached in other ways.
        if not any(use.path == target.home for use in uses):
            found = reach.named_at_home(target, unit.words(only_inside=only_inside))
            called = any(one.entry.module.path == target.home for one in calls)
            uses += found or (reach.of_file(target) if target.path and not called else [])
    return _Reached(uses, bool(given or targets), is_complete)


def _shown(module: Module, mark: Mark) -> str:
    """Return the double as a sentence names it, without what is called of it."""
    if not isinstance(mark.node, ast.Call):
        return module.excerpt(mark.node)
    if mark.root is not mark.node:
        return f"{module.excerpt(mark.root)}.query"
    patch = patch_of(module, mark.node)
    if patch is None:
        return f"{module.excerpt(mark.node.func)}(query=...)"
    return patch.name if patch.owner is None else f"{module.excerpt(patch.owner)}.query"
