"""Third-party codemods: the words without which they change no file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from awaken.knowledge.typed_tables import read_table

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    words: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    module: tuple[str, ...] = ()


class _Codemods(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    libcst: tuple[str, ...]
    command: Mapping[str, _Command]


def words_of(command: str, arguments: Mapping[str, object], version: str) -> tuple[str, ...]:
    """Return words of which a file holds one if this command of LibCST changes it.

    ``command`` is its module and class, as LibCST's own tool names it. Empty where that is not
    known of it, or not in this ``version`` of LibCST.
    """
    known = _codemods()
    if command not in known.command or version.rpartition(".")[0] not in known.libcst:
        return ()
    words = tuple(_words(known.command[command], arguments))
    return tuple(dict.fromkeys(words)) if all(words) else ()


def _words(command: _Command, arguments: Mapping[str, object]) -> Iterator[str]:
    yield from command.words
    for name in command.last:
        yield _parts(arguments, name)[-1]
    for name in command.module:
        # A name of one part has no module.
        yield from _parts(arguments, name)[-2:-1]


def _parts(arguments: Mapping[str, object], name: str) -> list[str]:
    return str(arguments.get(name, "")).replace(":", ".").strip(".").split(".")


@cache
def _codemods() -> _Codemods:
    return read_table(__name__, "libcst.toml", _Codemods)
