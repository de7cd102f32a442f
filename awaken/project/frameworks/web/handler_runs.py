"""Handlers that a program runs by itself: ``await app.router.startup()``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from awaken.contract import Place
from awaken.project.frameworks.web.applications import Application, Resolved
from awaken.project.frameworks.web.searched_files import FoundInFiles
from awaken.project.source.modules import Module

_WORDS = (b"router.startup", b"router.shutdown")
_EVENTS = {"startup", "shutdown"}


class Run(Struct, frozen=True):
    """``node`` is ``app.router.startup``, ``of`` what ``app`` may be."""

    module: Module
    node: ast.Attribute
    receiver: ast.expr
    of: Resolved

    @property
    def place(self) -> Place:
        """Its place."""
        return self.module.place(self.node)

    def may_be_of(self, application: Application) -> bool:
        """Whether the handlers of ``application`` may be run."""
        unknown = self.of.unknown is not None and not self.of.uncalled
        return unknown or application in self.of.applications


class Runs(FoundInFiles[Run]):
    """All of a program, found when first asked for."""

    words = _WORDS

    def _items_in(self, module: Module) -> Iterator[Run]:
        for node in module.walk():
            match node:
                case ast.Attribute(attr=event, value=ast.Attribute(attr="router", value=receiver)):
                    if event in _EVENTS:
                        resolved = self._applications.applications_of(module, receiver)
                        yield Run(module, node, receiver, resolved)
