"""Routers and applications inside others: ``include_router`` and ``mount``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from awaken.project.frameworks.web.applications import Application, Resolved, argument_at
from awaken.project.frameworks.web.searched_files import FoundInFiles
from awaken.project.source.modules import Module
from awaken.project.values.domain import MOST_ALTERNATIVES

How = Literal["include", "mount"]
ROUTERS = frozenset({"router", "starlette-router"})
_WORDS = (b".include_router", b".mount(")


class Inclusion(Struct, frozen=True):
    """``child`` is put into ``parent`` by the call ``node``."""

    module: Module
    node: ast.Call
    how: How
    parent: Resolved
    child: Resolved


class Inclusions(FoundInFiles[Inclusion]):
    """All of a program, found when first asked for."""

    words = _WORDS

    def roots(self, router: Application) -> list[tuple[Application, tuple[Inclusion, ...]]]:
        """Return every application that includes ``router``, also through others, and by what.

        The inclusions are those from the application down; one that is included twice comes twice.
        After eight ways no other one is looked for by which a router is included that has one.
        """
        roots: list[tuple[Application, tuple[Inclusion, ...]]] = []
        waiting: list[tuple[Application, tuple[Inclusion, ...]]] = [(router, ())]
        followed = {router}
        while waiting:
            child, below = waiting.pop(0)
            for item in self.all:
                # Routers that include each other would be followed for ever.
                if item.how != "include" or child not in item.child.applications or item in below:
                    continue
                for parent in item.parent.applications:
                    chain = (item, *below)
                    if parent.kind not in ROUTERS:
                        roots.append((parent, chain))
                    elif len(roots) < MOST_ALTERNATIVES or parent not in followed:
                        # Ways may be cut, applications may not: each has the router's handlers.
                        followed.add(parent)
                        waiting.append((parent, chain))
        return roots

    def _items_in(self, module: Module) -> Iterator[Inclusion]:
        for node in module.nodes(ast.Call):
            if not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr == "include_router":
                child = argument_at(node, 0, "router")
                how: How = "include"
            elif node.func.attr == "mount":
                child, how = argument_at(node, 1, "app"), "mount"
            else:
                continue
            if child is not None:
                parent = self._applications.applications_of(module, node.func.value)
                yield Inclusion(
                    module, node, how, parent, self._applications.applications_of(module, child)
                )
