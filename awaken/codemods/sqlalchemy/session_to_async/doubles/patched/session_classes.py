"""Patches of session classes: ``patch("app.main.Session", return_value=mock)``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.doubles.awaitable import ASYNC_MOCK, not_understood
from awaken.codemods.sqlalchemy.session_to_async.doubles.methods import WaitingMethods
from awaken.codemods.sqlalchemy.session_to_async.doubles.mocked_managers import ASYNCHRONOUS
from awaken.codemods.sqlalchemy.session_to_async.doubles.mocked_objects import (
    MAGIC_MOCK,
    inserted_arguments,
)
from awaken.contract import Edit
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import twins
from awaken.project.frameworks.testing import Replacement

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart


class PatchedSessions:
    """Writes them for one program."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part
        self._project = part.project

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
        module, call = site.module, replacement.node
        keywords = call.keywords if isinstance(call, ast.Call) else []
        given = next((keyword.value for keyword in keywords if keyword.arg == "return_value"), None)
        around = module.enclosing_def(call)
        if not isinstance(given, ast.Name) or around is None or len(keywords) != 1:
            raise refused
        made = [binding.value for binding in module.scopes.bindings_of(given)]
        mock = made[0] if len(made) == 1 else None
        if not isinstance(mock, ast.Call) or mock.args or mock.keywords:
            raise refused
        if self._project.qualified_name(module, mock.func) != MAGIC_MOCK:
            raise refused
        entered = False
        for node in module.walk(around):
            match node:
                case ast.Assign(
                    targets=[
                        ast.Attribute(
                            value=ast.Attribute(value=ast.Name(id=name), attr=method) as dunder,
                            attr="return_value",
                        )
                    ],
                    value=value,
                ) if name == given.id and method in ASYNCHRONOUS:
                    is_itself = isinstance(value, ast.Name) and value.id == name
                    entered = entered or (method == "__enter__" and is_itself)
                    yield site.rename(dunder, ASYNCHRONOUS[method])
        if not entered:
            raise refused
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
