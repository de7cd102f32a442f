"""Insertions: small pieces of text in one file, around expressions and in their place."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator

from awaken.contract import Edit, Span, TextEdit
from awaken.kit.sites import Site
from awaken.project.source.modules import Module

_OUTERMOST = -sys.maxsize


class Insertions:
    """The text to write into one file, several pieces at one place in their right order."""

    def __init__(self, module: Module) -> None:
        self._module = module
        # By place: closing text precedes opening text, the inner before the outer.
        self._closing: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
        self._opening: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
        self._replaced: list[tuple[Span, str]] = []

    def insert_before(self, node: ast.AST, text: str) -> None:
        """Write ``text`` in front of ``node``."""
        span = self._module.span(node)
        self._opening[span.start].append((-span.end, text))

    def insert_after(self, node: ast.AST, text: str) -> None:
        """Write ``text`` directly after ``node``, inside of all that closes there."""
        span = self._module.span(node)
        self._closing[span.end].insert(0, (-sys.maxsize, text))

    def wrap(self, node: ast.AST, opening: str, closing: str) -> None:
        """Write ``opening`` before ``node``, and ``closing`` after it."""
        span = self._module.span(node)
        self._opening[span.start].append((-span.end, opening))
        self._closing[span.end].append((-span.start, closing))

    def insert_at(self, offset: int, text: str) -> None:
        """Write ``text`` at a byte of the file, outside of what is written around expressions."""
        self._opening[offset].append((_OUTERMOST, text))

    def replace(self, span: Span, text: str) -> None:
        """Write ``text`` in the place of what is there, which nothing else is written into."""
        self._replaced.append((span, text))

    def edits(self, site: Site[ast.AST]) -> Iterator[Edit]:
        """Yield the edits, one for each place."""
        for span, text in self._replaced:
            yield TextEdit(path=self._module.path, anchor=span, text=text, site=site.id)
        for offset, text in self.at_places().items():
            yield TextEdit(
                path=self._module.path, anchor=Span(offset, offset), text=text, site=site.id
            )

    def at_places(self) -> dict[int, str]:
        """Return what is inserted at each byte of the file, in their order."""
        return {
            offset: "".join(
                text
                for pieces in (self._closing, self._opening)
                for _, text in sorted(pieces.get(offset, ()))
            )
            for offset in sorted({*self._closing, *self._opening})
        }
