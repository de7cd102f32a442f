"""Objects that a session gets again, after items of their collections were deleted.

A collection that is not loaded adds nothing with its owner. One that is loaded ahead still holds
what was deleted, and `add` raises for that. So an object is added only if its session lacks it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property

from awaken.codemods.sqlalchemy.session_to_async.payload import REPLACE, Replaced
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.uses.object_uses import (
    FLUSHING,
    Uses,
)
from awaken.contract import Place
from awaken.kit.changes import Member
from awaken.kit.search import nodes_with
from awaken.kit.sites import Rewrite, Site
from awaken.project.frameworks.sqlalchemy.commits.reloads import LOADING
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.modules import Module
from awaken.project.values.domain import InstanceOf


class AddedAgain(Uses):
    """Answers for one program; ``loaded`` gives what is loaded ahead of objects of a class."""

    def members(self, rule: str) -> Iterator[Member]:
        """Yield the calls of `add` that run under a condition from now on."""
        for module, statement, call in self._calls.values():
            if isinstance(call.func, ast.Attribute) and not self.caveat(module, call):
                held, session = module.text_of(call.args[0]), module.text_of(call.func.value)
                code = f"if {held} not in {session}:\n    {module.text_of(statement)}\n"
                site: Site[ast.AST] = Site(rule, module, statement)
                edits = [site.rewrite(statement, REPLACE, Replaced(code))]
                message = f"adds `{held}` only if `{session}` lacks it, because of deleted items"
                yield Member(site, Rewrite(message, edits), f"`{module.text_of(call)}`")

    def caveat(self, module: Module, node: ast.AST) -> str:
        """Return why a call of `add` cannot run under a condition; empty if it can, or need not.

        A new item that only refers to its owner is added with that.
        """
        if isinstance(node, ast.Call) and module.place(node) in self._calls:
            for owner, name, item in self._held(module, node):
                inverse = self._project.orm.reads.inverse_of(owner, name)
                if inverse is not None and self._is_set(item, inverse.attribute):
                    shown = f"{module.text_of(node.args[0])}.{name}"
                    return f"`{module.excerpt(node)}` fails if `{shown}` has deleted items"
        return ""

    @cached_property
    def _calls(self) -> dict[Place, tuple[Module, ast.stmt, ast.Call]]:
        """The calls that may add what a session has, and whose collections have deleted items."""
        return {
            module.place(call): (module, node, call)
            for module, node in nodes_with(
                self._project, (b".add(",) if self._deleting_of else (), ast.Expr
            )
            if isinstance(call := node.value, ast.Call)
            if self._is_of_session(module, call, {"add"})
            if any(self._is_behind(module, call, item) for *_, item in self._held(module, call))
        }

    def _held(self, module: Module, call: ast.Call) -> list[tuple[str, str, str]]:
        """Return the collections of what a call adds, each with its owner and the class of items.

        A new object has loaded none.
        """
        held = call.args[0] if call.args else call
        is_name = isinstance(held, ast.Attribute | ast.Name)
        return [
            (value.qualified, name, item)
            for value in (self._project.values.of(module, held).alternatives if is_name else ())
            if isinstance(value, InstanceOf) and not self._is_new(value)
            for item in self._deleting_of
            for name in self._collections_of(value.qualified, frozenset({item}))
        ]

    def _is_new(self, value: InstanceOf) -> bool:
        """Whether an object certainly comes from a call of its class."""
        places = [origin.place for origin in value.origins or ()]
        return bool(places) and all(
            any(
                self._project.qualified_name(module, call.func) == value.qualified
                for call in module.calls_at(place.span)
            )
            for place in places
            if (module := self._project.module(place.path)) is not None
        )

    def _is_behind(self, module: Module, add: ast.Call, item: str) -> bool:
        """Whether a function deletes objects of a class, flushes that, and then reaches a call."""
        graph, function = self._project.calls.graph(), function_around(module, add)
        adding = graph.reaching([] if function is None else [graph.place_of(module, function)])
        deleting = self._deleting_of[item].intersection(adding)
        for home, around in self._project.calls.definitions_of(deleting):
            calls = [node for node in home.walk(around) if isinstance(node, ast.Call)]
            if any(
                self._is_flushed(home, calls, deletion, node)
                for node in calls
                if node is add or not {*self._called(home, node)}.isdisjoint(adding)
                for deletion in calls
                if deletion is not node and item in self._deleted_classes(home, deletion)
            ):
                return True
        return False

    def _is_flushed(
        self, module: Module, calls: list[ast.Call], deletion: ast.Call, later: ast.Call
    ) -> bool:
        """Whether a call may run after a deletion, and a flush in between."""
        start, end = module.span(deletion).end, module.span(later).start
        around = {*module.ancestors(deletion)}.intersection(module.ancestors(later))
        if start > end and not any(isinstance(node, ast.For | ast.While) for node in around):
            return False
        methods = FLUSHING if self._is_held else FLUSHING | LOADING
        return not self._is_of_session(module, deletion, {"delete"}) or any(
            self._is_of_session(module, node, methods)
            or not self._flushing.isdisjoint(self._called(module, node))
            for node in calls
            if start > end or start <= module.span(node).start <= end
        )

    def _is_set(self, item: str, name: str) -> bool:
        """Whether the program gives an attribute to a new object of a class, or sets it later."""
        for module, node in nodes_with(self._project, (name.encode(),), (ast.Attribute, ast.Call)):
            match node:
                case ast.Attribute(attr=attribute, ctx=ast.Store()) if attribute == name:
                    return True
                case ast.Call(keywords=given) if name in {each.arg for each in given}:
                    if self._project.qualified_name(module, node.func) == item:
                        return True
        return False
