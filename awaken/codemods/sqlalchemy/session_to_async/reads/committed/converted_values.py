"""Values of another type than their column, read after the commit that writes them.

A synchronous session returns the database's form of such a value: a text of a number. A session
that expires nothing returns the number itself, so the value is reloaded.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.reads.persistence import Persistence
from awaken.contract import Place
from awaken.kit.changes import Member
from awaken.kit.sites import Rewrite, Site
from awaken.project.values.domain import InstanceOf, NoneValue

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module
    from awaken.project.source.trees import Function

_OF_COLUMNS = {"builtins.float", "builtins.int", "builtins.str"}


class _Read(NamedTuple):
    module: Module
    statement: ast.stmt
    text: str
    name: str
    session: str


class ConvertedValues:
    """Finds such reads of one program."""

    def __init__(self, project: Project, rule: str) -> None:
        self._project = project
        self._rule = rule
        self._reads = [*self._found_reads()]

    def members(self) -> Iterator[Member]:
        """Yield what is written in front of the statements that read them."""
        states = Persistence(self._project)
        for read in self._reads:
            site: Site[ast.AST] = Site(self._rule, read.module, read.statement)
            code = f'await {read.session}.refresh({read.text}, attribute_names=["{read.name}"])\n'
            code, imports = states.guarded(site, read.statement, read.text, code)
            place = read.module.place(read.statement)
            edits = [site.insert_statements(place, "before", code), *imports]
            shown = f"`{read.text}.{read.name}`"
            message = f"reloads {shown} after the commit, with the database's value"
            yield Member(site, Rewrite(message, edits), shown)

    def _found_reads(self) -> Iterator[_Read]:
        for commit in self._project.orm.commits.all():
            for module, call in self._project.calls_at(commit.place)[:1]:
                function = module.enclosing_def(call)
                if function is not None and not commit.is_async:
                    yield from self._reads_behind(module, function, commit.place)

    def _reads_behind(self, module: Module, function: Function, commit: Place) -> Iterator[_Read]:
        session = self._project.orm.session_variable(module, function)
        start, seen = commit.span.start, set[tuple[str, str]]()
        for text, name, given in _assigned(module, function, start) if session else ():
            for node in module.walk(function):
                match node:
                    case ast.Attribute(value=ast.Name(id=first), attr=attr, ctx=ast.Load()) if (
                        first,
                        attr,
                    ) == (text, name) and module.span(node).start > start:
                        statement = module.statement_of(node)
                        is_new = (text, name) not in seen
                        if statement is not None and is_new and self._differs(module, node, given):
                            seen.add((text, name))
                            yield _Read(module, statement, text, name, session)

    def _differs(self, module: Module, read: ast.Attribute, given: ast.expr) -> bool:
        """Whether an attribute of a mapped object is surely declared as another type."""
        owners = self._project.values.of(module, read.value)
        is_mapped = owners.is_known and any(
            isinstance(value, InstanceOf) and self._project.orm.mapped_class(value.qualified)
            for value in owners.alternatives
        )
        declared, passed = self._types(module, read), self._types(module, given)
        return is_mapped and bool(declared and passed) and declared.isdisjoint(passed)

    def _types(self, module: Module, node: ast.expr) -> set[str]:
        """Return the types of numbers and texts that an expression may be, if it is one of them."""
        values = self._project.values.of(module, node)
        alternatives = [value for value in values.alternatives if value != NoneValue()]
        names = {value.qualified for value in alternatives if isinstance(value, InstanceOf)}
        is_all = values.is_known and len(names) == len(alternatives) and names <= _OF_COLUMNS
        return names if is_all else set()


def _assigned(module: Module, function: Function, end: int) -> Iterator[tuple[str, str, ast.expr]]:
    """Yield what a function assigns to attributes of variables, in front of a place."""
    for node in module.walk(function):
        match node:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id=text), attr=name)], value=value
            ) if module.span(node).start < end:
                yield text, name, value
