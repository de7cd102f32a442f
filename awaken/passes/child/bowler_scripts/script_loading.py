"""Runs a script, and captures its queries where they would run."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import bowler.query
from bowler import Query
from bowler.helpers import find_last
from bowler.tool import BowlerTool
from fissix.pytree import Leaf

from awaken.passes.child.bowler_scripts.callback_bindings import Bindings, Snapshot
from awaken.passes.child.bowler_scripts.query import CapturedQuery
from awaken.passes.child.bowler_scripts.refactoring import CannotParse
from awaken.passes.child.foreign_serving import Foreign
from awaken.passes.child.project_modules import ProjectModules
from awaken.passes.protocol import (
    Answer,
    Item,
    Loaded,
    Ready,
    Rewritten,
    Setup,
    Unreadable,
    Unusable,
)
from awaken.workspace.sources import decode


class _OwnRun(Exception):
    """A script reads and writes files itself, by a part of Bowler."""


class _Broken(Exception):
    """A query makes what the next one cannot read."""


def load(setup: Setup, modules: ProjectModules | None = None) -> tuple[Loaded, Foreign | None]:
    """Run the script of a setup, and return the queries that it makes."""
    module = _module(setup.target, modules or ProjectModules(setup))
    capture = _Capture(module, Path(setup.root))
    Query.execute = lambda query, **options: capture.execute(query, options)
    BowlerTool.run = _refuse_own_run
    bowler.query.find_previous = _end_of_block_before
    try:
        _run(module)
    except SystemExit as error:
        # Many end with `sys.exit(query.retcode)`.
        if not capture.queries or error.code not in {None, 0}:
            raise
    queries = capture.finish()
    if not queries:
        why = "it makes no query: `main()`, or the script when it is imported, must run one"
        return Unusable(f"{setup.target}: {why}"), None
    every = [one.words for one in queries]
    triggers = sorted({word for words in every for word in words}) if all(every) else []
    return Ready(tuple(triggers)), Script(Path(setup.root), queries)


def _refuse_own_run(tool: object, paths: object) -> NoReturn:
    del tool, paths
    raise _OwnRun("a BowlerTool reads and writes files itself: end a Query, so that awaken may")


def _module(target: str, modules: ProjectModules) -> ModuleType:
    """Return the module of a script that is not run yet."""
    path = Path(target)
    if path.suffix != ".py":
        modules.begin(target)
        spec = importlib.util.find_spec(target)
        name = target
    else:
        # As Bowler names it; with its ending it cannot hide a module of the same name.
        name = path.name
        spec = importlib.util.spec_from_loader(name, modules.script(target))
    if spec is None or spec.loader is None:
        raise ImportError(f"{target} is no Python script")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    return module


def _run(module: ModuleType) -> None:
    """Run a script as ``bowler run`` does."""
    spec = module.__spec__
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module)
    main = getattr(module, "main", None)
    if main is not None:
        main()


class _Capture:
    """Replaces the part of Bowler that runs queries."""

    def __init__(self, module: ModuleType, root: Path) -> None:
        self._module = module
        self._root = root
        self._snapshots: list[Snapshot] = []
        self.queries: list[tuple[Any, CapturedQuery]] = []

    def execute(self, query: Any, options: dict[str, Any]) -> Any:
        """Keep a query as it is now."""
        captured = CapturedQuery.of(query, options, self._root)
        self.queries.append((query, captured))
        self._snapshots.append(Snapshot.of(vars(self._module), captured.callbacks))
        query.retcode = 0
        return query

    def finish(self) -> list[CapturedQuery]:
        """Return the queries to be made, each with the meaning of the names in its callbacks.

        One that is shown and then written (``query.diff()``, ``query.write()``) is made once.
        """
        kept = [
            index
            for index, (query, one) in enumerate(self.queries)
            if not any(
                other is query and (later.writes or at > index) and not one.writes
                for at, (other, later) in enumerate(self.queries)
                if at != index
            )
        ]
        bindings = Bindings.bindings_between([self._snapshots[index] for index in kept])
        return [
            self.queries[index][1].with_bindings(one)
            for index, one in zip(kept, bindings, strict=True)
        ]


class Script:
    """The queries of a script, one after the other."""

    def __init__(self, root: Path, queries: Sequence[CapturedQuery]) -> None:
        self._root = root
        self._queries = queries

    def rewritten(self, item: Item) -> Answer:
        """Return what the queries make of a file."""
        source = decode(item.path, item.content)
        before = after = source.text.decode()
        try:
            for query in self._queries:
                after = query.new_text(after, self._root / item.path)
        except CannotParse as error:
            if after != before:
                raise _Broken(
                    f"a query makes of the file what the next cannot read: {error}"
                ) from None
            return Unreadable(str(error), error.line)
        return Rewritten(
            source.with_text(after.encode()).raw() if after != before else item.content
        )


def _end_of_block_before(getter: Any, kind: int, recursive: bool = False) -> Leaf | None:
    """Return the end of the block that a property follows, None if it follows none.

    Replaces Bowler's ``find_previous``, which is used for that alone.

    Bowler ends it with a line of blanks, and swaps its end with that of the block before it.
    Today's fissix keeps the ends of blocks elsewhere. The property, or the statement after the
    class, would land in another block.
    """
    setter = getter.next_sibling
    end = find_last(setter, kind, recursive)
    leaves = list(getter.prev_sibling.leaves()) if getter.prev_sibling is not None else []
    before = leaves[-1] if leaves and leaves[-1].type == kind else None
    if before is not None:
        end.prefix, end.value = "\n", ""
    elif not _blank_follows(setter):
        end.value = ""
    return before


def _blank_follows(setter: Any) -> bool:
    """Whether a blank line, or nothing, follows a property."""
    node = setter
    while node.parent is not None:
        if node.next_sibling is not None:
            node = node.next_sibling
            if str(node):
                return str(node).startswith("\n")
        else:
            node = node.parent
    return True
