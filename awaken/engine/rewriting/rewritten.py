"""The result of the edits of one file; nothing here loads LibCST."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from awaken.contract import Problem, Rewriter
from awaken.engine.edits.owned_edits import OwnedEdit
from awaken.engine.edits.splices import SpanMap
from awaken.workspace.sources import SourceFile

Rewriters = Mapping[str, Mapping[str, Rewriter]]
"""The rewriters of each rule, by the names of the rule and of the rewriter."""


class RewritersFailed(Exception):
    """The rewriters of ``rule`` cannot be loaded: ``error`` says why."""

    def __init__(self, rule: str, error: Exception) -> None:
        super().__init__(rule)
        self.rule, self.error = rule, error


class LoadedRewriters(Rewriters):
    """The rewriters of rules, each loaded when it is first asked for.

    Asking for one raises RewritersFailed where its rule fails.
    """

    def __init__(self, loading: Mapping[str, Callable[[], Mapping[str, Rewriter]]]) -> None:
        self._loading = loading
        self._loaded: dict[str, Mapping[str, Rewriter]] = {}

    def __getitem__(self, rule: str) -> Mapping[str, Rewriter]:
        if rule not in self._loaded:
            load = self._loading[rule]
            try:
                self._loaded[rule] = load()
            except Exception as error:  # a rule may fail in any way; the run goes on
                raise RewritersFailed(rule, error) from error
        return self._loaded[rule]

    def __contains__(self, rule: object) -> bool:
        return rule in self._loading

    def __iter__(self) -> Iterator[str]:
        return iter(self._loading)

    def __len__(self) -> int:
        return len(self._loading)


class FileContext(Struct, frozen=True):
    """The project's inputs for rewriting a file.

    ``name`` is the module's dotted name, ``first_party`` the top-level packages of the project,
    ``line_length`` the longest line that its formatter allows, which is only assumed where nothing
    is declared, ``taken`` the names that other modules take from this one.
    """

    name: str = ""
    first_party: frozenset[str] = frozenset()
    line_length: int = 88
    taken: frozenset[str] = frozenset()
    is_length_assumed: bool = False


class RewrittenFile(Struct, frozen=True):
    """A file after its edits, the way back, and what could not be done."""

    source: SourceFile
    moved: SpanMap
    problems: tuple[Problem, ...] = ()


class KnownRewritings:
    """Rewritten files of earlier runs by what they are made from; here there are none."""

    def key(
        self, source: SourceFile, edits: Sequence[OwnedEdit[Any]], context: FileContext
    ) -> bytes | None:
        """Return a digest of all inputs of a rewriting; None if it is not kept."""
        del source, edits, context
        return None

    def recall(self, key: bytes | None, source: SourceFile) -> RewrittenFile | None:
        """Return ``source`` after the edits of its ``key``; None if that is not known."""
        del key, source
        return None

    def keep(self, key: bytes | None, rewritten: RewrittenFile) -> None:
        """Keep what came of a file, if all of it could be done."""
