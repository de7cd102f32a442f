"""Replacements of functions that become coroutine functions, made awaitable.

Results of an ``AsyncMock``: by default another one, whose methods are awaited.

The mocks of synchronous functions returned synchronous ones. So they are configured to return
these, wherever a test or the program uses the result.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import structs

from awaken.codemods.sqlalchemy.session_to_async.doubles.awaitable import accepting, not_understood
from awaken.codemods.sqlalchemy.session_to_async.doubles.mocked_objects import inserted_arguments
from awaken.codemods.sqlalchemy.session_to_async.expressions.functions_of_lambdas import (
    function_of_lambda,
    generator_of_lambda,
    is_laid_out,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import TEST_DOUBLE
from awaken.contract import Edit
from awaken.kit.imports import name_from_same_module, replace_name
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.frameworks.sqlalchemy.made_sessions.entered_resources import replaces_method
from awaken.project.frameworks.testing import Replacement
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.values.domain import FunctionOf, InstanceOf

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart

_TELLING = {"new_callable", "return_value", "side_effect", "wraps"}
_SAID_OF_MOCKS = {"return_value", "side_effect"}
_MOCKS = library_names().mocks
_RESULT = "return_value="
_ASYNC_MOCK = "unittest.mock.AsyncMock"
_MAGIC_MOCK = "unittest.mock.MagicMock"


def needs_synchronous_result(
    part: SynchronousPart, module: Module, replacement: Replacement
) -> bool:
    """Whether the mock of a patch needs an explicit synchronous mock as its result.

    Raises Refused where it would have to give one with methods of both kinds.
    """
    node = replacement.node
    told = {keyword.arg for keyword in node.keywords} if isinstance(node, ast.Call) else set()
    if "return_value" in told:
        return False
    uses = list(_uses(module, replacement))
    called = {name for use in uses for name in _methods(module, use)}
    if called:
        waiting = called & {function.name for function in part.steps}
        if waiting and called - waiting:
            why = (
                f"`{replacement.shown}` returns an object of which only some methods become "
                "coroutine functions"
            )
            raise Refused(TEST_DOUBLE, why)
        return not waiting
    is_told = bool(told & _TELLING) or any(_is_told(module, use) for use in uses)
    return not is_told and any(map(part.is_result_used, replacement.functions))


def _uses(module: Module, replacement: Replacement) -> Iterator[ast.Attribute]:
    """Yield what a test says of the mock: ``mock.return_value``, ``mock.side_effect``."""
    if not replacement.bound:
        return
    around = module.enclosing_def(replacement.node)
    for node in module.walk(around) if around is not None else ():
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if (
                name == replacement.bound and attribute in _SAID_OF_MOCKS
            ):
                yield node


def _is_told(module: Module, use: ast.Attribute) -> bool:
    return isinstance(use.ctx, ast.Store) and isinstance(module.parent(use), ast.Assign)


def _methods(module: Module, use: ast.Attribute) -> Iterator[str]:
    """Yield the methods of what the mock gives, as a test speaks of them."""
    above = module.parent(use)
    if use.attr == "return_value" and isinstance(above, ast.Attribute):
        further = module.parent(above)
        is_method = isinstance(further, ast.Attribute) and further.attr in _SAID_OF_MOCKS
        if is_method or above.attr.startswith(("__", "assert_")):
            yield above.attr


class DoubleWriter:
    """Writes what is put in the place of functions and of methods of sessions.

    ``extended`` are methods of sessions that some calls pass more than before.
    """

    def __init__(self, part: SynchronousPart, extended: Collection[str]) -> None:
        self._part = part
        self._extended = extended
        self._project = part.project
        self._taken: dict[ast.AST | None, set[str]] = {}

    def leave_file(self) -> None:
        """Forget the names that are taken in a file: another one comes."""
        self._taken.clear()

    def of_session(self, site: Site[ast.AST], replacement: Replacement) -> Rewrite:
        """Return the rewrite of a fake method of a session. Raises Refused."""
        module, given = site.module, replacement.given
        edits: list[Edit] = []
        if given is not None and replacement.name in self._extended:
            edits += accepting(self._project, site, given)
        if given is not None and self.is_awaitable(module, given):
            return Rewrite(f"the mock of `{replacement.shown}` becomes awaitable", edits)
        if (
            isinstance(given, ast.Attribute)
            and given.attr in twins().awaited["session"]
            and replaces_method(module, replacement.node, given)
        ):
            return Rewrite(f"`{replacement.shown}` is awaited as `{module.text_of(given)}` is", [])
        is_known = isinstance(given, ast.Name) and bool(self.functions_of(module, given))
        if given is not None and not isinstance(given, ast.Call | ast.Lambda) and not is_known:
            # It may call the method that it replaces, which gives a coroutine then.
            raise not_understood(replacement, module.excerpt(given))
        rewrite = self.of_coroutine_function(site, replacement)
        return structs.replace(rewrite, edits=[*edits, *rewrite.edits])

    def functions_of(self, module: Module, given: ast.expr) -> tuple[FunctionPlace, ...]:
        """Return the functions that calling what is put there would call."""
        return self._project.replacements.functions_of(module, given)

    def of_coroutine_function(self, site: Site[ast.AST], replacement: Replacement) -> Rewrite:
        """Return what is put in the place of a function that waits. Raises Refused."""
        message = f"the mock of `{replacement.shown}` becomes awaitable"
        made, given = replacement.new_callable, replacement.given
        if given is not None:
            return Rewrite(message, self._edits_of_replacement(site, replacement, given))
        added, edits = self._result(site, replacement)
        if made is None and self._may_be_mocked(site.module, replacement):
            written, imports = name_from_same_module(self._project, site, None, _ASYNC_MOCK)
            added.append(f"new_callable={written}")
            edits += imports
        if added and isinstance(replacement.node, ast.Call):
            edits += _with_arguments(site, replacement.node, added)
        if made is None or self._qualified_text(site.module, made) == _ASYNC_MOCK:
            return Rewrite(message, edits)
        if self._qualified_text(site.module, made) not in _MOCKS:
            raise not_understood(replacement, site.module.excerpt(made))
        return Rewrite(message, [*self._asynchronous(site, made), *edits])

    def _may_be_mocked(self, module: Module, replacement: Replacement) -> bool:
        """Whether the object whose method is replaced may be a mock, which is no coroutine's.

        An attribute that a test sets is what the test put there, whatever its annotation says.
        """
        call = replacement.node
        if not isinstance(call, ast.Call) or not call.args:
            return False
        told = {keyword.arg for keyword in call.keywords}
        owner = call.args[0]
        if not isinstance(owner, ast.Attribute) or told & name_list("specs_of_mocks"):
            return False
        return self._qualified_text(module, owner) is None

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
        written, imports = name_from_same_module(self._project, site, known, _MAGIC_MOCK)
        return [f"{_RESULT}{written}()"], imports

    def _edits_of_replacement(
        self, site: Site[ast.AST], replacement: Replacement, given: ast.expr
    ) -> list[Edit]:
        module = site.module
        if self.is_awaitable(module, given) or isinstance(given, ast.Constant):
            return []
        match given:
            case ast.Lambda() if self._is_method(replacement) or is_laid_out(given):
                taken, wanted = self._names(module, replacement, given)
                return function_of_lambda(site, given, taken, wanted)
            case ast.Call(func=function) if self._qualified_text(module, function) in _MOCKS:
                return self._mock(site, given)
            case ast.Call(func=function) if self._qualified_text(module, function) == _ASYNC_MOCK:
                return []
        # A function would be given the object as its first argument, a mock is not.
        values = self._project.values.of(module, given).alternatives
        is_bound = any(isinstance(value, FunctionOf) for value in values)
        if replacement.bound or (is_bound and self._is_method(replacement)):
            raise not_understood(replacement, module.excerpt(given))
        written, imports = name_from_same_module(self._project, site, None, _ASYNC_MOCK)
        return [
            site.insert_before(given, f"{written}(side_effect="),
            site.insert_behind(given, ")"),
            *imports,
        ]

    def _names(
        self, module: Module, replacement: Replacement, given: ast.Lambda
    ) -> tuple[set[str], str]:
        """Return the names that are taken around a lambda, and that of a function in its place."""
        taken = self._taken.setdefault(module.enclosing_function(given), set())
        return taken, f"fake_{replacement.name.strip('_')}"

    def items_of(self, module: Module, given: ast.expr) -> list[ast.expr]:
        """Return the items of an iterator over a list that a lambda makes; none if it is other."""
        match given:
            case ast.Lambda(
                body=ast.Call(
                    func=function, args=[ast.List(elts=items) | ast.Tuple(elts=items)], keywords=[]
                )
            ) if self._qualified_text(module, function) == "builtins.iter":
                # Names may be read when an item is asked for: other expressions may not.
                return items if all(isinstance(item, ast.Name) for item in items) else []
        return []

    def generator(
        self,
        site: Site[ast.AST],
        replacement: Replacement,
        given: ast.Lambda,
        items: Sequence[ast.expr],
    ) -> list[Edit]:
        """Return the edits that make a fake an asynchronous generator. Raises Refused."""
        taken, wanted = self._names(site.module, replacement, given)
        return generator_of_lambda(site, given, taken, wanted, items)

    def is_awaitable(self, module: Module, given: ast.expr) -> bool:
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
        return known is not None and self._part.ends_as_coroutine(known)

    def _is_method(self, replacement: Replacement) -> bool:
        """Whether what is put there would be given the object that it is a method of."""
        result = (self._part.node_of(function) for function in replacement.functions)
        return any(
            each is not None and each[0].enclosing_class(each[1]) is not None for each in result
        )

    def _qualified_text(self, module: Module, node: ast.expr) -> str | None:
        return self._project.qualified_name(module, node)

    def _mock(self, site: Site[ast.AST], call: ast.Call) -> list[Edit]:
        """Return the edits that make an ``AsyncMock`` of a mock."""
        edits = self._asynchronous(site, call.func)
        told = {keyword.arg for keyword in call.keywords}
        if not call.args and not told & {"return_value", "side_effect", "spec", "wraps", None}:
            # The children of an AsyncMock are asynchronous as well.
            written = site.module.text_of(call.func)
            edits.append(site.add_keyword(call, "return_value", f"{written}()"))
        return edits

    def _asynchronous(self, site: Site[ast.AST], known: ast.expr) -> list[Edit]:
        return replace_name(self._project, site, known, _ASYNC_MOCK)[1]


def _with_arguments(site: Site[ast.AST], call: ast.Call, added: Sequence[str]) -> Iterator[Edit]:
    """Yield the edits that pass more arguments; what a dictionary passes counts before them."""
    unpacked = [keyword.value for keyword in call.keywords if keyword.arg is None]
    result = next((name for name in added if name.startswith(_RESULT)), None)
    if result is not None and unpacked:
        value = result.removeprefix(_RESULT)
        yield site.insert_before(unpacked[0], f'{{"return_value": {value}, **')
        yield site.insert_behind(unpacked[0], "}")
        added = [name for name in added if name is not result]
    if added:
        yield inserted_arguments(site, call, ", ".join(added))
