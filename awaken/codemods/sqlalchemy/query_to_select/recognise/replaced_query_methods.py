"""Methods of sessions and of Query that the program replaces, which a rewrite would bypass.

A Query calls ``execute`` of its session and nothing else; ``scalars``, ``scalar`` and ``get`` of a
session do not call its ``execute``, from SQLAlchemy 2.0 on.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.kit.rule import ProjectFacts
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.queries.replaced_methods import ReplacedMethod
from awaken.project.source.memo import cached_property
from awaken.project.source.test_files import is_around_tests, is_test_file

if TYPE_CHECKING:
    from awaken.project.source.modules import Module

Executed = tuple[str, "Module", ast.AST]
"""A method of a session that will be called, and where."""

CALLED = tuple(sorted(name_list("called_by_queries")))
"""The methods of a session that a query or its rewrite calls."""


class Replaced(ProjectFacts):
    """The names that a program replaces; found when the first rewrite asks."""

    @cached_property
    def _of_sessions(self) -> tuple[ReplacedMethod, ...]:
        return self._project.orm.replaced_methods.of_sessions((*CALLED, "query"))

    def _may_meet(self, item: ReplacedMethod, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` may run while a method is replaced, as far as its mock is not followed.

        Mocks of `query` are followed to the queries that they answer. One that nobody gets answers
        those of the functions that its file names.
        """
        path = item.place.path
        if item.name == "query" and is_around_tests(path):
            doubles, home = self._project.doubles.in_file(path), self._project.module(path)
            own = [each for each in doubles if item.place in (each.place, *each.marks)]
            function = module.outermost_def(node)
            is_named = home and function and any(home.mentions(function.name))
            if not is_named or not all(double.unseen for double in own):
                return False
        return self._project.orm.replaced_methods.may_meet(item, module, node)

    def caveats(self, executed: Sequence[Executed]) -> Iterator[str]:
        """Yield what may change where queries are executed as ``executed`` says afterwards."""
        for item in self._of_sessions:
            for run, module, node in executed:
                why = _why(item, run)
                if why and self._may_meet(item, module, node):
                    yield f"{item.why}, {why}"
                    break

    def query_method(self) -> Refused | None:
        """Return the refusal of every query where the program replaces a method of Query."""
        for item in self._project.orm.replaced_methods.of_queries:
            if not is_test_file(item.place.path):
                return Refused(reasons.QUERY_HOOKS, item.why, because=(item.place,))
        return None

    def of_query(self, queries: Sequence[tuple[Module, ast.AST]]) -> Iterator[str]:
        """Yield what of ``queries`` a test replaces while they may run."""
        replaced_methods = self._project.orm.replaced_methods
        for replaced_method in replaced_methods.of_queries:
            methods = replaced_methods.methods_replaced(replaced_method)
            for module, node in queries:
                called = module.nodes_below(node, ast.Attribute)
                is_called = methods is None or any(each.attr in methods for each in called)
                if is_called and replaced_methods.may_meet(replaced_method, module, node):
                    yield f"{replaced_method.why}, which select() bypasses"
                    break


def _why(one: ReplacedMethod, run: str) -> str:
    """Return what the replaced method is to what runs the statement, as a clause."""
    if not one.name:
        return "which Query and select() may call differently"
    if one.name == "query":
        return "which select() does not call"
    if one.name == run == "execute":
        return "which now gets a different statement"
    if one.name == run:
        return "which Query does not call"
    if one.name == "execute" and run != "get":
        return f"which Query calls and `{run}()` does not"
    return ""
