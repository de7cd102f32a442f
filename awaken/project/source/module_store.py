"""The parsed files of one snapshot: the last few, and every one that somebody still holds."""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from weakref import WeakSet, WeakValueDictionary

from awaken.project.source.modules import Module

KEPT_SOURCE_BYTES = 5_500_000
"""Source of the trees that are kept. A tree takes about sixty times the bytes of its source, so
these are up to 330 MB, as much as were in memory when trees that nobody needed stayed there: then
3 MB were kept, and up to 3 MB more waited to be collected. With 3 MB alone AntaREST (6.7 MB) is
parsed ten times over and takes 30 % longer for session-to-async; with 5.5 MB five times."""

COLLECTED_SOURCE_BYTES = 3_000_000
"""Source of the trees that nobody should hold any more, but that are still there, after which
garbage is collected. No collection happens by itself during a run: it would visit all trees."""

FORGOTTEN_SOURCE_BYTES = 3_000_000
"""Source of the trees that were let go after which what remembers some of them forgets it."""


class ModuleStore:
    """Parsed files by path; ``earlier`` is the store of an earlier snapshot, which is given up.

    ``let_go`` is called where trees are held beyond those last used: whoever remembers what leads
    to some of them forgets it.

    A file is parsed again only if nobody holds its tree any more. So two nodes that are held
    together with their modules are one place of a file if and only if they are one object; what
    is kept without its module is compared by place (``same_node``).
    """

    def __init__(
        self, earlier: ModuleStore | None = None, let_go: Callable[[], None] | None = None
    ) -> None:
        self._forget = let_go
        self._last_used: OrderedDict[str, Module] = OrderedDict()
        self._held: WeakValueDictionary[str, Module] = WeakValueDictionary()
        self._alive: WeakSet[Module] = WeakSet() if earlier is None else earlier.alive()
        self._bytes = 0
        # All trees of an earlier store, but for those that are taken over.
        self._let_go = 0 if earlier is None else FORGOTTEN_SOURCE_BYTES

    def alive(self) -> WeakSet[Module]:
        """Return the parsed files that are in memory, those of earlier stores included."""
        return self._alive

    def __iter__(self) -> Iterator[Module]:
        return iter(self._last_used.values())

    def get(self, path: str) -> Module | None:
        """Return the parsed file at ``path``; None if it must be parsed."""
        kept = self._last_used.get(path)
        if kept is not None:
            self._last_used.move_to_end(path)
            return kept
        held = self._held.get(path)
        if held is not None:
            self._keep(held)
        return held

    def add(self, module: Module) -> None:
        """Keep ``module``, and let those go that were not used for longest."""
        self._held[module.path] = module
        self._alive.add(module)
        self._keep(module)

    def give_up(self, paths: Iterable[str]) -> None:
        """Keep no tree of these files any longer: whoever holds one may go on with it."""
        for path in paths:
            dropped = self._last_used.pop(path, None)
            self._bytes -= 0 if dropped is None else len(dropped.source.text)

    def _keep(self, module: Module) -> None:
        self._last_used[module.path] = module
        self._bytes += len(module.source.text)
        while self._bytes > KEPT_SOURCE_BYTES and len(self._last_used) > 1:
            _, dropped = self._last_used.popitem(last=False)
            self._bytes -= len(dropped.source.text)
            self._let_go += len(dropped.source.text)
        if self._let_go > FORGOTTEN_SOURCE_BYTES:
            if self._forget is not None:
                self._forget()
            self._let_go = 0
            if self._still_there() > COLLECTED_SOURCE_BYTES:
                gc.collect()

    def _still_there(self) -> int:
        """Return the bytes of source of trees that are in memory, and not those last used."""
        kept = {id(module.tree) for module in self._last_used.values()}
        sizes = {id(module.tree): len(module.source.text) for module in self._alive}
        return sum(size for tree, size in sizes.items() if tree not in kept)
