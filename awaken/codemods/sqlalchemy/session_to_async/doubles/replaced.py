"""What stands in the place of functions that become coroutine functions, written anew.

``patch`` makes an ``AsyncMock`` by itself where it finds a coroutine function, and takes
``return_value`` and ``side_effect`` as before. Whatever else is put there, and is no coroutine
function, is called by an ``AsyncMock``: awaiting that gives what the call gives.
"""

from __future__ import annotations

import ast
import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.doubles.awaitable import (
    accepting,
    not_understood,
)
from awaken.codemods.sqlalchemy.session_to_async.doubles.fake_sessions import FakeSessions
from awaken.codemods.sqlalchemy.session_to_async.doubles.managers import (
    entered_asynchronously,
    kind_of,
)
from awaken.codemods.sqlalchemy.session_to_async.doubles.objects import inserted_arguments
from awaken.codemods.sqlalchemy.session_to_async.doubles.patched_factories import (
    PatchedFactories,
)
from awaken.codemods.sqlalchemy.session_to_async.doubles.patched_objects import (
    PatchedObjects,
)
from awaken.codemods.sqlalchemy.session_to_async.doubles.results import needs_synchronous_result
from awaken.codemods.sqlalchemy.session_to_async.doubles.session_classes import (
    PatchedSessions,
)
from awaken.codemods.sqlalchemy.session_to_async.functions.functions_of_lambdas import (
    function_of_lambda,
    is_laid_out,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import TEST_DOUBLE
from awaken.contract import Edit, Place
from awaken.kit.changes import Member, member
from awaken.kit.imports import name_beside
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import session_classes, twins
from awaken.project.frameworks.testing import Replacement
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.values.domain import FunctionOf, InstanceOf

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.program import SynchronousPart

_ASYNC_MOCK = "unittest.mock.AsyncMock"
_MAGIC_MOCK = "unittest.mock.MagicMock"
_MOCKS = {_MAGIC_MOCK, "unittest.mock.Mock"}


class Doubles:
    """Yields what becomes of the doubles of one program.

    ``extended`` are methods of sessions that some calls pass more than before, and attributes that
    are asked more than before.
    """

    def __init__(self, part: SynchronousPart, rule: str, extended: Collection[str] = ()) -> None:
        self._part = part
        self._extended = extended
        self._project = part.project
        self._rule = rule
        self._objects = PatchedObjects(part)
        self._sessions = PatchedSessions(part)
        self._factories = PatchedFactories(part)
        self._fakes = FakeSessions(part, rule, extended)
        self._taken: dict[ast.AST | None, set[str]] = {}

    def __iter__(self) -> Iterator[Member]:
        for path in self._part.stand_ins.paths:
            module = self._project.module(path)
            for one in () if module is None else self._project.replacements.in_module(module):
                if module is not None:
                    along = tuple(self._waiting(one))
                    for found in self._of(module, one):
                        yield dataclasses.replace(found, along=along)
            self._taken.clear()
        yield from self._fakes

    def _of(self, module: Module, replacement: Replacement) -> Iterator[Member]:
        functions, given = replacement.functions, replacement.given
        waits = {one in self._part.steps for one in functions}
        site: Site[ast.AST] = Site(self._rule, module, replacement.node)
        shown = f"the double of `{replacement.shown}`"
        if len(waits) > 1:
            why = f"`{replacement.shown}` may be several functions, of which only some wait"
            yield Member(site, Refused(TEST_DOUBLE, why), shown)
        elif waits == {True}:
            kinds = {kind_of(self._part, one) for one in functions}
            if kinds == {"coroutine"}:
                yield member(site, shown, self._of_coroutine_function, replacement)
            else:
                yield member(site, shown, self._of_manager, replacement, kinds)
        elif replacement.library in session_classes() or replacement.factory:
            yield from self._of_factory(site, replacement, shown)
        elif methods := self._objects.waiting_methods(replacement):
            yield from self._objects.members(site, replacement, shown, methods)
        elif replacement.session and replacement.name in twins().awaited["session"]:
            yield member(site, shown, self._of_session, replacement)
        elif given is not None and not any(map(self._part.is_asynchronous, functions)):
            coloured = [one for one in self._called(module, given) if one in self._part.steps]
            if coloured:
                why = (
                    f"`{coloured[0].qualname}`, which becomes a coroutine function, stands in for "
                    f"`{replacement.shown}`, which does not"
                )
                yield Member(site, Refused(TEST_DOUBLE, why), shown)

    def _of_manager(
        self, site: Site[ast.AST], replacement: Replacement, kinds: set[str]
    ) -> Rewrite:
        """Return what stands in for a manager or a generator. Raises Refused."""
        module, given = site.module, replacement.given
        message = f"what stands in for `{replacement.shown}` is entered asynchronously"
        if given is not None:
            if not self._is_awaitable(module, given):
                raise not_understood(replacement, module.excerpt(given))
            return Rewrite(message, [])
        if kinds != {"manager"} or not isinstance(replacement.node, ast.Call):
            raise not_understood(replacement, module.excerpt(replacement.node))
        if {one.arg for one in replacement.node.keywords}:
            raise not_understood(replacement, module.excerpt(replacement.node))
        return Rewrite(message, list(entered_asynchronously(self._project, site, replacement)))

    def _of_factory(
        self, site: Site[ast.AST], replacement: Replacement, shown: str
    ) -> Iterator[Member]:
        """Yield the patch of a class, and the refusal of what makes no sessions."""
        module, given = site.module, replacement.given
        if replacement.library:
            if any(self._waiting(replacement)):
                yield member(site, shown, self._sessions.written, replacement)
            return
        if given is not None and self._project.replacements.make_sessions(module, given):
            return
        waiting = tuple(self._waiting(replacement))
        if given is not None and waiting and self._fakes.add(module, given, waiting):
            return
        if waiting and given is None:
            yield member(site, shown, self._factories.written, replacement)
        elif waiting and given is not None:
            yield Member(site, not_understood(replacement, module.excerpt(given)), shown)

    def _waiting(self, replacement: Replacement) -> Iterator[Place]:
        """Yield where the functions begin that wait, and that a double may stand for."""
        steps = self._part.steps
        found = {one for one in replacement.functions if one in steps}
        for home in (replacement.cls, replacement.module):
            found.update(self._waiting_in.get(home, ()))
        # What makes sessions may be imported where it is called.
        if replacement.factory or replacement.library:
            for path in self._project.files_with([replacement.name.encode()]):
                found.update(self._waiting_in_file.get(path, ()))
        for function in sorted(found):
            yield function.place

    @cached_property
    def _waiting_in(self) -> dict[str, list[FunctionPlace]]:
        """The functions that wait, by the class or the module around them."""
        found: defaultdict[str, list[FunctionPlace]] = defaultdict(list)
        for function in self._part.steps:
            name = f"{self._project.layout.name_of(function.path)}.{function.qualname}"
            found[name.rpartition(".")[0]].append(function)
        return found

    @cached_property
    def _waiting_in_file(self) -> dict[str, list[FunctionPlace]]:
        """The functions that wait, by their files."""
        found: defaultdict[str, list[FunctionPlace]] = defaultdict(list)
        for function in self._part.steps:
            found[function.path].append(function)
        return found

    def _of_session(self, site: Site[ast.AST], replacement: Replacement) -> Rewrite:
        """Return what stands in for a method of a session. Raises Refused."""
        module, given = site.module, replacement.given
        edits: list[Edit] = []
        if given is not None and replacement.name in self._extended:
            edits += accepting(self._project, site, given)
        if given is not None and self._is_awaitable(module, given):
            return Rewrite(f"what stands in for `{replacement.shown}` can be awaited", edits)
        is_known = isinstance(given, ast.Name) and bool(self._called(module, given))
        if given is not None and not isinstance(given, ast.Call | ast.Lambda) and not is_known:
            # It may call the method that it replaces, which gives a coroutine then.
            raise not_understood(replacement, module.excerpt(given))
        rewrite = self._of_coroutine_function(site, replacement)
        return dataclasses.replace(rewrite, edits=[*edits, *rewrite.edits])

    def _called(self, module: Module, given: ast.expr) -> tuple[FunctionPlace, ...]:
        return self._project.replacements.functions_of(module, given)

    def _of_coroutine_function(self, site: Site[ast.AST], replacement: Replacement) -> Rewrite:
        """Return what is put in the place of a function that waits. Raises Refused."""
        message = f"what stands in for `{replacement.shown}` can be awaited"
        made, given = replacement.new_callable, replacement.given
        if given is not None:
            return Rewrite(message, self._given(site, replacement, given))
        added, edits = self._result(site, replacement)
        if made is None and self._may_be_mocked(site.module, replacement):
            written, imports = name_beside(self._project, site, None, _ASYNC_MOCK)
            added.append(f"new_callable={written}")
            edits += imports
        if added and isinstance(replacement.node, ast.Call):
            edits.append(inserted_arguments(site, replacement.node, ", ".join(added)))
        if made is None or self._qualified(site.module, made) == _ASYNC_MOCK:
            return Rewrite(message, edits)
        if self._qualified(site.module, made) not in _MOCKS:
            raise not_understood(replacement, site.module.excerpt(made))
        return Rewrite(message, [*self._asynchronous(site, made), *edits])

    def _may_be_mocked(self, module: Module, replacement: Replacement) -> bool:
        """Whether the object whose method is replaced may be a mock, which is no coroutine's.

        An attribute that a test sets is what the test put there, whatever its annotation says.
        """
        call = replacement.node
        if not isinstance(call, ast.Call) or not call.args:
            return False
        told = {one.arg for one in call.keywords}
        owner = call.args[0]
        if not isinstance(owner, ast.Attribute) or told & {"autospec", "spec", "spec_set"}:
            return False
        return self._qualified(module, owner) is None

    def _result(
        self, site: Site[ast.AST], replacement: Replacement
    ) -> tuple[list[str], list[Edit]]:
        """Return the argument that says what the mock of a patch gives. Raises Refused."""
        module, call = site.module, replacement.node
        if not isinstance(call, ast.Call):
            return [], []
        if not needs_synchronous_result(self._part, module, replacement):
            return [], []
        known = call.func
        if isinstance(known, ast.Attribute) and known.attr == "object":
            known = known.value
        written, imports = name_beside(self._project, site, known, _MAGIC_MOCK)
        return [f"return_value={written}()"], imports

    def _given(self, site: Site[ast.AST], replacement: Replacement, given: ast.expr) -> list[Edit]:
        module = site.module
        if self._is_awaitable(module, given) or isinstance(given, ast.Constant):
            return []
        match given:
            case ast.Lambda() if self._is_method(replacement) or is_laid_out(given):
                around = module.enclosing_function(given)
                taken = self._taken.setdefault(around, set())
                wanted = f"fake_{replacement.name.strip('_')}"
                return function_of_lambda(site, given, [wanted], taken)
            case ast.Call(func=function) if self._qualified(module, function) in _MOCKS:
                return self._mock(site, given)
            case ast.Call(func=function) if self._qualified(module, function) == _ASYNC_MOCK:
                return []
            case _:
                pass
        # A function would be given the object as its first argument, a mock is not.
        values = self._project.values.of(module, given).alternatives
        is_bound = any(isinstance(one, FunctionOf) for one in values)
        if replacement.bound or (is_bound and self._is_method(replacement)):
            raise not_understood(replacement, module.excerpt(given))
        written, imports = name_beside(self._project, site, None, _ASYNC_MOCK)
        return [
            site.insert_before(given, f"{written}(side_effect="),
            site.insert_behind(given, ")"),
            *imports,
        ]

    def _is_awaitable(self, module: Module, given: ast.expr) -> bool:
        """Whether calling what is put there gives what can be awaited, after the change."""
        values = self._project.values.of(module, given).alternatives
        if not values:
            return False
        for value in values:
            match value:
                case FunctionOf(module=home, node=node):
                    start = home.span(node).start
                    functions: tuple[FunctionPlace, ...] = (FunctionPlace(home.path, start, ""),)
                case InstanceOf(qualified=qualified) if qualified == _ASYNC_MOCK:
                    continue
                case InstanceOf(qualified=qualified):
                    functions = self._project.replacements.methods(qualified, "__call__")
                case _:
                    return False
            if not functions or not all(map(self._waits, functions)):
                return False
        return True

    def _waits(self, function: FunctionPlace) -> bool:
        known = self._part.function_at(function.path, function.start)
        return known is not None and (
            known in self._part.steps or self._part.is_asynchronous(known)
        )

    def _is_method(self, replacement: Replacement) -> bool:
        """Whether what is put there would be given the object that it is a method of."""
        found = (self._part.node_of(one) for one in replacement.functions)
        return any(
            each is not None and each[0].enclosing_class(each[1]) is not None for each in found
        )

    # ------------------------------------------------------------------------------------ writing
    def _qualified(self, module: Module, node: ast.expr) -> str | None:
        return self._project.qualified_name(module, node)

    def _mock(self, site: Site[ast.AST], call: ast.Call) -> list[Edit]:
        """Return the edits that make an ``AsyncMock`` of a mock."""
        edits = self._asynchronous(site, call.func)
        told = {one.arg for one in call.keywords}
        if not call.args and not told & {"return_value", "side_effect", "spec", "wraps", None}:
            # What an AsyncMock gives by itself is asynchronous as well.
            written = site.module.text_of(call.func)
            edits.append(site.add_keyword(call, "return_value", f"{written}()"))
        return edits

    def _asynchronous(self, site: Site[ast.AST], known: ast.expr) -> list[Edit]:
        written, imports = name_beside(self._project, site, known, _ASYNC_MOCK)
        edits: list[Edit] = [site.replace(known, written), *imports]
        if isinstance(known, ast.Name):
            edits.append(site.release_import("unittest.mock", known.id))
        return edits
