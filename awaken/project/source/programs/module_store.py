"""Parses the files of one snapshot, and keeps the last few, and what somebody still holds."""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from weakref import WeakSet, WeakValueDictionary

from awaken.project.source.looked_at import WatchedSnapshot
from awaken.project.source.modules import Module
from awaken.workspace.parsing import Unparsable, parse, parse_again
from awaken.workspace.sources import is_python

KEPT_SOURCE_BYTES = 8_000_000
"""Source of the trees that are kept. A tree with its scopes takes 40 to 50 times the bytes of its
source, so these are up to 400 MB in each process. With 5.5 MB manila and neutron take 17 % longer,
litellm 10 %, and 5 to 20 % less memory; with 11 MB neutron parses 40 MB in place of 52 MB."""

USED_AGAIN_SHARE = 10 / 11
"""How much of that may be trees that were asked for again, after others. What goes through all
files asks for most of them once: such trees let each other go, not those that questions lead to.
AntaREST is parsed six times over with this, nine times without."""

COLLECTED_SOURCE_BYTES = 3_000_000
"""Source of the trees that nobody should hold any more, but that are still there, after which
garbage is collected. No collection happens by itself during a run: it would visit all trees."""

FORGOTTEN_SOURCE_BYTES = 3_000_000
"""Source of the trees that were let go after which what remembers some of them forgets it."""


class ModuleStore:
    """Parsed files by path; ``earlier`` is the store of an earlier snapshot, which is given up.

    ``failures`` are the files that this Python cannot parse, ``parsed`` those that were, whether or
    not their trees are kept.

    ``let_go`` is called where trees are held beyond those last used: whoever remembers what leads
    to some of them forgets it.

    A file is parsed again only if nobody holds its tree any more. So two nodes that are held
    together with their modules are one place of a file if and only if they are one object; nodes
    kept without their module are compared by place (``same_node``).
    """

    def __init__(
        self,
        files: WatchedSnapshot,
        name_of: Callable[[str], str],
        let_go: Callable[[], None],
        earlier: ModuleStore | None = None,
    ) -> None:
        self._files = files
        self._name_of = name_of
        self.failures: dict[str, Unparsable] = {}
        self.parsed: set[str] = set()
        self._forget = let_go
        # The first to go is what nobody asked for again, then what nobody did for longest.
        self._once: OrderedDict[str, Module] = OrderedDict()
        self._again: OrderedDict[str, Module] = OrderedDict()
        self._latest = ""
        self._uncollected = 0
        self._held: WeakValueDictionary[str, Module] = WeakValueDictionary()
        self._alive: WeakSet[Module] = WeakSet() if earlier is None else earlier.alive()
        self._bytes = self._bytes_again = 0
        # All trees of an earlier store, except those that are taken over.
        self._let_go = 0 if earlier is None else FORGOTTEN_SOURCE_BYTES

    def module(self, path: str) -> Module | None:
        """Return the parsed file; None where there is none or this Python cannot parse it.

        The module notes what its callers see of it.
        """
        module = self.module_to_search(path)
        if module is not None:
            self._files.looked_at.note_facts(path, "parses", "", b"")
        return module

    def module_to_search(self, path: str) -> Module | None:
        """Return the same for a search, which whoever asks notes."""
        kept = self.get(path)
        if kept is not None:
            return kept
        if path not in self._files or not is_python(path):
            return None
        if path in self.failures:
            self._files.looked_at.note_read(path)
            return None
        source = self._files.file_to_search(path)
        try:
            tree = parse_again(source) if path in self.parsed else parse(source)
        except Unparsable as failure:
            self.failures[path] = failure
            self._files.looked_at.note_read(path)
            return None
        self.parsed.add(path)
        module = Module(source, tree, self._name_of(path))
        self.add(module)
        return module

    def alive(self) -> WeakSet[Module]:
        """Return the parsed files that are in memory, those of earlier stores included."""
        return self._alive

    def __iter__(self) -> Iterator[Module]:
        yield from self._once.values()
        yield from self._again.values()

    def get(self, path: str) -> Module | None:
        """Return the parsed file at ``path``; None if it must be parsed."""
        kept = self._again.get(path)
        if kept is not None:
            self._again.move_to_end(path)
        elif path in self._once:
            kept = self._once[path] if path == self._latest else self._promoted_file(path)
        else:
            kept = self._held.get(path)
            if kept is not None:
                self._keep(kept)
        self._latest = path
        return kept

    def add(self, module: Module) -> None:
        """Keep ``module``, and let others go: what was used once first, then what was not used."""
        self._held[module.path] = module
        self._alive.add(module)
        self._keep(module)
        self._latest = module.path

    def give_up(self, paths: Iterable[str]) -> None:
        """Keep no tree of these files any longer: whoever holds one may go on with it."""
        for path in paths:
            once, again = self._once.pop(path, None), self._again.pop(path, None)
            self._bytes -= 0 if once is None else _size(once)
            if again is not None:
                self._bytes -= _size(again)
                self._bytes_again -= _size(again)

    def _promoted_file(self, path: str) -> Module:
        """Return a file that is asked for again, after others: it is kept longer."""
        module = self._again[path] = self._once.pop(path)
        self._bytes_again += _size(module)
        while self._bytes_again > KEPT_SOURCE_BYTES * USED_AGAIN_SHARE:
            earlier, dropped = self._again.popitem(last=False)
            self._bytes_again -= _size(dropped)
            self._once[earlier] = dropped
        return module

    def _keep(self, module: Module) -> None:
        self._once[module.path] = module
        self._bytes += _size(module)
        while self._bytes > KEPT_SOURCE_BYTES and (len(self._once) > 1 or self._again):
            self._drop()
        if self._let_go > FORGOTTEN_SOURCE_BYTES:
            self._forget()
            self._let_go = 0
            self.collect()

    def collect(self) -> None:
        """Collect garbage where many trees are in memory that are not kept.

        Trees that the last collection left do not count. Somebody holds them, such as other stores
        of the snapshot.
        """
        still_there = self._still_there()
        self._uncollected = min(self._uncollected, still_there)
        if still_there > self._uncollected + COLLECTED_SOURCE_BYTES:
            gc.collect()
            self._uncollected = self._still_there()

    def _drop(self) -> None:
        """Drop the tree that is needed least, but never the last one."""
        is_again = len(self._once) == 1
        _, dropped = (self._again if is_again else self._once).popitem(last=False)
        self._bytes_again -= _size(dropped) if is_again else 0
        self._bytes -= _size(dropped)
        self._let_go += _size(dropped)

    def _still_there(self) -> int:
        """Return the bytes of source of trees that are in memory, and not those last used."""
        kept = {id(module.tree) for module in self}
        sizes = {id(module.tree): _size(module) for module in self._alive}
        return sum(size for tree, size in sizes.items() if tree not in kept)


def _size(module: Module) -> int:
    return module.size
