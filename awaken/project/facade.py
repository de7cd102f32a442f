"""The one object that rules ask: everything about a program, found on demand."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, Protocol, TypeVar

from msgspec import structs
from packaging.utils import canonicalize_name

from awaken.contract import Place
from awaken.knowledge import knowledge
from awaken.project.effects.effects import Effects
from awaken.project.frameworks.orm import Orm
from awaken.project.frameworks.sqlalchemy.engines.url_sources import URL_READS
from awaken.project.frameworks.templates.template_sights import TEMPLATE_READS
from awaken.project.frameworks.testing import (
    CoroutineTests,
    Doubles,
    Mocks,
    ObjectFactories,
    Replacements,
)
from awaken.project.frameworks.testing.replaced.in_force import InForces
from awaken.project.frameworks.testing.replaced.patched_names import ReplacedNames
from awaken.project.frameworks.web.wiring import Web
from awaken.project.graph.callers import Obstacle
from awaken.project.graph.calls import Calls
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.names.classes import Classes, ClassFacts, Definition
from awaken.project.names.file_facts import FactsIndex
from awaken.project.names.import_origins import failing_import, is_after_failing_import
from awaken.project.names.in_scope import InScope, Reach
from awaken.project.names.module_layout import Layout, inner_folders
from awaken.project.names.outside_links import OutsideLinks
from awaken.project.names.resolution import Names
from awaken.project.source.looked_at import LookedAt, Search
from awaken.project.source.memo import RECORDER, cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.programs.module_store import ModuleStore
from awaken.project.source.programs.start_folders import StartFolder, start_folders
from awaken.project.source.replacing import puts_of
from awaken.project.source.test_files import is_test_file
from awaken.project.source.texts.text_search import ProgramTexts
from awaken.project.source.trees import Function, values_given
from awaken.project.source.worklist import reachable
from awaken.project.store.summaries import Store
from awaken.project.values.domain import ClassOf, External, ModuleOf
from awaken.project.values.possible import ProgramValues
from awaken.workspace.ignores import Patterns
from awaken.workspace.manifests.describing import TYPE_CHECKER_READS, is_set_up
from awaken.workspace.manifests.pytest_settings import (
    PYTEST_READS,
    PytestSettings,
    nearest_settings,
)
from awaken.workspace.outside import OutsideFile
from awaken.workspace.project_settings import UNTOLD, ProjectSettings
from awaken.workspace.sources import Snapshot, SourceFile, is_python
from awaken.workspace.text_files import Texts

_REQUIREMENTS = ("*.txt", "*.in", "Pipfile")


class InFile(Protocol):
    """Something in a file: a place, a function."""

    @property
    def path(self) -> str:
        """The file."""


Item = TypeVar("Item", bound=InFile)


class Project:
    """One snapshot of a program and what is known about it; reads no file and runs no code.

    ``before`` are the files of the ``earlier`` project that it was made from, if there was one.

    ``targets`` holds the versions that the program declares; ``published`` says whether code
    outside the program may import from it, ``published_because`` why. Facts always come from the
    whole program. Trees are parsed when asked for and only the last few are kept. With an
    ``earlier`` project, unchanged files are not read again; with a ``store``, the facts of earlier
    runs are used. Reads are recorded in ``looked_at``.
    """

    def __init__(  # noqa: PLR0913  what a run has, each of it once
        self,
        snapshot: Snapshot,
        targets: Any,
        earlier: Project | None = None,
        looked_at: LookedAt | None = None,
        settings: ProjectSettings = UNTOLD,
        store: Store | None = None,
    ) -> None:
        self.looked_at = LookedAt() if looked_at is None else looked_at
        self.targets = targets
        self.published = settings.published
        self.published_because = settings.published_because
        self._settings = settings
        self._site_scope: frozenset[str] | None = None
        self._decided: frozenset[Place] = frozenset()
        before = None if earlier is None else earlier._texts  # noqa: SLF001  of the same class
        # No function is public for the code in these, nor used by it.
        others = _names(snapshot, (*TEMPLATE_READS, *URL_READS, *_REQUIREMENTS))
        self.store: Store = store or (Store() if earlier is None else earlier.store)
        self._texts: ProgramTexts = ProgramTexts(
            snapshot, self.looked_at, before, others, self.store.words
        )
        self.snapshot = self._texts.files
        self.before = None if earlier is None else earlier.snapshot
        # A module's name depends on all paths together, so a new file may change any of them.
        same_paths = earlier is not None and self._texts.has_same_paths
        inner = inner_folders(self._texts.python, self._is_named)
        on_path = self._on_path(settings)
        known = earlier and (earlier.layout.inner, earlier.layout.on_path, earlier.published)
        same_paths = same_paths and known == (inner, on_path, self.published)
        self.layout: Layout = (
            earlier.layout
            if earlier and same_paths
            else Layout(self._texts.python, published=self.published, inner=inner, on_path=on_path)
        )
        trees = None if earlier is None else earlier._modules  # noqa: SLF001  of the same class
        self._modules: ModuleStore = ModuleStore(
            self.snapshot, self.layout.name_of, self._let_go, trees
        )
        self.parse_failures = self._modules.failures
        self._begin()

        if earlier is not None:
            self._share(earlier)

    def know(self, answers: Iterable[tuple[Search, Iterable[str]]]) -> None:
        """Know in which of its files searches of an earlier run hold."""
        self._texts.know(answers)

    def _begin(self) -> None:
        """Make the facts; nothing is known yet except the facts of single files."""
        # The facts call what holds the files, and never this object above them.
        module = self._modules.module
        self._facts: FactsIndex = FactsIndex(
            self.snapshot, module, self._modules.module_to_search, self.store.facts
        )
        self._names = Names(self.layout, module, knowledge(), self._facts)
        words = self._texts.words
        self._classes = Classes(self._names, module, words, self._facts)
        self._evaluator = ProgramEvaluator(
            self._names,
            self._classes,
            module,
            knowledge(),
            words,
            self._texts.search.files_with,
            self._calls_of_value,
        )
        self.values = ProgramValues(self._evaluator)
        self.injections = self._evaluator.injections
        self.calls = Calls(self._evaluator)
        self.effects = Effects(self._evaluator)
        self.in_force = InForces(self._evaluator)
        self.orm = Orm(self._evaluator, self._templates, self.in_force, self)
        self._doubles = Doubles(self._evaluator, self.snapshot, lambda: self.has_sessions)
        self.mocks = Mocks(self._evaluator)
        self.object_factories = ObjectFactories(self._evaluator)
        self.replacements = Replacements(self._evaluator)
        self.replaced_names = ReplacedNames(self._evaluator, self.orm.computed_names, self.in_force)
        self.web = Web(self._evaluator, self.targets)
        self.coroutine_tests = CoroutineTests(self._evaluator, lambda: self.pytest, self.targets)

    def _calls_of_value(self, obstacle: Obstacle) -> tuple[Place | None, ...]:
        return self.calls.calls_of_value(obstacle)

    def with_snapshot(self, snapshot: Snapshot) -> Project:
        """Return the same program with the files of another snapshot."""
        return Project(snapshot, self.targets, self, settings=self._settings)

    def with_own_answers(self) -> Project:
        """Return the same program, of which nothing is known but the facts of single files."""
        other = self.with_snapshot(self.snapshot)
        other._decided = self._decided  # noqa: SLF001  of the same class
        return other

    def module_of(self, source: SourceFile) -> Module | None:
        """Return a file of this or another snapshot whose tree is kept, without its answers."""
        module = self._modules.get(source.path)
        return module.with_own_memo() if module is not None and module.is_of(source) else None

    def give_up(self, paths: Collection[str]) -> None:
        """Keep no trees of these files: where they are asked for, they are parsed again."""
        self._modules.give_up(paths)
        self._let_go()

    def collect(self) -> None:
        """Collect garbage where many trees are in memory that nobody needs."""
        self._modules.collect()

    def _let_go(self) -> None:
        """Forget what leads to trees that are not kept any more."""
        self._evaluator.let_go()

    def _on_path(self, settings: ProjectSettings) -> tuple[StartFolder, ...]:
        """Return the folders on the path of the program, as set or as its files need them."""
        files, folders = self._texts.files, tuple(map(StartFolder, settings.source_folders))
        if folders or self.published:
            return folders
        return start_folders(
            self._texts.python, lambda path: files[path].text, self._texts.search.files_with
        )

    def _is_named(self, dotted: str) -> bool:
        """Whether a file holds this dotted name."""
        return bool(self._texts.search.files_with((dotted.encode(),)))

    def _share(self, earlier: Project) -> None:
        # A tree depends on its text alone, what was remembered with it on other files.
        same = [
            module.with_own_memo()
            for module in earlier._modules
            if module.path in self.snapshot and module.path not in self._texts.changed
        ]
        # Its other trees go before those of this project come.
        earlier.give_up(earlier.snapshot)
        for module in same:
            self._modules.add(module)

    def is_of(self, snapshot: Snapshot) -> bool:
        """Whether the project is that of a snapshot: both hold the same files."""
        # By identity: a file that nobody edited is the same object in both snapshots.
        return set(self.snapshot) == set(snapshot) and all(
            self._texts.files.file_to_search(path) is snapshot[path] for path in snapshot
        )

    def files_with(self, triggers: Sequence[bytes]) -> list[str]:
        """Return the Python files whose text holds any of ``triggers``, sorted by path."""
        return self._texts.search.files_with(triggers)

    def site_files(self, triggers: Sequence[bytes]) -> list[str]:
        """Return the files in which a rule with these triggers looks for its sites, sorted."""
        return [path for path in self.files_with(triggers) if self.looks_in(path)]

    @property
    def site_scope(self) -> frozenset[str] | None:
        """The files in which rules look for their sites; None for all."""
        return self._site_scope

    def looks_in(self, path: str) -> bool:
        """Whether rules look for their sites in the file at ``path``."""
        return self._site_scope is None or path in self._site_scope

    def texts(self, *patterns: str) -> Texts:
        """Return the files other than Python that ``patterns`` name, of some rule's ``reads``.

        As they are in this snapshot, after all changes so far. Raises ValueError for a pattern that
        no running rule declares: nothing was looked for then.
        """
        for pattern in patterns:
            if pattern not in self._settings.reads:
                raise ValueError(f"no rule that runs declares {pattern!r} in `reads`")
        unread = self._settings.unread
        left_out = _names((problem.path for problem in unread), patterns)
        return Texts(
            {path: self.snapshot[path] for path in sorted(_names(self.snapshot, patterns))},
            tuple(problem for problem in unread if problem.path in left_out),
        )

    def files_putting(self, names: Collection[str] | None, among: Iterable[str]) -> list[str]:
        """Return those files ``among`` some that put something in the place of attributes.

        ``names`` are those of the attributes; None means any. A file that does not parse is one.
        """
        putting, words = list[str](), " ".join(sorted(names or ()))
        for path in sorted(among):
            module = self._modules.module_to_search(path)
            with RECORDER.without_record():
                puts = module is None or bool(puts_of(module, names))
            putting += [path] if puts else []
            self.looked_at.note_facts(path, "puts", words, b"" if puts else None)
        return putting

    def _templates(self) -> Texts | None:
        """Return the templates of this snapshot; None if no rule that runs asks for them."""
        if not set(TEMPLATE_READS) <= set(self._settings.reads):
            return None
        return self.texts(*TEMPLATE_READS)

    @cached_property
    def pytest(self) -> PytestSettings:
        """The settings of pytest, as they are in this snapshot; without any, its defaults.

        For rules that declare ``PYTEST_READS`` in ``reads``; raises ValueError for others.
        """
        tests = filter(is_test_file, self.snapshot)
        return nearest_settings(self.texts(*PYTEST_READS), tests, self._settings.pytest_above)

    @cached_property
    def outside(self) -> OutsideLinks:
        """The files that are not visible and have to do with the program.

        They lie next to it, for rules that declare ``looks_outside``, or were found not to parse.
        A file that no Python reads does nothing.
        """
        said = self._settings.outside
        unparsable = [
            OutsideFile(f"{said.prefix}{path}", self.snapshot[path].text, "does not parse")
            for path, failure in sorted(self.parse_failures.items())
            if not failure.never_runs
        ]
        files = structs.replace(said, files=(*said.files, *unparsable))
        return OutsideLinks(files, self.layout, self._texts.python, self._modules.module)

    @cached_property
    def is_type_checked(self) -> bool:
        """Whether a type checker is set up; for rules that declare ``TYPE_CHECKER_READS``."""
        if not set(TYPE_CHECKER_READS) <= set(self._settings.reads):
            return False
        files = self.texts(*TYPE_CHECKER_READS).files
        return is_set_up({name: file.text for name, file in files.items()})

    @property
    def doubles(self) -> Doubles:
        """The mocks of Query in the tests of the program."""
        return self._doubles

    def with_site_scope(self, site_scope: frozenset[str] | None) -> Project:
        """Return the same project, in which rules look for sites in ``site_scope`` only.

        None means all files, as before the first narrowing.
        """
        # Shallow, so that all facts are shared: none depends on where sites are looked for.
        other = copy(self)
        other._site_scope = site_scope  # noqa: SLF001  of the same class
        return other

    def without_sites(self, decided: frozenset[Place]) -> Project:
        """Return the same project, in which no rule is asked again for its sites at these places.

        They count for ``is_decided`` alone, which whoever goes through sites asks.
        """
        other = copy(self)
        other._decided = decided  # noqa: SLF001  of the same class
        return other

    def is_decided(self, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` is a site that nobody asks for again."""
        return bool(self._decided) and module.place(node) in self._decided

    def module(self, path: str) -> Module | None:
        """Return the parsed file; None where there is none or this Python cannot parse it."""
        return self._modules.module(path)

    def modules_at(self, paths: Iterable[str]) -> Iterator[Module]:
        """Yield those of the files at ``paths`` that parse."""
        return filter(None, map(self.module, paths))

    def with_modules(self, items: Iterable[Item]) -> Iterator[tuple[Module, Item]]:
        """Yield the items that are in files that parse, each with its file."""
        for item in items:
            yield from ((module, item) for module in self.modules_at([item.path]))

    def expressions_at(self, place: Place) -> Iterator[tuple[Module, ast.expr]]:
        """Yield the expressions that take exactly a place, each with its file."""
        for module in self.modules_at([place.path]):
            yield from ((module, node) for node in module.expressions_at({place.span}))

    def calls_at(self, place: Place) -> list[tuple[Module, ast.Call]]:
        """Return the calls that take exactly a place, each with its file."""
        return self._evaluator.calls_at(place)

    @cached_property
    def has_sessions(self) -> bool:
        """Whether the program names a library with sessions of SQLAlchemy, or declares one.

        A plug-in that lies inside of a program may have all of it from that program.
        """
        known = knowledge()
        roots = {name.partition(".")[0] for name in (*known.types, *known.calls)}
        above = self._settings.declared_above
        if any(canonicalize_name(root) in above for root in roots):
            return True
        if self.targets is not None and self.targets.declares_any(roots):
            return True
        return bool(self.files_with([root.encode() for root in sorted(roots)]))

    def files_calling(self, names: Iterable[str]) -> frozenset[str]:
        """Return the Python files that may call what has one of these names, or rename it."""
        return self._texts.words.calling(names)

    def index_words(self) -> None:
        """Take the words of all files now, for many searches: processes then share them."""
        self._texts.search.index.make()

    def files_renaming(self, name: str) -> list[str]:
        """Return the Python files that may give what has this name another one."""
        return self._texts.words.files_of_kind(name, "renamed")

    def called_names(self, path: str) -> frozenset[str]:
        """Return the last names of what a file calls; none if it does not parse."""
        return self._facts.called_names(path)

    def function_names(self, path: str) -> frozenset[str]:
        """Return the ``__qualname__`` of each function of a file; none if it does not parse."""
        return frozenset(self._facts.functions(path))

    def other_names(self, path: str) -> Mapping[str, Sequence[str]]:
        """Return the other names that a file gives to something, in any scope, by its name."""
        return self._facts.aliases_in(path)

    def names_in(self, path: str, words: Iterable[str]) -> frozenset[str]:
        """Return ``words``, and the names that a file gives, in any scope, to what they name."""
        return self._names_in(path, frozenset(words))

    @cached_method
    def _names_in(self, path: str, words: frozenset[str]) -> frozenset[str]:
        others = self.other_names(path)
        return frozenset(reachable(words, lambda word: others.get(word, ())))

    def qualified_name(self, module: Module, node: ast.expr) -> str | None:
        """Return the dotted name of ``node`` after imports, aliases and re-exports.

        ``sqlalchemy.orm.Session`` for a name of a library, ``app.models.User`` where the project
        defines it, ``builtins.len``. None where it is not a static name or not certain.
        """
        name = self._names.qualified_name(module, node)
        located = None if name is None else self._names.locate(name)
        if name is None or located is None or not isinstance(node, ast.Attribute):
            return name
        if len(located.rest) < len(("db", "func")):  # not an attribute of something defined
            return name
        return (
            None if self._is_no_library(name) else self._delegated_library(module, node)
        ) or name

    @cached_method
    def _is_no_library(self, attribute: str) -> bool:
        """Whether a class has no such attribute, only objects of it, or calls SQLAlchemy for it."""
        owner, _, name = attribute.rpartition(".")
        line = self._classes.line(owner)
        if not any(name in facts.members for facts in line):
            return any(name in facts.assigned for facts in line)
        for _, module, body in self._classes.bodies(owner):
            for bound, value in values_given(body.body):
                if bound == name and isinstance(value, ast.Call):
                    return (self.qualified_name(module, value.func) or "").startswith("sqlalchemy.")
        return False

    def _delegated_library(self, module: Module, node: ast.Attribute) -> str | None:
        """Return the library name of ``db.func`` of a Flask-SQLAlchemy ``db``."""
        values = self._evaluator.values(module, node)
        names = {value.qualified for value in values if isinstance(value, External | ClassOf)}
        return names.pop() if len(names) == len(values) == 1 else None

    def defined_name(self, qualified: str) -> str:
        """Return the name of the definition that a variable names, as in ``get_db = make_db``."""
        return self._names.defined_name(qualified)

    def definition(self, qualified: str) -> Definition | None:
        """Return what the project defines under this qualified name, if exactly one thing."""
        # Classes first: they may be inside others, which is not searched below.
        facts = self._classes.facts(qualified)
        if facts is not None:
            return Definition(facts.path, "class", facts.span, facts.qualified)
        module, bindings = self._names.bindings_at(qualified) or (None, [])
        if module is None or len(bindings) != 1:
            return None
        binding = bindings[0]
        return Definition(module.path, binding.kind, module.span(binding.node), qualified)

    def failing_import(self, module: Module) -> str:
        """Return which name an import at the top of a file lacks, as a clause; empty if none."""
        return failing_import(self, self._names, module)

    def is_after_failing_import(self, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` never runs: its function has an import before it that always fails."""
        return is_after_failing_import(self, self._names, module, node)

    def value_at(self, qualified: str | None) -> tuple[Module, ast.expr] | None:
        """Return the only value of a name at the top of a file, with that file; None for others."""
        return self._names.value_at(qualified)

    def class_facts(self, qualified: str) -> ClassFacts | None:
        """Return the class with this qualified name, if the project defines it."""
        return self._classes.facts(qualified)

    def class_definition(self, qualified: str) -> tuple[Module, ast.ClassDef] | None:
        """Return the file and the tree of a class; None if the project does not define it."""
        facts = self._classes.facts(qualified)
        module = None if facts is None else self.module(facts.path)
        node = None if module is None or facts is None else module.class_at(facts.span)
        return None if module is None or node is None else (module, node)

    def function_definition(self, qualified: str | None) -> tuple[Module, Function] | None:
        """Return the only function that the project defines under a name at the top of a file."""
        return self._evaluator.forwarding.definition(qualified or "")

    def classes_of(self, module: Module, node: ast.expr) -> tuple[str, ...]:
        """Return the classes that ``node`` may be, by their names; empty if it may be more."""
        return self.values.of(module, node).classes

    def instance_of(self, module: Module, node: ast.expr) -> tuple[str, ...]:
        """Return the classes of which ``node`` is an instance if it is not None.

        Empty if it may be more.
        """
        return self.values.of(module, node).instance_of

    def spellings(self, name: str) -> tuple[str, ...]:
        """Return the last parts of the names that files give to what is called ``name``."""
        return self._classes.spellings(name)

    def spellings_of(self, names: Iterable[str]) -> list[str]:
        """Return the last parts of the names that files give to any of ``names``, sorted."""
        return self._classes.spellings_of(names)

    def library_ancestors(self, qualified: str) -> tuple[str, ...]:
        """Return what a class of the project inherits from outside, directly or not."""
        return self._classes.library_ancestors(qualified)

    def class_line(self, qualified: str) -> tuple[ClassFacts, ...]:
        """Return a class of the project and those that it inherits, the nearest first."""
        return self._classes.line(qualified)

    def class_fields(self, qualified: str) -> dict[str, tuple[Module, ast.AnnAssign]]:
        """Return the fields that making an instance of a class takes, as they are declared."""
        return self._classes.fields(qualified)

    def all_subclasses(self, qualified: str) -> tuple[str, ...]:
        """Return all classes of the project that inherit from a class, directly or not."""
        return self._classes.all_subclasses(qualified)

    def name_in_scope(
        self, module: Module, site: ast.expr, owner: str, model: ast.expr
    ) -> InScope | str:
        """Return how to write the variable ``owner`` of another file at ``site``.

        ``model`` is an expression of a class at the same place, from whose file the variable may
        be imported. A clause says why it cannot be written.
        """
        importers = self._evaluator.callers.importers.direct
        reach = Reach(self._names, self.module, self._module_named, importers)
        return reach.spelling_of(module, site, owner, model)

    def _module_named(self, module: Module, node: ast.expr) -> str | None:
        """Return the name of the only module of the program that ``node`` may be."""
        match self.values.without_callers(module, node).alternatives:
            case [ModuleOf(path=path)]:
                return self.layout.name_of(path)
        return None


def _names(paths: Iterable[str], patterns: Sequence[str]) -> frozenset[str]:
    """Return those paths of other files than Python that the patterns of ``reads`` name."""
    named = Patterns("/", patterns)
    others = (path for path in paths if not is_python(path))
    return frozenset(path for path in others if named.decision(f"/{path}", path.rpartition("/")[2]))
