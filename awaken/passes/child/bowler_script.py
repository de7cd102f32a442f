"""Runs a script of Bowler: its queries are captured instead of run, and made on one text each.

Nothing of Bowler reads, patches or writes a file, asks, or starts a process: on the way it would
lose carriage returns, byte order marks and files that it cannot parse.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from bowler import Query
from bowler.helpers import filename_endswith
from fissix.pgen2.parse import ParseError
from fissix.refactor import RefactoringTool

from awaken.passes.child.serving import Foreign
from awaken.passes.messages import (
    Answer,
    Item,
    Loaded,
    Ready,
    Rewritten,
    Setup,
    Unreadable,
    Unusable,
)
from awaken.workspace.sources import LINE_END, decode

_CONTEXT = 3
"""Unchanged lines around a hunk, as Bowler's processors see it."""


@dataclass(frozen=True)
class _Captured:
    """A query of the script, as it was when it was to be run."""

    fixers: Sequence[Any]
    options: dict[str, bool]
    matches: Callable[[str], bool]
    processors: Sequence[Callable[[str, list[str]], object]]
    paths: Sequence[Path]
    words: Sequence[str]

    def is_about(self, path: Path) -> bool:
        """Whether the query was to be run on a file."""
        return self.matches(str(path)) and any(path.is_relative_to(one) for one in self.paths)


class _CannotParse(Exception):
    """The grammar of Bowler has no rule for what stands in a line, 0 where it does not say."""

    def __init__(self, why: str, line: int) -> None:
        super().__init__(why)
        self.line = line


def load(setup: Setup) -> tuple[Loaded, Foreign | None]:
    """Run the script of a setup, and return the queries that it makes."""
    captured: list[_Captured] = []

    def execute(query: Any, **options: object) -> Any:
        del options
        captured.append(_captured(query))
        query.retcode = 0
        return query

    Query.execute = execute
    try:
        main = getattr(_script(setup.target), "main", None)
        if main is not None:
            main()
    except SystemExit as error:
        # `sys.exit(query.retcode)` stands at the end of many.
        if not captured or error.code not in {None, 0}:
            raise
    if not captured:
        why = "it makes no query: `main()`, or the script when it is imported, must run one"
        return Unusable(f"{setup.target}: {why}"), None
    every = [one.words for one in captured]
    triggers = sorted({word for words in every for word in words}) if all(every) else []
    return Ready(tuple(triggers)), _Script(setup, captured)


