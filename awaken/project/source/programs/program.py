"""The program as a fact may see it from below: its files, and what names mean in them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from awaken.project.source.modules import Module


class Program(Protocol):
    """The answers of ``Project`` for facts outside of it."""

    def files_with(self, triggers: Sequence[bytes]) -> list[str]:
        """Return the Python files whose text holds any of ``triggers``, sorted by path."""

    def site_files(self, triggers: Sequence[bytes]) -> list[str]:
        """Return those of them in which a rule looks for its sites."""

    def files_putting(self, names: Collection[str] | None, among: Iterable[str]) -> list[str]:
        """Return those files ``among`` some that put something in the place of attributes.

        ``names`` are those of the attributes; None means any.
        """

    def module(self, path: str) -> Module | None:
        """Return the parsed file; None where there is none or this Python cannot parse it."""

    def modules_at(self, paths: Iterable[str]) -> Iterator[Module]:
        """Yield those of the files at ``paths`` that parse."""

    def files_calling(self, names: Iterable[str]) -> frozenset[str]:
        """Return the Python files that may call what has one of these names, or rename it."""

    def called_names(self, path: str) -> frozenset[str]:
        """Return the last names of what a file calls; none if it does not parse."""

    def other_names(self, path: str) -> Mapping[str, Sequence[str]]:
        """Return the other names that a file gives to something, in any scope, by its name."""

    def names_in(self, path: str, words: Iterable[str]) -> frozenset[str]:
        """Return ``words``, and the names that a file gives, in any scope, to what they name."""

    def qualified_name(self, module: Module, node: ast.expr) -> str | None:
        """Return the dotted name of ``node`` after imports, aliases and re-exports."""

    def spellings_of(self, names: Iterable[str]) -> list[str]:
        """Return the last parts of the names that files give to any of ``names``, sorted."""
