"""Patches of objects, classes and modules that have functions which wait."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.doubles.awaitable import ASYNC_MOCK, not_understood
from awaken.codemods.sqlalchemy.session_to_async.doubles.given.called_methods import RESULT
from awaken.codemods.sqlalchemy.session_to_async.doubles.given.told import results_given
from awaken.codemods.sqlalchemy.session_to_async.doubles.methods import WaitingMethods
from awaken.codemods.sqlalchemy.session_to_async.doubles.mocked_managers import (
    entered_asynchronously,
)
from awaken.codemods.sqlalchemy.session_to_async.doubles.mocked_objects import (
    MAGIC_MOCK,
    OF_MOCKS,
    inserted_arguments,
    keywords,
)
from awaken.contract import Edit, Place
from awaken.kit.changes import Member, member
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.testing import Replacement
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart

_OF_PATCHES = OF_MOCKS | {"autospec", "create", "new", "new_callable", "target"}
"""What patches take by these names themselves."""


class PatchedObjects:
    """Writes them for one program."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part
        self._project = part.project
        self._methods = WaitingMethods(part)

    def waiting_methods(self, module: Module, replacement: Replacement) -> dict[str, bool]:
        """Return the functions that wait of what a patch makes a mock for, or of what that gives.

        None where something else replaces a function: its result is unknown.
        """
        is_mock = replacement.given is None and self._is_mock(module, replacement)
        if replacement.functions and not is_mock:
            return {}
        return self._methods.of_object(module, replacement)

    def waiting_for(self, replacement: Replacement) -> set[Place]:
        """Return where the functions begin that call methods of what a patched function gives."""
        return self._methods.waiting_for(replacement.functions)

    def _is_mock(self, module: Module, replacement: Replacement) -> bool:
        made = replacement.new_callable
        return made is None or self._project.qualified_name(module, made) in library_names().mocks

    def members(
        self,
        site: Site[ast.AST],
        replacement: Replacement,
        shown: str,
        methods: Mapping[str, bool],
    ) -> Iterator[Member]:
        """Yield the rewrites of objects that replace something with functions that wait."""
        if not self._are_fakes_waiting(site.module, replacement, methods):
            yield member(site, shown, self._with_methods, replacement, methods)

    def _are_fakes_waiting(
        self, module: Module, replacement: Replacement, methods: Mapping[str, bool]
    ) -> bool:
        """Whether classes of the tests replace a class, with methods that wait as well.

        Or a function that makes instances of the class itself, with other arguments.
        """
        replacements = self._project.replacements
        given, cls = replacement.given, replacement.cls
        if given is not None and replacement.is_class and replacements.makes(module, given, cls):
            return True
        fakes = () if given is None else replacements.classes_of(module, given)
        return bool(fakes) and all(
            self._waits(method)
            for fake in fakes
            for name in methods
            for method in replacements.methods(fake, name)
        )

    def _waits(self, function: FunctionPlace) -> bool:
        return function in self._part.steps or self._part.is_asynchronous(function)

    # ------------------------------------------------------------------------------------ writing
    def _with_methods(
        self, site: Site[ast.AST], replacement: Replacement, methods: Mapping[str, bool]
    ) -> Rewrite:
        """Return the mock of a patch with methods that can be awaited. Raises Refused."""
        module, call = site.module, replacement.node
        message = f"the mock of `{replacement.shown}` gets awaitable methods"
        told = {keyword.arg for keyword in call.keywords} if isinstance(call, ast.Call) else set()
        if told & {"autospec", "spec", "spec_set"} and not replacement.functions:
            return Rewrite(message, [])
        if self._is_done(module, replacement, methods):
            return Rewrite(message, [])
        made = replacement.new_callable
        is_mock = self._is_mock(module, replacement)
        if replacement.given is not None or not isinstance(call, ast.Call) or not is_mock:
            given = call if replacement.given is None else replacement.given
            raise not_understood(replacement, module.excerpt(given))
        methods = self._without_given(module, replacement, call, methods)
        methods = self._without_results(module, replacement, methods)
        entered = self._entered_edits(site, replacement)
        if not methods:
            return Rewrite(message, entered)
        known = call.func
        if isinstance(known, ast.Attribute) and known.attr == "object":
            known = known.value
        synchronous, of_result = name_from_same_module(self._project, site, known, MAGIC_MOCK)
        asynchronous, edits = name_from_same_module(self._project, site, known, ASYNC_MOCK)
        edits = [*entered, *edits]
        doubles = {
            name: f"{asynchronous}(return_value={synchronous}())"
            if is_used
            else f"{asynchronous}()"
            for name, is_used in methods.items()
        }
        named = keywords(doubles)
        taken = methods.keys() & _OF_PATCHES
        if replacement.makes_objects:
            pairs = (f'"return_value.{name}": {double}' for name, double in doubles.items())
            written = f"**{{{', '.join(pairs)}}}"
        elif not taken:
            written = named
        elif made is None and not taken & OF_MOCKS and told <= {None}:
            # A patch uses some of these names itself, the code that it calls does not.
            written = f"new_callable=lambda: {synchronous}({named})"
            edits = [*edits, *of_result]
        else:
            raise not_understood(replacement, ", ".join(sorted(taken)))
        if any(methods.values()):
            edits = [*edits, *of_result]
        return Rewrite(message, [*edits, inserted_arguments(site, call, written)])

    def _entered_edits(self, site: Site[ast.AST], replacement: Replacement) -> list[Edit]:
        """Return what has the mock of a manager's class entered by `async with`. Raises Refused."""
        if not replacement.is_class or not self._methods.methods_called(
            replacement.cls, "__enter__"
        ):
            return []
        return [*entered_asynchronously(self._project, site, replacement)]

    def _is_done(
        self, module: Module, replacement: Replacement, methods: Mapping[str, bool]
    ) -> bool:
        """Whether all ``methods`` can be awaited of what a patch makes, or of mocks it is given."""
        if replacement.given is not None and not replacement.makes_objects:
            # These get their methods where they are made.
            return bool(self._project.mocks.all_made_at(module, replacement.given))
        match replacement.new_callable:
            case ast.Lambda(body=ast.Call() as made):
                return not self._without_given(module, replacement, made, methods)
        return False

    def _without_given(
        self,
        module: Module,
        replacement: Replacement,
        call: ast.Call,
        methods: Mapping[str, bool],
    ) -> dict[str, bool]:
        """Return ``methods`` but for those that the patch says can be awaited. Raises Refused."""
        left = dict(methods)
        for name, value in _told_methods(call, replacement):
            is_done = isinstance(value, ast.Call) and (
                self._project.qualified_name(module, value.func) == ASYNC_MOCK
            )
            if name in left and not is_done:
                raise not_understood(replacement, module.excerpt(value))
            left.pop(name, None)
        return left

    def _without_results(
        self, module: Module, replacement: Replacement, methods: Mapping[str, bool]
    ) -> dict[str, bool]:
        """Return ``methods`` but for those of what the test itself has the mock give."""
        told = [name for name, _ in results_given(self._project, module, replacement)]
        whole = {
            name: f"{RESULT}.{name}" if replacement.makes_objects else name for name in methods
        }
        return {
            name: is_used
            for name, is_used in methods.items()
            if not any(whole[name].startswith(f"{word}.") for word in told)
        }


def _told_methods(call: ast.Call, replacement: Replacement) -> Iterator[tuple[str, ast.expr]]:
    """Yield the methods of which a patch says what they are."""
    for keyword in call.keywords:
        match keyword:
            case ast.keyword(arg=None, value=ast.Dict(keys=keys, values=values)):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        name = key.value
                        is_of_object = replacement.makes_objects or not replacement.functions
                        yield name.removeprefix("return_value.") if is_of_object else name, value
            case ast.keyword(arg=str() as name) if not replacement.makes_objects:
                yield name, keyword.value
