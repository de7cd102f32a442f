"""The one object that rules ask: everything about a program, found on demand."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from copy import copy
from typing import Any

from awaken.contract import Place
from awaken.knowledge import knowledge
from awaken.project.effects import (
    BlockingCalls,
    Blocks,
    Guard,
    Raises,
    Raising,
    guards_around,
    guards_in_callers,
)
from awaken.project.frameworks.sqlalchemy.class_queries import ClassQueries, ClassQuery
from awaken.project.frameworks.sqlalchemy.eager import EagerLoading
from awaken.project.frameworks.sqlalchemy.hooks import query_hooks
from awaken.project.frameworks.sqlalchemy.models import MappedClass, Models, Status
from awaken.project.frameworks.sqlalchemy.query_classes import QueryClass, QueryClasses
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof, Sessions
from awaken.project.frameworks.testing import Doubles
from awaken.project.frameworks.web.wiring import Web
from awaken.project.graph.callers import Callers
from awaken.project.graph.dispatch import Called, function_called, functions_called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.names.classes import Classes, ClassFacts, Definition
from awaken.project.names.in_scope import InScope, Reach
from awaken.project.names.layout import Layout
from awaken.project.names.resolution import Names
from awaken.project.source.bindings import Binding
from awaken.project.source.module_store import ModuleStore
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.source.words import Words
from awaken.project.values.domain import ClassOf, External, InstanceOf, NoneValue, Unknown
from awaken.project.values.questions import Passed
from awaken.workspace.parsing import Unparsable, parse
from awaken.workspace.sources import Snapshot

_PYTHON = (".py", ".pyi")


class Project:
    """One snapshot of a program and what is known about it; reads no file and runs no code.

    ``targets`` holds the versions that the program declares. Rules look for sites in the files of
    ``site_scope`` only, in all of them if it is None; facts always come from the whole program.
    Trees are parsed when asked for and only the last few are kept. What an ``earlier`` project
    read of files that are still the same is not read again.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        targets: Any,
        site_scope: frozenset[str] | None = None,
        earlier: Project | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.targets = targets
        self._site_scope = site_scope
        self._python = sorted(path for path in snapshot if path.endswith(_PYTHON))
        self._texts = {path: snapshot[path].text for path in self._python}
        self._modules = ModuleStore()
        self.parse_failures: dict[str, Unparsable] = {}
        self._hits: dict[bytes, frozenset[str]] = {}
        same_files = earlier is not None and set(earlier.snapshot) == set(snapshot)
        self.layout: Layout = earlier.layout if earlier and same_files else Layout(self._python)
        self._names = Names(self.layout, self.module, knowledge())
        self._words = Words(snapshot, self.files_with)
        self._classes = Classes(self._names, self.module, self._words)
        self._evaluator = ProgramEvaluator(
            self._names, self._classes, self.module, knowledge(), self._words
        )
        self._models = Models(self._evaluator, self._classes, self.files_with)
        self._eager = EagerLoading(self._models)
        self._hooks: list[Place] | None = None
        self._sessions = Sessions(self._evaluator, self._models, self.files_with)
        self._query_classes = QueryClasses(self._evaluator, self.files_with)
        self._class_queries = ClassQueries(
            self._evaluator, self._classes, self._models, self._query_classes, self.files_with
        )
        self.doubles = Doubles(self._evaluator, snapshot, self.files_with)
        self._raising = Raising(self._evaluator)
        self._blocks = Blocks(self._evaluator)
        self.web = Web(self._evaluator, self.files_with, targets)

        if earlier is not None:
            self._share(earlier)
            if same_files:
                changed = [p for p in snapshot if snapshot[p] is not earlier.snapshot[p]]
                self.doubles.share(earlier.doubles, changed)

    def _share(self, earlier: Project) -> None:
        changed = {p for p in self._python if self.snapshot[p] is not earlier.snapshot.get(p)}
        for module in earlier._modules:
            if module.path in self.snapshot and module.path not in changed:
                self._modules.add(module.anew())
        for trigger, paths in earlier._hits.items():
            hits = {path for path in changed if trigger in self.snapshot[path].text}
            same = (path for path in paths if path in self.snapshot and path not in changed)
            self._hits[trigger] = frozenset(hits.union(same))

    def files_with(self, triggers: Sequence[bytes]) -> list[str]:
        """Return the Python files whose text holds any of ``triggers``, sorted by path."""
        found: set[str] = set()
        for trigger in triggers:
            if trigger not in self._hits:
                self._hits[trigger] = self._search(trigger)
            found |= self._hits[trigger]
        return sorted(found)

    def _search(self, trigger: bytes) -> frozenset[str]:
        """Search where a part of ``trigger`` was found before, else everywhere."""
        known = [paths for part, paths in self._hits.items() if part in trigger]
        paths = min(known, key=len, default=self._texts.keys())
        return frozenset(path for path in paths if trigger in self._texts[path])

    def site_files(self, triggers: Sequence[bytes]) -> list[str]:
        """Return the files in which a rule with these triggers looks for its sites, sorted."""
        files = self.files_with(triggers)
        scope = self._site_scope
        return files if scope is None else [path for path in files if path in scope]

    def narrowed(self, site_scope: frozenset[str]) -> Project:
        """Return the same project, in which rules look for sites in ``site_scope`` only."""
        other = copy(self)
        other._site_scope = site_scope  # noqa: SLF001  of the same class
        return other

    def module(self, path: str) -> Module | None:
        """Return the parsed file; None where there is none or this Python cannot parse it."""
        kept = self._modules.get(path)
        if kept is not None:
            return kept
        source = self.snapshot.get(path)
        if source is None or path in self.parse_failures or not path.endswith(_PYTHON):
            return None
        try:
            tree = parse(source)
        except Unparsable as failure:
            self.parse_failures[path] = failure
            return None
        module = Module(source, tree, self._names.layout.name_of(path))
        self._modules.add(module)
        return module

    def qualified_name(self, module: Module, node: ast.expr) -> str | None:
        """Return the dotted name of ``node`` after imports, aliases and re-exports.

        ``sqlalchemy.orm.Session`` for whatever a library calls it, ``app.models.User`` where the
        project defines it, ``builtins.len``; None where it is not a static name or not certain.
        """
        name = self._names.qualified(module, node)
        located = None if name is None else self._names.locate(name)
        if located is None or not isinstance(node, ast.Attribute):
            return name
        if len(located.rest) < len(("db", "func")):  # not an attribute of something defined
            return name
        return self._delegated(module, node) or name

    def _delegated(self, module: Module, node: ast.Attribute) -> str | None:
        """Return the library name behind ``db.func`` of a Flask-SQLAlchemy ``db``."""
        values = self._evaluator.values(module, node)
        names = {one.qualified for one in values if isinstance(one, External | ClassOf)}
        return names.pop() if len(names) == len(values) == 1 else None

    def definition(self, qualified: str) -> Definition | None:
        """Return what the project defines under this qualified name, if exactly one thing."""
        facts = self._classes.facts(qualified)
        if facts is not None:
            return Definition(facts.path, "class", facts.span, facts.qualified)
        located = self._names.locate(qualified)
        if located is None or len(located.rest) != 1:
            return None
        module = self.module(located.path)
        bindings = module.scopes.module.bindings.get(located.rest[0], []) if module else []
        if module is None or len(bindings) != 1:
            return None
        binding = bindings[0]
        return Definition(located.path, binding.kind, module.span(binding.node), qualified)

    def class_facts(self, qualified: str) -> ClassFacts | None:
        """Return the class with this qualified name, if the project defines it."""
        return self._classes.facts(qualified)

    def callers_of(self, module: Module, function: Function) -> Callers:
        """Return who calls a function or method of ``module``, over all files.

        Of ``__init__`` these are the calls of its class. Nothing is searched before it is asked.
        """
        return self._evaluator.callers.of(module, function)

    def function_called(self, module: Module, call: ast.Call) -> Called | Unknown:
        """Return the only function of the project that ``call`` can reach; Unknown says why not.

        Overrides count, and what stands in for a method in another class of the same hierarchy.
        """
        return function_called(self._evaluator, module, call)

    def functions_called(self, module: Module, call: ast.Call) -> tuple[Called, ...] | Unknown:
        """Return the functions of the project that ``call`` can reach: a method, its overrides.

        The first is the one it seems to reach. Unknown says why they are not all in sight.
        """
        return functions_called(self._evaluator, module, call)

    def may_raise(self, module: Module, node: ast.AST, *, awaited: bool = False) -> Raises:
        """Return which exceptions may leave ``node`` when it runs; of a function, its body.

        With ``awaited`` the coroutine that the expression ``node`` gives is awaited at once.
        """
        return self._raising.of(module, node, awaited=awaited)

    def blocking_calls(self, module: Module, node: ast.AST) -> BlockingCalls:
        """Return the calls by which ``node`` holds up its thread; of a function, its body.

        Functions that it calls are followed, coroutines and what runs elsewhere are not.
        """
        return self._blocks.of(module, node)

    def guards(self, module: Module, node: ast.AST) -> tuple[Guard, ...]:
        """Return the handlers, ``finally`` and ``with`` blocks around ``node`` in its function."""
        return guards_around(self._evaluator, module, node)

    def handlers_in_callers(
        self, module: Module, function: Function
    ) -> tuple[tuple[Guard, ...], tuple[Unknown, ...]]:
        """Return the handlers that may catch what leaves ``function``, over all its callers.

        Second comes why there may be others.
        """
        return guards_in_callers(self._evaluator, module, function)

    def passed_to(self, module: Module, binding: Binding) -> Passed | None:
        """Return what callers pass to a parameter that neither annotation nor default explains.

        None for every other binding.
        """
        return self._evaluator.passed(module, binding)

    def session_of(self, module: Module, node: ast.expr) -> SessionProof | Unknown | None:
        """Return the proof that ``node`` is a session, from where its value comes from.

        Unknown says in one sentence why it cannot be told, and where; None means that ``node`` is
        proven to be something else.
        """
        return self._sessions.of(module, node)

    def others_than_session(self, module: Module, node: ast.expr) -> tuple[str, ...]:
        """Return what ``node`` is proven to be instead of a session, one noun phrase for each.

        As in "an instance of app.Client"; empty where nothing is proven.
        """
        return self._sessions.others(module, node)

    def proved_by_use(
        self, module: Module, call: ast.Call, evidence: ast.expr | None = None
    ) -> SessionProof | None:
        """Return the proof that ``call`` gives by itself: ``x.query(MappedClass)``.

        ``evidence`` is an argument of which the caller knows that it is mapped. None where no
        argument is proven to be mapped, where the receiver is known to be something
        else or asynchronous, and where a class of the project may be meant that has a ``query``
        of its own.
        """
        return self._sessions.by_use(module, call, evidence)

    def classes_of(self, module: Module, node: ast.expr) -> tuple[str, ...]:
        """Return the classes that ``node`` may be, by their names; empty if it may be more."""
        values = self._evaluator.values(module, node)
        found = [one.qualified for one in values if isinstance(one, ClassOf)]
        return tuple(found) if len(found) == len(values) else ()

    def instance_of(self, module: Module, node: ast.expr) -> tuple[str, ...]:
        """Return the classes of which ``node`` is an instance if it is not None.

        Empty if it may be more.
        """
        values = [one for one in self._evaluator.values(module, node) if one != NoneValue()]
        found = [one.qualified for one in values if isinstance(one, InstanceOf)]
        return tuple(found) if len(found) == len(values) else ()

    def spellings(self, name: str) -> list[str]:
        """Return the last parts of the names that files give to what is called ``name``."""
        return self._classes.spellings(name)

    def all_subclasses(self, qualified: str) -> tuple[str, ...]:
        """Return all classes of the project that inherit from a class, directly or not."""
        return self._classes.all_subclasses(qualified)

    def class_query(self, qualified: str) -> ClassQuery | Unknown | None:
        """Return which session ``query`` of a class asks, as in ``Model.query.all()``.

        Unknown says why it cannot be told; None means that the class has no such attribute.
        """
        return self._class_queries.of(qualified)

    def subclass_query(self, qualified: str) -> ClassQuery | Unknown | None:
        """Return which session ``cls.query`` asks, where any subclass may be meant."""
        return self._class_queries.of_subclasses(qualified)

    def query_class(self, qualified: str) -> QueryClass | None:
        """Return what a Query class of the project changes; None where it may be anything."""
        return self._query_classes.named(qualified)

    def query_classes_given(self) -> tuple[str, ...]:
        """Return the Query classes that sessions of the project are given; ``?`` for unknown ones.

        Which sessions these are is not said: ``session_of`` says so of those that it follows to
        where they are made.
        """
        return self._query_classes.given()

    def is_extension(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node`` is a Flask-SQLAlchemy object that gives classes their ``query``."""
        return self._class_queries.is_extension(module, node)

    def name_in_scope(
        self, module: Module, site: ast.expr, owner: str, model: ast.expr
    ) -> InScope | str:
        """Return how to write the variable ``owner`` of another file at ``site``.

        ``model`` is an expression of a class at the same place, from whose file the variable may
        be imported. A clause says why it cannot be written.
        """
        return Reach(self._names, self.module).of(module, site, owner, model)

    def mapped_class(self, qualified: str) -> MappedClass | None:
        """Return the mapping of a class that the project defines.

        None if it is not proven to be mapped, which is unknown for classes of libraries.
        """
        return self._models.mapped_class(qualified)

    def mapping_status(self, qualified: str) -> Status:
        """Return whether a class is mapped, a base of mapped classes, neither, or unknown."""
        return self._models.status(qualified)

    def needs_unique(self, qualified: str) -> bool | None:
        """Return whether loading the class loads a collection by a join (``.unique()`` needed).

        Only the mapping is looked at: joins and options of the statement are the caller's.
        None if it cannot be told.
        """
        return self._eager.needs_unique(qualified)

    def query_hooks(self) -> list[Place]:
        """Return every place that gives queries a behaviour that ``select()`` does not have.

        ``before_compile`` listeners, subclasses of Query, ``query_cls``, baked, cached and sharded
        queries; the note of each place says which.
        """
        if self._hooks is None:
            self._hooks = query_hooks(self._classes, self.module, self.files_with)
        return self._hooks

    def is_aliased_call(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node`` calls SQLAlchemy's ``aliased``."""
        if not isinstance(node, ast.Call):
            return False
        return self.qualified_name(module, node.func) == "sqlalchemy.orm.aliased"
