"""Mocks of a session in tests: ``db.query.return_value.all.return_value = rows``."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.query_to_select.answers.asked import Asked
from awaken.contract import Edit, SiteId, TextEdit
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, root_of

if TYPE_CHECKING:
    from awaken.project import Project

_SPEC = {"name", "spec", "spec_set"}


@dataclass(frozen=True, slots=True)
class Told:
    """One assignment that says what ``root.query`` gives, asked by the methods of a ``path``.

    It is configured by the attribute ``setting`` of the last one, ``return_value`` or
    ``side_effect``.
    """

    module: Module
    root: ast.expr
    target: ast.Attribute
    path: tuple[str, ...]
    setting: str

    def edit(self, afterwards: Sequence[tuple[str, ...]], site: SiteId) -> Edit:
        """Return the edit that tells the same of the methods that are called afterwards."""
        root = self.module.text_of(self.root)
        targets = [
            f"{root}.{'.return_value.'.join(methods)}.{self.setting}" for methods in afterwards
        ]
        span = self.module.span(self.target)
        return TextEdit(path=self.module.path, anchor=span, text=" = ".join(targets), site=site)


def told(project: Project, module: Module, query: ast.Attribute) -> Told | None:
    """Return the configured answer of a mock's attribute ``query``; None without one."""
    path: list[str] = []
    method = query
    while True:
        match module.parent(method):
            case ast.Attribute(attr="return_value" | "side_effect", ctx=ast.Store()) as target:
                is_told = bool(path) and _is_alone(module, target)
                if not is_told or not _is_mock(project, module, query):
                    return None
                return Told(module, query.value, target, tuple(path), target.attr)
            case ast.Attribute(attr="return_value") | ast.Call() as given if (
                isinstance(given, ast.Attribute) or given.func is method
            ):
                further = module.parent(given)
            case _:
                return None
        if not isinstance(further, ast.Attribute):
            return None
        path.append(further.attr)
        method = further


def _is_alone(module: Module, target: ast.Attribute) -> bool:
    statement = module.parent(target)
    if not isinstance(statement, ast.Assign):
        return False
    # A function would be called with what the method is given.
    return target.attr == "return_value" or isinstance(statement.value, ast.List | ast.Tuple)


def _is_mock(project: Project, module: Module, query: ast.Attribute) -> bool:
    """Whether the object of ``query`` answers every call."""
    root = root_of(query.value)
    if not isinstance(root, ast.Name):
        return False
    mocked = project.mocks.made_at(module, root)
    if mocked is not None:
        named = {keyword.arg for keyword in mocked.call.keywords}
        return not mocked.call.args and named <= _SPEC
    around = module.enclosing_def(root)
    return any(
        candidate.bound == root.id and candidate.given is None and candidate.new_callable is None
        for candidate in project.replacements.in_module(module)
        if around in (candidate.node, *module.ancestors(candidate.node))
    )


def answered_methods(
    statements: Sequence[Told], queries: Sequence[Asked]
) -> list[tuple[Told, list[tuple[str, ...]]]] | None:
    """Return what each statement has to say afterwards, if it says the same of all queries.

    None where a query would be answered that is not answered today, or in an unknown way.
    """
    before: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for query in queries:
        before.setdefault(query.after, set()).add(query.before)
    written: list[tuple[Told, list[tuple[str, ...]]]] = []
    for statement in statements:
        afterwards = sorted({query.after for query in queries if query.before == statement.path})
        if not afterwards or any(before[each] != {statement.path} for each in afterwards):
            return None
        # Of a list each of two mocks would give the first item.
        if statement.setting == "side_effect" and len(afterwards) > 1:
            return None
        written.append((statement, afterwards))
    return written


def asks_already(module: Module, told: Told, heads: set[str]) -> bool:
    """Whether a test says something of a method that will be asked, too."""
    around = [node for node in module.ancestors(told.target) if isinstance(node, Function)]
    is_test = bool(around) and around[-1].name.startswith("test")
    inside = module.walk(around[-1]) if is_test else module.walk()
    root = module.text_of(told.root)
    return any(
        isinstance(one, ast.Attribute) and one.attr in heads and module.text_of(one.value) == root
        for one in inside
    )
