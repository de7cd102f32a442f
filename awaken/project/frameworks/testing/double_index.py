"""All mocks of Query in a project's tests, searched once.

Only test files are parsed whose bytes may hold a double, and those that name a function or a class
that makes one. A project without such files is searched for a few words.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from awaken.contract import Place, Span
from awaken.project.frameworks.testing.double_reach import QueryUse, Reach, use_of
from awaken.project.frameworks.testing.fixture_requests import is_automatic
from awaken.project.frameworks.testing.passed_mocks import Mark, fakes_of, marks_of, patch_of
from awaken.project.frameworks.testing.requests import Routes
from awaken.project.frameworks.testing.suite import SETUP, Suite
from awaken.project.frameworks.testing.units import ProgramCall, Unit
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.looked_at import Search, WatchedSnapshot
from awaken.project.source.memo import RECORDER, Record
from awaken.project.source.modules import Module
from awaken.project.source.test_files import DOUBLE_WORDS, is_around_tests, may_configure
from awaken.project.source.trees import Function, keyword_of
from awaken.project.source.words import word_pattern
from awaken.project.source.worklist import MOST_FILES, Worklist

_LAST_WORD = re.compile(rb"\w++\Z")
_FAKED = re.compile(rb"def query\(|^\s+query\s*=", re.MULTILINE)


class Double(Struct, frozen=True):
    """A mock of Query in a test: ``place`` is where it is first configured or asserted.

    ``name`` is how it is written there. ``uses`` are what the program asks of it. ``unseen`` says
    that no visible code gets it, or that more code does than was followed, although methods of
    Query are named on it. ``marks`` are all places of the test's file that make it a double,
    ``fake`` is its class if that is written by hand. If it ``is_followed``, no other use asks it.
    """

    place: Place
    name: str
    uses: tuple[QueryUse, ...]
    unseen: bool = False
    marks: tuple[Place, ...] = ()
    fake: str = ""
    is_followed: bool = False


class Doubles:
    """Finds the mocks of Query in a project, once."""

    def __init__(
        self, evaluator: ProgramEvaluator, files: WatchedSnapshot, has_queries: Callable[[], bool]
    ) -> None:
        self._evaluator = evaluator
        self._files = files
        self._has_queries = has_queries
        self._words = evaluator.callers.words
        self._found: dict[Place, Double] | None = None
        self._by_use: dict[QueryUse, list[Double]] = {}
        self._unfollowed: set[Place] = set()  # doubles that more may get than was followed
        self._is_complete = True
        self._marked: dict[str, _Marked] = {}
        self._outlines: dict[str, _Outline] = {}
        self._unmarked: set[str] = set()
        self._searched: dict[str, _Searched] = {}
        self._fakes: dict[str, Place] = {}
        self._record = Record()

    def find(self) -> None:
        """Find all mocks of the project, unless that was done."""
        self._all()

    def in_file(self, path: str) -> list[Double]:
        """Return the mocks of a test file, in the order of the source."""
        return sorted(
            (double for place, double in self._all().items() if place.path == path),
            key=lambda double: double.place,
        )

    def double_of(self, module: Module, query: ast.expr) -> Double | None:
        """Return a double that is asked by ``query``, as in ``session.query``, if one is."""
        return next(iter(self.answering(use_of(module, query))), None)

    def answering(self, use: QueryUse) -> tuple[Double, ...]:
        """Return the doubles that are asked by ``use``."""
        return tuple(self._by_use.get(use, ())) if self._all() else ()

    def _all(self) -> dict[Place, Double]:
        if self._found is None:
            self._found = {}
            with RECORDER.with_record(self._record):
                self._search()
            for double in self._found.values():
                for use in double.uses:
                    self._by_use.setdefault(use, []).append(double)
        RECORDER.add(self._record)
        return self._found

    # ---------------------------------------------------------------------------------- the files
    def _search(self) -> None:
        # A mock of another object's `query` is not a mock of Query.
        if not self._has_queries():
            return
        tests = [path for path in self._evaluator.files_with(DOUBLE_WORDS) if is_around_tests(path)]
        marked = [path for path in tests if may_configure(self._files.file_to_search(path).text)]
        self._files.looked_at.note_search(Search("doubles", b""), marked)
        self._fakes = dict(self._fakes_in(marked))
        making = _Making(self._outline, self._naming_tests)
        for path in marked:
            making.start(path, self._marks(path))
        for path, spans in making.spans().items():
            self._search_file(path, spans)
        # That is said only where a search ended too early; else no test has them.
        for path in [] if self._is_complete else marked:
            for place, name in self._marks(path).legacy:
                if self._found is not None:
                    self._found.setdefault(place, Double(place, name, (), unseen=True))

    def _fakes_in(self, paths: Sequence[str]) -> Iterator[tuple[str, Place]]:
        for path in paths:
            is_faked = _FAKED.search(self._files[path].text) is not None
            for module in self._evaluator.modules_at([path] if is_faked else []):
                yield from ((name, module.place(node)) for name, node in fakes_of(module))

    def _naming_tests(self, word: str) -> list[tuple[str, bytes]]:
        """Return the files of tests that have a word, with their texts; none if they are too many.

        Then a double that they get is not seen.
        """
        paths = [path for path in self._words.files_with(word) if is_around_tests(path)]
        self._is_complete = self._is_complete and len(paths) <= MOST_FILES
        return [(x, self._files[x].text) for x in (paths if len(paths) <= MOST_FILES else ())]

    def _marks(self, path: str) -> _Marked:
        if path not in self._marked:
            module = self._evaluator.load(path)
            self._marked[path] = _Marked() if module is None else self._marks_in(module)
        return self._marked[path]

    def _marks_in(self, module: Module) -> _Marked:
        made = {name for name in self._fakes if name.startswith(f"{module.name}.")}
        marks = list(marks_of(module, self._evaluator.names, self._fakes.keys()))
        legacy = [
            (module.place(item.node), _display_text(module, item))
            for item in marks
            if self._is_legacy(module, item)
        ]
        starts = tuple(module.span(mark.node).start for mark in marks)
        fakes = sorted({name.rpartition(".")[2] for name in made})
        return _Marked(starts, tuple(fakes), tuple(legacy))

    def _outline(self, path: str) -> _Outline:
        if path not in self._outlines:
            module = self._evaluator.load(path)
            self._outlines[path] = _Outline() if module is None else _outline_of(module)
        return self._outlines[path]

    def _is_legacy(self, module: Module, mark: Mark) -> bool:
        """Whether methods of Query are named on a mock; not of a class with its own ``query``."""
        patch = patch_of(module, mark.node) if isinstance(mark.node, ast.Call) else None
        if patch is None or patch.owner is not None or not mark.legacy:
            return mark.legacy
        owner = patch.name.rpartition(".")[0]
        located = self._evaluator.names.locate(owner)
        home = None if located is None else self._evaluator.load(located.path)
        if located is not None and home is not None and len(located.rest) > 1:
            # A test that patches what no file has fails today.
            scopes = home.scopes
            return located.rest[0] in scopes.module.bindings or bool(scopes.import_stars)
        pair = self._evaluator.classes.node(owner)
        own = [] if pair is None else [node for node in pair[1].body if _is_query(node)]
        # One that asks another `query` may pass on what a session gives.
        return not own or any(getattr(node, "attr", "") == "query" for node in ast.walk(own[0]))

    # ----------------------------------------------------------------------------------- one file
    def _search_file(self, path: str, spans: tuple[Span, ...]) -> None:
        searched = self._searched.get(path)
        if searched is None or searched.spans != spans:
            module = self._evaluator.load(path)
            searched = _Searched() if module is None else self._tests_in(module, spans)
            self._searched[path] = searched
        self._is_complete = self._is_complete and searched.is_complete
        for sighting in searched.sightings:
            self._add(sighting)

    def _tests_in(self, module: Module, spans: tuple[Span, ...]) -> _Searched:
        """Return what the tests of a file inside of ``spans`` have of doubles."""
        reach = Reach(self._evaluator)
        routes = Routes(self._evaluator)
        suite = Suite(self._evaluator, reach, self._fakes.keys(), self._unmarked)
        sightings: list[_Sighting] = []
        is_complete = True
        for node in module.functions:
            if node.name.startswith("test") and _is_inside(module.span(node), spans):
                unit = Unit(suite, suite.member(module, node))
                is_complete = is_complete and unit.is_complete
                for name in unit.doubles:
                    reached = _reached_callee(unit, name, reach, routes)
                    sightings.append(self._sighting(unit, name, reached))
        return _Searched(tuple(sightings), is_complete, suite.files | {module.path}, spans)

    def _sighting(self, unit: Unit, name: str, reached: _Reached) -> _Sighting:
        member, mark = unit.doubles[name]
        shown = (
            f"{mark.fake.rpartition('.')[2]}.query"
            if mark.fake
            else _display_text(member.module, mark)
        )
        return _Sighting(
            place=self._fakes.get(mark.fake) or member.module.place(mark.node),
            name=shown,
            marks=tuple(member.module.place(item.node) for item in unit.marks[name]),
            fake=mark.fake,
            is_legacy=self._is_legacy(member.module, mark),
            uses=tuple(reached.uses),
            is_resolved=reached.resolved,
            is_complete=reached.is_complete and unit.is_complete,
        )

    def _add(self, sighting: _Sighting) -> None:
        place, uses, marks = sighting.place, sighting.uses, set(sighting.marks)
        known = (self._found or {}).get(place)
        if known is not None:
            uses = tuple(dict.fromkeys([*known.uses, *uses]))
            marks |= set(known.marks)
        if not sighting.is_complete:
            self._unfollowed.add(place)
        unused = not uses and not sighting.is_resolved and (known is None or known.unseen)
        unseen = sighting.is_legacy and (unused or place in self._unfollowed)
        is_followed = not unseen and place not in self._unfollowed
        double = Double(
            place, sighting.name, uses, unseen, tuple(sorted(marks)), sighting.fake, is_followed
        )
        if self._found is not None:
            self._found[place] = double


class _Marked(Struct, frozen=True):
    """Where a file makes mocks of Query (``starts``), and the classes that are ``fakes``.

    ``legacy`` are those with methods of Query, each as a sentence names it.
    """

    starts: tuple[int, ...] = ()
    fakes: tuple[str, ...] = ()
    legacy: tuple[tuple[Place, str], ...] = ()


class _Sighting(Struct, frozen=True):
    """A double as one test has it; the words are those of ``Double``."""

    place: Place
    name: str
    marks: tuple[Place, ...]
    fake: str
    is_legacy: bool
    uses: tuple[QueryUse, ...]
    is_resolved: bool
    is_complete: bool


class _Searched(Struct, frozen=True):
    """The mocks of Query in the tests of a file, and the ``files`` of tests that take part.

    Only tests inside of ``spans`` were looked at.
    """

    sightings: tuple[_Sighting, ...] = ()
    is_complete: bool = True
    files: frozenset[str] = frozenset()
    spans: tuple[Span, ...] = ()


class _TestFunction(Struct, frozen=True):
    """A function of a test file with its decorators, and the ``names`` by which tests get it.

    An automatic function runs before all tests inside of ``reach``. ``owner`` is the class of a
    method.
    """

    span: Span
    names: tuple[str, ...]
    reach: Span
    owner: str = ""


class _Outline(Struct, frozen=True):
    """The functions of a test file, its ``imports``, and the other names that these give.

    ``receivers`` are names on which a method may be called by a name: imports, classes, `self`.
    ``whole`` is the file.
    """

    functions: tuple[_TestFunction, ...] = ()
    imports: tuple[Span, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    receivers: frozenset[bytes] = frozenset()
    whole: Span = Span(0, 0)


def _outline_of(module: Module) -> _Outline:
    """Return the outline of a file of tests."""
    imports = module.nodes_of(ast.Import, ast.ImportFrom)
    pairs = [(alias.name.rpartition(".")[2], alias.asname) for n in imports for alias in n.names]
    classes = [node.name for node in module.nodes(ast.ClassDef)]
    receivers = {"self", "cls", *classes, *(renamed or name for name, renamed in pairs)}
    return _Outline(
        tuple(_test_function(module, node) for node in module.functions),
        tuple(map(module.span, imports)),
        tuple((name, renamed) for name, renamed in pairs if renamed),
        frozenset(map(str.encode, receivers)),
        module.span(module.tree),
    )


def _test_function(module: Module, node: Function) -> _TestFunction:
    own, owner, decorators = module.span(node), module.parent(node), node.decorator_list
    span = Span(min([own.start, *(module.span(item).start for item in decorators)]), own.end)
    is_method = isinstance(owner, ast.ClassDef)
    runs_alone = (is_method and node.name in SETUP) or is_automatic(node)
    reach = module.span(owner) if runs_alone and owner is not None else span
    # Nobody calls tests and set-up methods by their names.
    if node.name.startswith(("test", "setUp", "setup")):
        return _TestFunction(span, (), reach)
    # A fixture may have another name: `@pytest.fixture(name="session")`.
    named = [keyword_of(item, "name") for item in decorators if isinstance(item, ast.Call)]
    texts = [str(item.value) for item in named if isinstance(item, ast.Constant)]
    name = owner.name if isinstance(owner, ast.ClassDef) and not decorators else ""
    return _TestFunction(span, (node.name, *texts), reach, name)


class _Making:
    """Finds the tests that may have a double, by the names of the functions that make it.

    Few tests of a large suite have one, and following a test costs much more than a search for
    words.
    """

    def __init__(
        self,
        outline: Callable[[str], _Outline],
        naming: Callable[[str], Iterable[tuple[str, bytes]]],
    ) -> None:
        self._outline = outline
        self._naming = naming
        self._reached: defaultdict[str, set[Span]] = defaultdict(set)
        self._words = Worklist[tuple[str, str]]([])

    def start(self, path: str, marks: _Marked) -> None:
        """Add what makes a double in a file."""
        self._words += [(fake, "") for fake in marks.fakes]
        for start in marks.starts:
            self._reach(path, start)

    def spans(self) -> dict[str, tuple[Span, ...]]:
        """Return the spans in which tests may have a double, for each file that has one."""
        for word, owner in self._words:
            pattern = word_pattern(word)
            for path, text in self._naming(word):
                outline = self._outline(path)
                self._words += [(new, owner) for old, new in outline.renamed if old == word]
                receivers = {*outline.receivers, owner.encode(), b""} if owner else None
                for match in pattern.finditer(text):
                    if receivers is None or _receiver(text, match.start()) in receivers:
                        self._reach(path, match.start())
        return {path: tuple(sorted(self._reached[path])) for path in sorted(self._reached)}

    def _reach(self, path: str, start: int) -> None:
        """Add the functions around a place where a double is made, or where its maker is named."""
        outline, place = self._outline(path), Span(start, start)
        if _is_inside(place, outline.imports):
            return
        around = [item for item in outline.functions if item.span.contains(place)]
        for function in around:
            self._reached[path].add(function.reach)
            self._words += [(name, function.owner) for name in function.names]
        if not around:
            self._reached[path].add(outline.whole)


def _is_inside(place: Span, spans: Iterable[Span]) -> bool:
    return any(span.contains(place) for span in spans)


def _receiver(text: bytes, start: int) -> bytes:
    """Return the word before the dot before ``start``; empty where none is."""
    if not text.endswith(b".", 0, start):
        return b""
    match = _LAST_WORD.search(text, text.rfind(b"\n", 0, start) + 1, start - 1)
    return b"" if match is None else match[0]


class _Reached(Struct, frozen=True):
    """The code that asks a mock; ``resolved``: anything of the program gets it."""

    uses: list[QueryUse]
    resolved: bool
    is_complete: bool


def _reached_callee(unit: Unit, name: str, reach: Reach, routes: Routes) -> _Reached:
    """Return what asks the double ``name``."""
    reach.replaces = unit.replaced
    answers = [routes.answering(*request) for request in unit.requests()]
    answering = [item for entry_points in answers for item in entry_points or ()]
    calls = [
        *unit.entries(name),
        *(ProgramCall(item, gives=False, inside=True) for item in answering),
    ]
    given = [call.entry for call in calls if call.gives]
    targets, overridden = list(unit.targets(name)), list(unit.overridden(name))
    # A request hands on nothing but what is patched or overridden.
    is_complete = None not in answers or not (targets or overridden)
    for dependency in overridden:
        for entry_point in answering:
            entries, is_all = routes.receivers_of(entry_point, dependency)
            given += entries
            is_complete = is_complete and is_all
    uses, is_all = reach.uses(given, frozenset())
    is_complete = is_complete and is_all
    for inside in (True, False):
        wanted = frozenset(target for target, only_inside in targets if only_inside is inside)
        if wanted:
            entries = [call.entry for call in calls if call.inside or not inside]
            asked, is_all = reach.uses(entries, wanted)
            uses += asked
            is_complete = is_complete and is_all
    for target, only_inside in targets:
        # No call was seen to get there; its users may still be reached in other ways.
        if not any(use.path == target.home for use in uses):
            query_uses = reach.named_at_home(target, unit.words(only_inside=only_inside))
            called = any(call.entry.module.path == target.home for call in calls)
            uses += query_uses or (reach.of_file(target) if target.path and not called else [])
    return _Reached(uses, bool(given or targets), is_complete)


def _is_query(node: ast.stmt) -> bool:
    return isinstance(node, Function) and node.name == "query"


def _display_text(module: Module, mark: Mark) -> str:
    """Return the double as a sentence names it, without what is called of it."""
    if not isinstance(mark.node, ast.Call):
        return module.excerpt(mark.node)
    if mark.root is not mark.node:
        return f"{module.excerpt(mark.root)}.query"
    patch = patch_of(module, mark.node)
    if patch is None:
        return f"{module.excerpt(mark.node.func)}(query=...)"
    return patch.name if patch.owner is None else f"{module.excerpt(patch.owner)}.query"
