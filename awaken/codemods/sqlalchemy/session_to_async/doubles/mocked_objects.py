"""Mocks in the place of sessions and of objects with methods that wait.

Such a method of a mock is an ``AsyncMock``. Other configuration of it (``return_value``,
``side_effect``) stays as it is, and its result is a synchronous mock as before.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field, structs

from awaken.codemods.sqlalchemy.session_to_async.colour.test_stand_ins import (
    class_of_dependency,
    given_by,
    overrides_of,
)
from awaken.codemods.sqlalchemy.session_to_async.doubles.awaitable import ASYNC_MOCK, asynchronous
from awaken.codemods.sqlalchemy.session_to_async.doubles.called_methods import (
    RESULT,
    named_in,
    results_given,
    results_given_by_requests,
    results_of,
    told_of,
)
from awaken.codemods.sqlalchemy.session_to_async.doubles.factories import (
    PatchedFactories,
    callers_of_factory,
    makes_sessions,
    sessions_given,
)
from awaken.codemods.sqlalchemy.session_to_async.doubles.methods import WaitingMethods
from awaken.codemods.sqlalchemy.session_to_async.reasons import TEST_DOUBLE
from awaken.contract import Edit, Place
from awaken.kit.changes import Member, member
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.testing import Mocked, Replacement, assigned_attributes
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.names.functions.decorators import takes_receiver
from awaken.project.source.modules import Module
from awaken.project.source.trees import arguments_of, last_name, values_given

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project
from typing import TYPE_CHECKING

_ENGINES = library_names().engines
MAGIC_MOCK = "unittest.mock.MagicMock"
OF_MOCKS = {"name", "return_value", "side_effect", "spec", "spec_set", "unsafe", "wraps"}
"""Arguments of mocks: no method of theirs can be given by such a name."""


class _Found(Struct):
    """A mock, the methods that have to wait, the variables that hold it, and who is passed it."""

    module: Module
    call: ast.Call
    methods: dict[str, bool] = field(default_factory=dict)
    variables: set[tuple[str, int, str]] = field(default_factory=set)
    passed_to: set[Place] = field(default_factory=set)
    is_engine: bool = False


class _Wanted(Struct, frozen=True):
    """The methods of a mock that have to wait, and the functions that change along with it."""

    methods: Mapping[str, bool]
    along: Collection[Place]

    def methods_after(self, before: str) -> _Wanted:
        """Return the methods of what the mock has, or gives, as ``before``."""
        methods = {
            name.removeprefix(f"{before}."): is_used
            for name, is_used in self.methods.items()
            if name.startswith(f"{before}.")
        }
        return _Wanted(methods, self.along)


class MockedObjects:
    """Yields the rewrites of the mocks of one program that are passed to it."""

    def __init__(self, part: SynchronousPart, rule: str) -> None:
        self._part = part
        self._project = part.project
        self._rule = rule
        self._methods = WaitingMethods(part)
        self._factories = PatchedFactories(part)
        self._found: dict[Place, _Found] = {}
        self._attributes: list[tuple[Module, ast.expr, Replacement, _Wanted]] = []

    def __iter__(self) -> Iterator[Member]:
        self._collect()
        for result in self._found.values():
            for item in self._members(result) if result.methods or result.is_engine else ():
                yield structs.replace(item, along=tuple(sorted(result.passed_to)))
        for module, value, replacement, wanted in self._attributes:
            site: Site[ast.AST] = Site(self._rule, module, module.parent(value) or value)
            shown = f"the mock of `{replacement.shown}`"
            item = member(site, shown, self._assigned_rewrite, value)
            yield structs.replace(item, along=tuple(sorted(wanted.along)))

    # ----------------------------------------------------------------------------------- finding
    def _collect(self) -> None:
        """Note the mocks of all tests, and what of each has to wait."""
        paths = set(self._part.stand_ins.paths)
        for call in self._project.calls.graph().calls():
            if call.place.path in paths and call.functions:
                self._add_passed_mocks(call)
        for module in self._project.modules_at(self._part.stand_ins.paths):
            for replacement in self._project.replacements.in_module(module):
                if self._factories.is_only_called(module, replacement):
                    self._add_given(module, replacement)
                elif makes_sessions(self._part, replacement):
                    self._add_entered(module, replacement)
                elif replacement.cls or replacement.functions:
                    self._add_given(module, replacement)
        for overriding in overrides_of(self._project):
            self._overridden(*overriding)

    def _add_passed_mocks(self, call: Call) -> None:
        module, node = next(iter(self._project.calls_at(call.place)), (None, None))
        if module is None or node is None or not _may_pass_mock(node):
            return
        for function in call.functions:
            home = self._part.node_of(function)
            if home is None:
                continue
            bound = int(takes_receiver(*home))
            for item in self._project.mocks.passed_mocks(module, node, *home, bound):
                wanted = _Wanted(self._wanted_methods(function, item.cls), {function.place})
                mock = self._add(item.mocked, wanted)
                mock.is_engine |= item.cls in _ENGINES and function in self._part.steps

    def _add_entered(self, module: Module, replacement: Replacement) -> None:
        """Add the mocks that the program is given for the sessions of a patched factory."""
        for function, home, given in sessions_given(self._part, module, replacement):
            mocked = self._project.mocks.made_at(home, given)
            if mocked is not None:
                methods = self._methods.of_session([function])
                self._add(mocked, _Wanted(methods, {function.place}))

    def _overridden(self, module: Module, key: ast.expr, function: ast.expr) -> None:
        """Add the mocks that a test has injected for sessions, or for objects of a class."""
        part, name = self._part, last_name(key)
        given = [*given_by(self._project, module, function)]
        result = [self._project.mocks.made_at(*argument) for argument in given]
        if not any(result):
            return
        cls = class_of_dependency(self._project, module, key)
        if cls:
            methods = self._methods.of_whole_class(cls)
            along = {
                item.place for each in methods for item in self._methods.methods_called(cls, each)
            }
        else:
            paths = {*self._project.files_with((name.encode(),))}
            using = [step for step in sorted(part.steps) if step.path in paths]
            methods = self._methods.of_session(using)
            along = {item.place for item in using}
        for mocked in filter(None, result):
            self._add(mocked, _Wanted(methods, along))

    def _add_given(self, module: Module, replacement: Replacement) -> None:
        """Add the mocks that a patched object, class or function gives, or has for attributes."""
        methods = self._methods.of_object(module, replacement)
        if replacement.makes_objects:
            methods = {f"{RESULT}.{name}": is_used for name, is_used in methods.items()}
        if not methods:
            return
        wanted = _Wanted(methods, self._places_along(module, replacement))
        mock = None if replacement.makes_objects else replacement.given
        mocks = () if mock is None else self._project.mocks.all_made_at(module, mock)
        results = [(module, *pair) for pair in results_given(self._project, module, replacement)]
        for mocked in mocks:
            self._add(mocked, wanted)
        if mock is not None and not mocks and replacement.functions:
            results += [(module, RESULT, node) for node in results_of(self._project, module, mock)]
        results += results_given_by_requests(self._project, module, replacement)
        for home, before, value in results:
            self._put_there(home, before, value, wanted)
            if before in methods:
                self._attributes.append((home, value, replacement, wanted))

    def _places_along(self, module: Module, replacement: Replacement) -> set[Place]:
        """Return where the functions begin that change with what a replacement gives."""
        if replacement.factory:
            return {each.place for each in callers_of_factory(self._part, module, replacement)}
        if replacement.functions:
            return self._methods.waiting_for(replacement.functions)
        return {step.place for step in self._part.steps if step.path == replacement.home}

    def _put_there(self, module: Module, before: str, value: ast.expr, wanted: _Wanted) -> None:
        """Add a mock that a test puts where another mock has, or gives, ``before``."""
        behind = wanted.methods_after(before)
        if behind.methods:
            mocked = self._project.mocks.made_at(module, value)
            if mocked is not None:
                self._add(mocked, behind)

    def _wanted_methods(self, function: FunctionPlace, cls: str) -> dict[str, bool]:
        if cls:
            return self._methods.of_class(cls, function.path)
        return self._methods.of_session(self._methods.functions_with(function))

    def _add(self, mocked: Mocked, wanted: _Wanted) -> _Found:
        place = mocked.module.place(mocked.call)
        result = self._found.setdefault(place, _Found(mocked.module, mocked.call))
        result.passed_to.update(wanted.along)
        told = list(told_of(self._project, mocked))
        for module, before, value in told:
            self._put_there(module, before, value, wanted)
        for name, is_used in wanted.methods.items():
            is_told = any(name.startswith(f"{before}.") for _, before, _ in told)
            # A missing attribute of a mock is never awaited: reading it raises.
            if not is_told and not lacks(self._project, mocked.module, mocked.call, name):
                result.methods[name] = result.methods.get(name, False) or is_used
        for module, around, name in mocked.variables:
            start = module.span(around).start if hasattr(around, "lineno") else -1
            result.variables.add((module.path, start, name))
        return result

    # ----------------------------------------------------------------------------------- writing
    def _members(self, found: _Found) -> Iterator[Member]:
        shown = f"the mock `{found.module.excerpt(found.call)}`"
        site: Site[ast.AST] = Site(self._rule, found.module, found.call)
        yield member(site, shown, self._made_mock, found)
        for path, start, name in sorted(found.variables):
            module = self._project.module(path)
            around = None if module is None else module.function_at(start)
            if module is None or around is None:
                continue
            mocks = [
                pair[1]
                for pair in assigned_attributes(module, around, name)
                if pair[0] in found.methods
            ]
            # One statement may give a mock to several methods.
            for value in dict.fromkeys(mocks):
                at: Site[ast.AST] = Site(self._rule, module, module.parent(value) or value)
                yield member(at, shown, self._assigned_rewrite, value)

    def _made_mock(self, site: Site[ast.AST], found: _Found) -> Rewrite:
        """Return the mock with methods that can be awaited. Raises Refused."""
        call = found.call
        if found.is_engine:
            # The results of its connections tell an `AsyncSession` that they are streamed.
            why = f"a test passes the mock `{site.module.excerpt(call)}` for an engine"
            raise Refused(TEST_DOUBLE, why, "Pass an engine of SQLite, or mock the session.")
        given = dict(named_in(call))
        if call.args or None in given or given.keys() & {"spec_set", "wraps"}:
            raise _not_understood(site.module.excerpt(call))
        message = f"the mock `{site.module.excerpt(call)}` gets awaitable methods"
        if found.methods.keys() & OF_MOCKS:
            raise _not_understood(site.module.excerpt(call))
        edits: list[Edit] = []
        added: dict[str, str] = {}
        for name, is_used in found.methods.items():
            if name in given:
                edits += asynchronous(self._project, site, given[name])
                continue
            result, imports = self._result(site, call) if is_used else ("", [])
            written, more = name_from_same_module(self._project, site, call.func, ASYNC_MOCK)
            edits += [*imports, *more]
            added[name] = f"{written}({result})"
        if added:
            edits.append(inserted_arguments(site, call, keywords(added)))
        return Rewrite(message, edits)

    def _result(self, site: Site[ast.AST], call: ast.Call) -> tuple[str, list[Edit]]:
        written, imports = name_from_same_module(self._project, site, call.func, MAGIC_MOCK)
        return f"return_value={written}()", imports

    def _assigned_rewrite(self, site: Site[ast.AST], value: ast.expr) -> Rewrite:
        """Return what is assigned to a method of a mock, so that it can be awaited."""
        shown = site.module.excerpt(value)
        return Rewrite(f"`{shown}` becomes awaitable", asynchronous(self._project, site, value))


def keywords(doubles: Mapping[str, str]) -> str:
    """Return the arguments that say what each name gives; one with a dot is no keyword."""
    plain = [f"{name}={double}" for name, double in doubles.items() if "." not in name]
    behind = [f'"{name}": {double}' for name, double in doubles.items() if "." in name]
    return ", ".join([*plain, *([f"**{{{', '.join(behind)}}}"] if behind else [])])


def inserted_arguments(site: Site[ast.AST], call: ast.Call, written: str) -> Edit:
    """Return the edit that passes more arguments at the end of a call."""
    last = max(
        (*call.args, *call.keywords), key=lambda node: site.module.span(node).end, default=None
    )
    if last is not None:
        return site.insert_behind(last, f", {written}")
    text = site.module.text_of(call)
    return site.replace(call, f"{text[: text.rindex('(')]}({written})")


def _may_pass_mock(call: ast.Call) -> bool:
    values = arguments_of(call)
    return any(isinstance(node, ast.Name | ast.Call) for node in values)


def _not_understood(shown: str) -> Refused:
    why = (
        f"`{shown}` replaces an object whose methods become coroutine functions, and awaken does "
        "not know how it is made"
    )
    return Refused(TEST_DOUBLE, why)


def lacks(project: Project, module: Module, call: ast.Call, name: str) -> bool:
    """Whether a mock is made with a ``spec`` that may not have the first word of a dotted name.

    Such a mock raises at once if a test sets an attribute that it does not have.
    """
    first, _, behind = name.partition(".")
    spec = next((value for item, value in named_in(call) if item == "spec"), None)
    if spec is None or not behind:
        return False
    qualified = project.qualified_name(module, spec)
    if qualified is not None and project.replacements.methods(qualified, first):
        return False
    definition = None if qualified is None else project.class_definition(qualified)
    return definition is None or first not in dict(values_given(definition[1].body))