def _script(target: str) -> ModuleType:
    path = Path(target)
    if not path.is_file():
        return importlib.import_module(target)
    spec = importlib.util.spec_from_file_location(path.name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python script")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _captured(query: Any) -> _Captured:
    return _Captured(
        fixers=query.compile(),
        options={"print_function": True} if query.python_version == 3 else {},  # noqa: PLR2004
        matches=query.filename_matcher or filename_endswith(".py"),
        processors=tuple(query.processors),
        paths=tuple(Path(one).absolute() for one in query.paths),
        words=tuple(_words(query)),
    )


def _words(query: Any) -> Iterator[str]:
    """Yield a word for each selector, of which a file holds one if it has a site.

    Nothing if a selector names nothing: any file may have one.
    """
    found: list[str] = []
    for transform in query.transforms:
        parts = re.findall(r"\w+", str(transform.kwargs.get("name", "")))
        if transform.fixer is not None or not parts:
            return
        found.append(max(parts, key=len))
    yield from found


class _Script:
    """The queries of a script, one after the other."""

    def __init__(self, setup: Setup, captured: Sequence[_Captured]) -> None:
        self._root = Path(setup.root)
        self._queries = captured

    def rewritten(self, item: Item) -> Answer:
        """Return what the queries make of a file."""
        source = decode(item.path, item.content)
        path = self._root / item.path
        before = after = source.text.decode()
        try:
            for query in self._queries:
                if query.is_about(path):
                    after = _made(query, after, str(path))
        except _CannotParse as error:
            return Unreadable(str(error), error.line)
        return Rewritten(
            source.with_text(after.encode()).raw() if after != before else item.content
        )


class _Tool(RefactoringTool):  # type: ignore[misc]
    """Bowler's way to run fixers, that says what cannot be parsed."""

    def get_fixers(self) -> tuple[list[Any], list[Any]]:
        fixers = [one(self.options, self.fixer_log) for one in self.fixers]
        return [one for one in fixers if one.order == "pre"], [
            one for one in fixers if one.order == "post"
        ]

    def log_error(self, message: str, *arguments: object, **named: object) -> NoReturn:
        del message, arguments, named
        error = sys.exc_info()[1]
        line = error.context[1][0] if isinstance(error, ParseError) else 0
        raise _CannotParse(" ".join(str(error).split()), line) from error


def _made(query: _Captured, text: str, path: str) -> str:
    """Return the text that a query makes of another. Raises _CannotParse."""
    ends = LINE_END.findall(text)
    plain = LINE_END.sub("\n", text)
    is_whole = plain.endswith("\n") or not plain
    tree = _Tool(query.fixers, options=query.options).refactor_string(
        plain if is_whole else f"{plain}\n", path
    )
    made = str(tree) if tree is not None else plain
    if not is_whole:
        made = made.removesuffix("\n")
    if made == plain:
        return text
    newline = max(set(ends), key=ends.count) if ends else "\n"
    old, new = _lines(text), [f"{one}\n" for one in made.split("\n")]
    new[-1] = new[-1].removesuffix("\n")
    return "".join(_joined(query, path, old, new, newline))


def _lines(text: str) -> list[str]:
    """Return the lines of a text with their ends; a form feed ends none."""
    found: list[str] = []
    start = 0
    for match in LINE_END.finditer(text):
        found.append(text[start : match.end()])
        start = match.end()
    return [*found, text[start:]]


def _joined(
    query: _Captured, path: str, old: Sequence[str], new: Sequence[str], newline: str
) -> Iterator[str]:
    """Yield the lines of a file after those hunks that no processor refuses."""
    plain = [LINE_END.sub("", one) for one in old], [one.removesuffix("\n") for one in new]
    matcher = SequenceMatcher(None, *plain, autojunk=False)
    at = 0
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        if not _is_accepted(query, path, group, *plain):
            continue
        for tag, start, end, new_start, new_end in group:
            yield from old[at:start]
            lines = new[new_start:new_end]
            if tag == "equal":
                yield from old[start:end]
            elif len(lines) == end - start:
                yield from map(_ended_as, lines, old[start:end])
            else:
                yield from (one.replace("\n", newline) for one in lines)
            at = end
    yield from old[at:]


def _ended_as(line: str, before: str) -> str:
    """Return a line with the end of the one in its place."""
    end = LINE_END.search(before)
    return line.replace("\n", end.group() if end else "")


def _is_accepted(
    query: _Captured,
    path: str,
    group: Sequence[tuple[str, int, int, int, int]],
    old: Sequence[str],
    new: Sequence[str],
) -> bool:
    """Whether every processor of a query takes a hunk; each is shown it, as Bowler does."""
    if not query.processors:
        return True
    first, last = group[0], group[-1]
    before, after = _range(first[1], last[2]), _range(first[3], last[4])
    hunk = [f"--- {path}", f"+++ {path}", f"@@ -{before} +{after} @@"]
    for tag, start, end, new_start, new_end in group:
        if tag == "equal":
            hunk += [f" {one}" for one in old[start:end]]
            continue
        hunk += [f"-{one}" for one in old[start:end]]
        hunk += [f"+{one}" for one in new[new_start:new_end]]
    return all([one(path, list(hunk)) is not False for one in query.processors])  # noqa: C419  all are asked


def _range(start: int, end: int) -> str:
    length = end - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"
