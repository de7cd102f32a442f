"""The sessions of a program that keep what they loaded when they commit."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain

from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.memo import cached_items
from awaken.project.source.modules import Module
from awaken.project.source.trees import is_constant, keyword_of
from awaken.project.source.words import called_words

_ROLES = {"async", "async-factory", "factory", "session"}
_OPTION = "expire_on_commit"


class Expiry(ProgramFacts):
    """Answers for one program."""

    def never_by_commit(self) -> bool:
        """Whether every visible session is made with ``expire_on_commit=False``.

        All count, for a session is hardly ever proved to be of one factory alone. One that a
        library makes, such as Flask-SQLAlchemy's, expires.
        """
        return bool(self._sessions()) and all(keeps for *_, keeps in self._sessions())

    def expiring(self) -> list[tuple[Module, ast.Call]] | None:
        """Return the calls that make the sessions that expire; None if no other one is made."""
        result = [(module, call) for module, call, keeps in self._sessions() if not keeps]
        return None if len(result) == len(self._sessions()) else result

    @cached_items
    def _sessions(self) -> Iterator[tuple[Module, ast.Call, bool]]:
        return chain.from_iterable(map(self._in_file, self._paths()))

    def _paths(self) -> list[str]:
        # Without the word nothing says so, and no other file is parsed.
        option, files_with = _OPTION.encode(), self._evaluator.files_with
        if not files_with([option]):
            return []
        return files_with([option, b"sessionmaker", *called_words("Session", "SQLAlchemy")])

    def _in_file(self, path: str) -> Iterator[tuple[Module, ast.Call, bool]]:
        """Yield each call that makes sessions, or says so, and whether these do not expire."""
        module = self._evaluator.load(path)
        for node in module.walk() if module is not None else ():
            if module is None or not isinstance(node, ast.Call):
                continue
            said = keyword_of(node, _OPTION)
            if said is not None:
                yield module, node, is_constant(said, value=False)
            elif self._makes_sessions(module, node):
                yield module, node, False

    def _makes_sessions(self, module: Module, node: ast.Call) -> bool:
        called = node.func.value if isinstance(node.func, ast.Subscript) else node.func
        name = self._evaluator.names.qualified_name(module, called) or ""
        role = self._evaluator.knowledge.types.get(name)
        return role in _ROLES or name.rpartition(".")[2] == "SQLAlchemy"
