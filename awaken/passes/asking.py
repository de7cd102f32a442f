"""Messages of foreign code about files, one request for each file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import msgspec

from awaken.passes.protocol import Answer, Item, Loaded, Ready, Runner, Running, Setup, Unusable


class Asking:
    """Asks foreign code, and remembers what it said.

    A pass plans again where one of its sites is suppressed; what the code makes of a file stays.
    """

    def __init__(self) -> None:
        self._loaded: dict[bytes, Loaded] = {}
        self._answers: dict[bytes, Answer] = {}

    def ask(
        self, start: Runner, setup: Setup, choose: Callable[[Ready], Sequence[Item]]
    ) -> list[tuple[str, Answer]] | Unusable:
        """Return what the code makes of the files that are chosen, by their paths."""
        try:
            key = hashlib.sha256(msgspec.msgpack.encode(setup)).digest()
        except UnicodeEncodeError:
            return Unusable(
                "codemods run in directories whose path is UTF-8, and this one's is not"
            )
        running: Running | None = None
        try:
            loaded = self._loaded.get(key)
            if loaded is None:
                running = start(setup)
                loaded = self._loaded[key] = running.loaded
            if isinstance(loaded, Unusable):
                return loaded
            items = choose(loaded)
            keys = [_key(key, item) for item in items]
            missing = [number for number, item in enumerate(keys) if item not in self._answers]
            if missing:
                running = running or start(setup)
                answers = running.answers([items[number] for number in missing])
                self._answers.update(zip((keys[item] for item in missing), answers, strict=True))
        finally:
            if running is not None:
                running.end()
        return [(item.path, self._answers[entry]) for item, entry in zip(items, keys, strict=True)]


def _key(setup: bytes, item: Item) -> bytes:
    digest = hashlib.sha256(setup)
    digest.update(msgspec.msgpack.encode(item))
    return digest.digest()
