"""Replacements of functions that become coroutine functions, rewritten.

``patch`` makes an ``AsyncMock`` by itself if it finds a coroutine function, and takes
``return_value`` and ``side_effect`` as before. An ``AsyncMock`` calls any other replacement that is
no coroutine function: awaiting it gives the result of that call.

Patches of session classes: ``patch("app.main.Session", return_value=mock)``.

Patches of objects, classes and modules that have functions which wait.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import structs

from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import PartFacts
from awaken.codemods.sqlalchemy.session_to_async.doubles.awaitable import (
    ASYNC_MOCK,
    entered_asynchronously,
    managers_of,
    not_understood,
)
from awaken.codemods.sqlalchemy.session_to_async.doubles.called_methods import (
    RESULT,
    named_in,
    results_given,
)
from awaken.codemods.sqlalchemy.session_to_async.doubles.double_writer import DoubleWriter
from awaken.codemods.sqlalchemy.session_to_async.doubles.factories import (
    PatchedFactories,
    sessions_entered,
)
from awaken.codemods.sqlalchemy.session_to_async.doubles.fake_sessions import FakeSessions
from awaken.codemods.sqlalchemy.session_to_async.doubles.methods import WaitingMethods
from awaken.codemods.sqlalchemy.session_to_async.doubles.mocked_objects import (
    MAGIC_MOCK,
    OF_MOCKS,
    inserted_arguments,
    keywords,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import TEST_DOUBLE
from awaken.contract import Edit, Place
from awaken.kit.changes import Member, member
from awaken.kit.imports import name_from_same_module
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import session_classes, twins
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.frameworks.testing import Replacement
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.worklist import groups_of

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
            self._part.ends_as_coroutine(method)
            for fake in fakes
            for name in methods
            for method in replacements.methods(fake, name)
        )

    # ------------------------------------------------------------------------------------ writing
    def _with_methods(
        self, site: Site[ast.AST], replacement: Replacement, methods: Mapping[str, bool]
    ) -> Rewrite:
        """Return the mock of a patch with methods that can be awaited. Raises Refused."""
        module, call = site.module, replacement.node
        message = f"the mock of `{replacement.shown}` gets awaitable methods"
        told = {keyword.arg for keyword in call.keywords} if isinstance(call, ast.Call) else set()
        if told & name_list("specs_of_mocks") and not replacement.functions:
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
    for name, value in named_in(call):
        inner = (name or "").removeprefix(f"{RESULT}.")
        if name and (inner != name or not replacement.makes_objects):
            is_of_function = replacement.functions and not replacement.makes_objects
            yield name if is_of_function else inner, value


class PatchedSessions(PartFacts):
    """Writes them for one program."""

    def patch_rewrite(self, site: Site[ast.AST], replacement: Replacement) -> Rewrite:
        """Return the patch of the asynchronous class, and its mock. Raises Refused.

        The mock is one of the function around, which is entered as itself.
        """
        module, call = site.module, replacement.node
        refused = not_understood(replacement, module.excerpt(call))
        text = call.args[0] if isinstance(call, ast.Call) and call.args else None
        former = replacement.library.rpartition(".")[2]
        is_plain = isinstance(text, ast.Constant) and replacement.name == former
        if text is None or not is_plain or replacement.given is not None:
            raise refused
        named = twins().names[replacement.library].rpartition(".")[2]
        changed = module.text_of(text).replace(f".{former}", f".{named}")
        edits: list[Edit] = [site.replace(text, changed)]
        edits += self._mock(site, replacement, refused)
        return Rewrite(f"the patch of `{replacement.shown}` becomes a patch of `{named}`", edits)

    def _mock(
        self, site: Site[ast.AST], replacement: Replacement, refused: Refused
    ) -> Iterator[Edit]:
        call, made_at = replacement.node, self._project.mocks.made_at
        match call.keywords if isinstance(call, ast.Call) else []:
            case [ast.keyword(arg="return_value", value=ast.Name(id=name) as given)]:
                mocked = made_at(site.module, given)
            case _:
                raise refused
        mock = mocked.call if mocked is not None and len(mocked.variables) == 1 else None
        if mock is None or mock.args or mock.keywords:
            raise refused
        entered = sessions_entered(managers_of(self._project, site.module, replacement))
        is_itself = any(ast.unparse(value) == name for _, value in entered)
        if not is_itself or self._project.qualified_name(site.module, mock.func) != MAGIC_MOCK:
            raise refused
        yield from entered_asynchronously(self._project, site, replacement)
        yield from self._methods(site, replacement, mock)

    def _methods(
        self, site: Site[ast.AST], replacement: Replacement, mock: ast.Call
    ) -> Iterator[Edit]:
        """Yield what gives a mock the methods that the patched file waits for."""
        functions = [step for step in self._part.steps if step.path == replacement.home]
        methods = WaitingMethods(self._part).of_session(functions)
        if not methods:
            return
        asynchronous, imports = name_from_same_module(self._project, site, mock.func, ASYNC_MOCK)
        result = site.module.text_of(mock.func)
        doubles = (
            f"{name}={asynchronous}({f'return_value={result}()' if is_used else ''})"
            for name, is_used in methods.items()
        )
        yield inserted_arguments(site, mock, ", ".join(doubles))
        yield from imports


class Doubles:
    """Yields the rewrites of the mocks and fakes of one program.

    ``extended`` are methods of sessions that some calls pass more than before, and attributes that
    are asked more than before.
    """

    def __init__(self, part: SynchronousPart, rule: str, extended: Collection[str] = ()) -> None:
        self._part = part
        self._project = part.project
        self._rule = rule
        self._objects = PatchedObjects(part)
        self._sessions = PatchedSessions(part)
        self._factories = PatchedFactories(part)
        self._fakes = FakeSessions(part, rule, extended)
        self._writer = DoubleWriter(part, extended)

    def __iter__(self) -> Iterator[Member]:
        for module in self._project.modules_at(self._part.stand_ins.paths):
            for item in self._project.replacements.in_module(module):
                along = tuple(self._waiting(item))
                for result in self._members_of(module, item):
                    yield structs.replace(result, along=along)
            self._writer.leave_file()
        yield from self._fakes

    def _members_of(self, module: Module, replacement: Replacement) -> Iterator[Member]:
        functions, given = replacement.functions, replacement.given
        waits = {function in self._part.steps for function in functions}
        site: Site[ast.AST] = Site(self._rule, module, replacement.node)
        shown = f"the mock of `{replacement.shown}`"
        if len(waits) > 1 or (replacement.is_untold and self._may_wait(replacement.name)):
            why = (
                f"`{replacement.shown}` may be one of several functions, and the new code awaits "
                "only some of them"
            )
            if replacement.is_untold:
                why = f"the module of `{replacement.shown}` is unknown"
            yield Member(site, Refused(TEST_DOUBLE, why), shown)
        elif waits == {True}:
            kinds = {self._part.results.kind_of(function) for function in functions}
            if kinds <= {"class", "coroutine"}:
                yield member(site, shown, self._writer.of_coroutine_function, replacement)
            else:
                yield member(site, shown, self._of_manager, replacement, kinds)
        elif replacement.library in session_classes() or replacement.factory:
            yield from self._of_factory(site, replacement, shown)
        elif methods := self._objects.waiting_methods(module, replacement):
            yield from self._objects.members(site, replacement, shown, methods)
        elif replacement.session and replacement.name in twins().awaited["session"]:
            yield member(site, shown, self._writer.of_session, replacement)
        elif given is not None and not any(map(self._part.is_asynchronous, functions)):
            coloured = [
                item
                for item in self._writer.functions_of(module, given)
                if item in self._part.steps
            ]
            if coloured:
                why = (
                    f"`{coloured[0].qualname}` becomes a coroutine function, but "
                    f"`{replacement.shown}`, which it replaces, stays synchronous"
                )
                yield Member(site, Refused(TEST_DOUBLE, why), shown)

    def _may_wait(self, name: str) -> bool:
        """Whether a function of that name waits, or makes sessions, anywhere in the program."""
        if any(step.name == name for step in self._part.steps):
            return True
        for module in modules_with(self._project, [name.encode()], is_around_tests):
            for node in module.mentions(name):
                if isinstance(node, ast.Name):
                    return self._project.replacements.make_sessions(module, node)
        return False

    def _of_manager(
        self, site: Site[ast.AST], replacement: Replacement, kinds: set[str]
    ) -> Rewrite:
        """Return the rewrite of a fake manager or generator. Raises Refused."""
        module, given = site.module, replacement.given
        message = f"`async with` enters the mock of `{replacement.shown}`"
        if given is not None:
            if self._writer.is_awaitable(module, given):
                return Rewrite(message, [])
            items = self._writer.items_of(module, given)
            if not items or not isinstance(given, ast.Lambda) or kinds != {"generator"}:
                raise not_understood(replacement, module.excerpt(given))
            message = f"the fake of `{replacement.shown}` becomes an asynchronous generator"
            return Rewrite(message, self._writer.generator(site, replacement, given, items))
        if kinds != {"manager"} or not isinstance(replacement.node, ast.Call):
            raise not_understood(replacement, module.excerpt(replacement.node))
        if replacement.node.keywords:
            return self._factories.patch_rewrite(site, replacement)
        return Rewrite(message, list(entered_asynchronously(self._project, site, replacement)))

    def _of_factory(
        self, site: Site[ast.AST], replacement: Replacement, shown: str
    ) -> Iterator[Member]:
        """Yield the patch of a class, and the refusal of what makes no sessions."""
        module, given = site.module, replacement.given
        if replacement.library:
            if any(self._waiting(replacement)):
                yield member(site, shown, self._sessions.patch_rewrite, replacement)
            return
        if given is not None and self._project.replacements.make_sessions(module, given):
            called = self._writer.functions_of(module, given)
            if not any(callee in self._part.steps for callee in called):
                return
        waiting = tuple(self._waiting(replacement))
        if given is not None and waiting and self._fakes.add(module, given, waiting):
            return
        if waiting and self._factories.is_only_called(module, replacement):
            methods = self._objects.waiting_methods(module, replacement)
            yield from self._objects.members(site, replacement, shown, methods)
        elif waiting and given is None:
            yield member(site, shown, self._factories.patch_rewrite, replacement)
        elif waiting:
            yield member(site, shown, self._factories.of_mock, replacement)

    def _waiting(self, replacement: Replacement) -> Iterator[Place]:
        """Yield where the functions begin that wait, and that a mock may replace."""
        steps = self._part.steps
        functions = {candidate for candidate in replacement.functions if candidate in steps}
        for home in (replacement.cls, replacement.module):
            functions.update(self._waiting_in.get(home, ()))
        # A session factory may be imported where it is called.
        if replacement.factory or replacement.library:
            for path in self._project.files_with([replacement.name.encode()]):
                functions.update(self._waiting_in_file.get(path, ()))
        for function in sorted(functions):
            yield function.place
        if not functions and replacement.functions:
            yield from sorted(self._objects.waiting_for(replacement))

    @cached_property
    def _waiting_in(self) -> dict[str, list[FunctionPlace]]:
        """The functions that wait, by the class or the module around them."""
        functions: defaultdict[str, list[FunctionPlace]] = defaultdict(list)
        for function in self._part.steps:
            name = f"{self._project.layout.name_of(function.path)}.{function.qualname}"
            functions[name.rpartition(".")[0]].append(function)
        return functions

    @cached_property
    def _waiting_in_file(self) -> dict[str, list[FunctionPlace]]:
        """The functions that wait, by their files."""
        return groups_of(self._part.steps, lambda function: function.path)
