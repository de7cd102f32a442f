"""Rewritten files, kept between runs: the same edits of the same text give the same file."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import Any

import msgspec
from msgspec import Struct, structs

from awaken.engine.edits.owned_edits import OwnedEdit
from awaken.engine.edits.splices import SpanMap
from awaken.engine.remembering.results_cache import ResultsCache
from awaken.engine.rewriting.rewritten import FileContext, KnownRewritings, RewrittenFile
from awaken.workspace.sources import SourceFile


class KnownRewriting(Struct, frozen=True, array_like=True):
    """The text of a rewritten file, and the rounds of its splices (``SpanMap.rounds``)."""

    text: bytes
    rounds: tuple[tuple[tuple[int, int, int], ...], ...]


class Rewritings(KnownRewritings):
    """Recalls rewritten files from ``cache``, and keeps new ones.

    Only edits of rules of awaken are kept: its code is part of the place of the cache.
    """

    def __init__(self, cache: ResultsCache, rules: Collection[str]) -> None:
        self._cache = cache
        self._rules = rules

    def key(
        self, source: SourceFile, edits: Sequence[OwnedEdit[Any]], context: FileContext
    ) -> bytes | None:
        """Return a digest of all inputs of a rewriting; None if it is not kept."""
        if any(owned.rule not in self._rules for owned in edits):
            return None
        inputs = source.path, source.text, source.encoding, [*edits], context
        try:
            return hashlib.sha256(_encode(inputs)).digest()
        except (TypeError, UnicodeEncodeError, OverflowError):
            return None

    def recall(self, key: bytes | None, source: SourceFile) -> RewrittenFile | None:
        """Return ``source`` after the edits of its ``key``; None if that is not known."""
        known = None if key is None else self._cache.get(KnownRewriting, key)
        if known is None:
            return None
        return RewrittenFile(source.with_text(known.text), SpanMap.of_rounds(known.rounds))

    def keep(self, key: bytes | None, rewritten: RewrittenFile) -> None:
        """Keep what came of a file, if all of it could be done."""
        if key is not None and not rewritten.problems:
            known = KnownRewriting(rewritten.source.text, rewritten.moved.rounds())
            self._cache.put(key, known)


def _plain_data(value: object) -> object:
    """Return ``value`` as plain data that names the type of each of its parts.

    Raises TypeError for what is no data.
    """
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    match value:
        case None | bool() | int() | float() | str() | bytes() if not isinstance(value, Enum):
            return value
        case Enum():
            return [name, value.name]
        case Struct():
            return [name, *map(_plain_data, structs.astuple(value))]
        case tuple() | list():
            return [name, *map(_plain_data, value)]
        case set() | frozenset():
            return [name, *sorted(map(_encode, value))]
        case Mapping():
            return [name, *sorted((_encode(key), _encode(item)) for key, item in value.items())]
        case _:
            raise TypeError(f"{name} is no data")


def _encode(value: object) -> bytes:
    return msgspec.msgpack.encode(_plain_data(value))
