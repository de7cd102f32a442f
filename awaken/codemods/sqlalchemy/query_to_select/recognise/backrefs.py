"""Attributes that a ``backref`` makes: they are there once mappers are configured.

``session.query(User)`` configures them at once, ``select(User)`` only when it is executed. A
program whose first statement of all names such an attribute raises AttributeError then.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from awaken.kit.rule import ProjectFacts
from awaken.project.values.domain import ClassOf, InstanceOf, Value

if TYPE_CHECKING:
    from awaken.project.source.modules import Module

_CONFIGURES = b"configure_mappers"


class Backrefs(ProjectFacts):
    """The attributes of a program that a ``backref`` makes; found when the first rewrite asks."""

    @cached_property
    def _owners(self) -> dict[str, set[str]]:
        """The classes that get an attribute, by its name; none where mappers are configured."""
        owners: dict[str, set[str]] = defaultdict(set)
        # The first search answers the others as well.
        named = self._project.files_with([_CONFIGURES, b"backref"])
        if not named or self._project.files_with([_CONFIGURES]):
            return owners
        for path in self._project.files_with([b"backref"]):
            for side in self._project.orm.relationships.in_file(path):
                if side.reverse and side.attribute is not None:
                    owners[side.attribute].add(side.owner or "")
        return owners

    def caveats(self, module: Module, query: ast.expr) -> Iterator[str]:
        """Yield the caveats where ``query``, which begins again, names such an attribute."""
        shown = next(self._names(module, query), "") if self._owners else ""
        if shown:
            yield (
                f"a `backref` makes `{shown}`: unlike Query, `select()` does not "
                "configure mappers, so the first statement fails without "
                "`configure_mappers()`"
            )

    def _names(self, module: Module, query: ast.expr) -> Iterator[str]:
        waiting: list[ast.AST] = [query]
        while waiting:
            node = waiting.pop()
            match node:
                # The arguments of `query()` are read before it configures anything.
                case ast.Call(func=ast.Attribute(attr="query")):
                    waiting.append(node.func)
                    continue
                case ast.Call(func=ast.Attribute(value=owner) as called):
                    waiting += [owner, *node.args, *node.keywords]
                    if called.attr == "filter_by":
                        yield from self._compared_attributes(module, node.keywords)
                    continue
                case ast.Attribute(value=owner, attr=name) if name in self._owners:
                    if self._may_be_class(module, owner, name):
                        yield module.excerpt(node)
            waiting += ast.iter_child_nodes(node)

    def _compared_attributes(self, module: Module, given: Sequence[ast.keyword]) -> Iterator[str]:
        """Yield the attributes that `filter_by` compares with what may be no object.

        An object was made or loaded, which configured the mappers.
        """
        for argument in given:
            if argument.arg in self._owners:
                values = self._project.values.of(module, argument.value)
                if isinstance(argument.value, ast.Constant) or values.may_be_none:
                    yield argument.arg

    def _may_be_class(self, module: Module, node: ast.expr, name: str) -> bool:
        """Whether ``node`` may be a class that gets the attribute, or an instance of it."""
        values = self._project.values.of(module, node)
        if not values.is_known or not values.alternatives:
            return True
        return any(self._may_lack(alternative, name) for alternative in values.alternatives)

    def _may_lack(self, value: Value, name: str) -> bool:
        match value:
            case ClassOf(qualified=qualified):
                return self._gets(qualified, name)
            case InstanceOf(qualified=qualified):
                # To make an object of a mapped class configures mappers.
                return self._project.orm.mapped_class(qualified) is None
        return True

    def _gets(self, qualified: str, name: str) -> bool:
        owners = self._owners[name]
        heirs = (heir for owner in owners for heir in self._project.all_subclasses(owner))
        return "" in owners or qualified in owners or qualified in heirs
