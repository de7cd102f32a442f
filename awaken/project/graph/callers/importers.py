"""The importers of files: all that may hold what a file defines, over any number of imports."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable

from awaken.knowledge.library_names import name_list
from awaken.project.names.module_layout import Layout
from awaken.project.source.memo import cached_method
from awaken.project.source.words import Words
from awaken.project.source.worklist import MOST_FILES

_LOADING = sorted(name_list("loaders_of_code"))
_MOST_IMPORTERS = 200  # half a second of searches; of what more files import, all are searched


class Importers:
    """Finds importers by the words of import statements: too many rather than too few."""

    def __init__(self, layout: Layout, words: Words) -> None:
        self._layout = layout
        self._words = words

    def with_importers(self, paths: Iterable[str]) -> frozenset[str] | None:
        """Return ``paths`` and all files that import one of them, directly or not.

        None where these are too many: then nearly everything imports everything.
        """
        result = dict.fromkeys(sorted(paths))
        waiting = [*result]
        while waiting:
            new = [path for path in self.direct(waiting.pop()) if path not in result]
            result |= dict.fromkeys(new)
            waiting += new
            # Each further importer may take a search.
            if len(result) > _MOST_IMPORTERS:
                return None
        return frozenset(result)

    @cached_method
    def may_meet(self, first: str, second: str) -> bool:
        """Whether a process may run both files, so that one gets objects of the other.

        Some file imports both then, or files load others by text. Frameworks load folders, and what
        loads them is not below: files of one folder at the top may always meet.
        """
        sides = [self.with_importers([path]) for path in (first, second)]
        if self._layout.published or None in sides or any(map(self._words.files_with, _LOADING)):
            return True
        one, other = (side or frozenset() for side in sides)
        folders, others = ({path.partition("/")[0] for path in side} for side in (one, other))
        if folders & others or not all("/" in path for path in one | other):
            return True
        return self._names_one(one, other) or self._names_one(other, one)

    def _names_one(self, paths: Iterable[str], others: Iterable[str]) -> bool:
        """Whether a text in one of ``paths`` begins with the name of one of ``others``."""
        names = [self._layout.name_of(path) for path in sorted(others)]
        quoted = [f"{quote}{name}".encode() for name in names for quote in "\"'"]
        texts = map(self._words.text, sorted(paths))
        return any(name in text for text in texts for name in quoted)

    @cached_method
    def direct(self, path: str) -> list[str]:
        """Return the files that may import the file at ``path`` itself, sorted."""
        # Sorted: which files are asked before the limit is reached is evidence.
        return sorted(self._importing(path))

    def _importing(self, path: str) -> set[str]:
        package, _, last = self._layout.name_of(path).rpartition(".")
        folder = path.rpartition("/")[0]
        if path.endswith("__init__.py"):
            folder = folder.rpartition("/")[0]
        # A relative import names no package, but only neighboring files or those below can write
        # it.
        beside = f"{folder}/" if folder else ""
        paths = self._words.python()
        # They are sorted. No path goes on with the last of all characters.
        neighbours = paths[bisect(paths, beside) : bisect(paths, f"{beside}\U0010ffff")]
        parent = package.rpartition(".")[2]
        if not last:
            result = set[str]()
        elif not parent or len(neighbours) > MOST_FILES:
            named = self._words.imported_in(last)
            importing = set(self._words.imported_in(last, parent) if parent else named)
            result = {name for name in named if name in importing or name.startswith(beside)}
        else:
            result = set(self._words.imported_in(last, parent))
            result.update(name for name in neighbours if self._words.imports(name, last))
        if path.rpartition("/")[2] == "conftest.py":
            # Tests are given the fixtures of such a file without an import.
            result.update(neighbours)
        return result
