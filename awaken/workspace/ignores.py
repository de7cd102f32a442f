"""Patterns of names that a walk leaves out: the ``exclude`` options and ``.gitignore`` files.

The latter have no effect on what git tracks.
"""

from __future__ import annotations

import os
import re
import warnings
from bisect import bisect_left
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.workspace.formats.git_index import LARGEST, paths_of_index
from awaken.workspace.reading import METADATA_LIMIT, Enclosure, enclosure_of, working_tree
from awaken.workspace.sources import LINE_END

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pathspec import GitIgnoreSpec

DEFAULT_EXCLUDE = (
    ".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".mypy_cache",
    ".nox", ".pants.d", ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox",
    ".venv", ".vscode", "__pycache__", "__pypackages__", "_build", "buck-out", "build", "dist",
    "node_modules", "site-packages", "venv", "*{{*", "*{%*",
)  # fmt: skip
"""What ruff leaves out by default, ``__pycache__``, and templates: ``{{cookiecutter.name}}``."""


class PathPatterns(Struct, frozen=True):
    """Patterns as in ``.gitignore``, and the absolute directory that they are relative to.

    Without a directory they are relative to the root of the project that they are used in.
    """

    patterns: tuple[str, ...]
    directory: Path | None = None

    def patterns_below(self, root: Path) -> Patterns:
        """Return them ready to match paths of the project in ``root``."""
        return Patterns(f"{self.directory or root}/".replace("//", "/"), self.patterns)


class Patterns:
    """The patterns of one ignore file or option, matched one directory level at a time.

    ``base`` is the absolute directory, ending in a slash, that the patterns are relative to. Like
    git, a caller asks for each directory on the way down; so a pattern without a slash depends on
    the name alone, and its answer is kept: names repeat, and matching costs 0.3 µs a pattern.
    ``file`` is the path of the ignore file, empty for an option.
    """

    def __init__(self, base: str, lines: Iterable[str], file: str = "") -> None:
        self.base = base
        self.file = file
        self._lines = tuple(lines)
        loose: list[tuple[int, str]] = []
        anchored: list[tuple[int, str]] = []
        for number, line in enumerate(self._lines):
            if line:
                kind = anchored if "/" in line.strip().rstrip("/") else loose
                kind.append((number, line))
        self._loose = _Numbered(loose)
        self._anchored = _Numbered(anchored) if anchored else None
        self._known: dict[str, tuple[int, bool | None]] = {}

    def decision(self, path: str, name: str) -> bool | None:
        """Return True (left out), False (kept by a ``!`` pattern) or None (no pattern says).

        ``path`` is absolute, below ``base``, and ``name`` its last part; directories end in a
        slash in both. The last matching pattern decides. Patterns without a slash also say
        something of a path that is not below ``base``.
        """
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._loose.last_match(name)
        if self._anchored is None or not path.startswith(self.base):
            return known[1]
        anchored = self._anchored.last_match(path[len(self.base) :])
        return anchored[1] if anchored[0] > known[0] else known[1]

    def deciding(self, path: str, name: str) -> tuple[int, str] | None:
        """Return the pattern that decides what ``decision`` says, and its line, counted from 1."""
        matches = [self._loose.last_match(name)]
        if self._anchored is not None and path.startswith(self.base):
            matches.append(self._anchored.last_match(path[len(self.base) :]))
        number = max(number for number, _ in matches)
        return None if number < 0 else (number + 1, self._lines[number])


_NAME = re.compile(r"/?[A-Za-z0-9_.-]{1,255}")
"""A pattern that matches exactly what is called like it, with a slash only at the top.

No file system has longer names."""


_PART = re.compile(r"\*([A-Za-z0-9_.{%-]+)\*")
"""A pattern that matches all names with a text in them."""


class _Numbered:
    """Patterns with their line numbers; like git, without invalid ones."""

    def __init__(self, lines: list[tuple[int, str]]) -> None:
        # Mere names, as those left out by default, need no regular expression: a name is looked up.
        parts = [(number, part[1]) for number, line in lines if (part := _PART.fullmatch(line))]
        names = {line: number for number, line in lines if _NAME.fullmatch(line)}
        plain = all(line in names or _PART.fullmatch(line) for _, line in lines)
        self._names = names if plain else {}
        self._parts = parts if plain else []
        lines = [] if plain else [(number, line) for number, line in lines if _is_short(line)]
        # All at once first: asking for each line alone is slow, and hardly any file needs it.
        spec = _compiled_patterns(tuple(line for _, line in lines)) if lines else None
        if lines and spec is None:
            lines = [(number, line) for number, line in lines if is_pattern(line)]
            spec = _compiled_patterns(tuple(line for _, line in lines))
        self._spec = spec
        self._numbers = [number for number, _ in lines]

    def last_match(self, path: str) -> tuple[int, bool | None]:
        """Return the line number and the decision of the last pattern that matches."""
        if not self._numbers or self._spec is None:
            at_top = self._names.get(f"/{path.partition('/')[0]}")
            named = self._names.get(path.removesuffix("/"), at_top)
            numbers = [number for number, part in self._parts if part in path]
            numbers += [] if named is None else [named]
            return (max(numbers), True) if numbers else (-1, None)
        result = self._spec.check_file(path)
        return (-1, None) if result.index is None else (self._numbers[result.index], result.include)


def is_pattern(line: str) -> bool:
    """Whether ``line`` is valid in a ``.gitignore``; one with a backslash at its end is not."""
    # A bracket that nothing closes names no file at all: it is a slip.
    opened = line.replace("\\[", "").partition("[")
    is_closed = not opened[1] or "]" in opened[2]
    return is_closed and _is_short(line) and _compiled_patterns((line,)) is not None


_LONGEST = 4096
"""Characters of a pattern: no path of a file system is longer."""

_WILD_DIRECTORIES = 2
"""How often ``**`` may stand in a pattern, but at its end: matching takes the depth of a path to
the power of it."""


def _is_short(line: str) -> bool:
    """Whether a pattern can be matched in little time; others are passed over as if misspelt."""
    if len(line) > _LONGEST:
        return False
    return "**" not in line or line.strip().rstrip("/*").split("/").count("**") <= _WILD_DIRECTORIES


_STARS = re.compile(r"(?:\[\^/\]\*){2,}")

# One star and what follows it, as pathspec translates them, up to the next star of the same name.
# Text between two stars may match at its first place: later text then has the most room.
_STAR_BEFORE_STAR = re.compile(
    r"\[\^/\]\*(?P<text>(?:(?!\[\^/\]\*)(?:\\.|\[\^?\]?(?:\\.|[^\]\\])*+\]|[^/()\\\[|*+?.]))+)"
    r"(?=\[\^/\]\*)",
    re.DOTALL,
)


@lru_cache(maxsize=64)
def _compiled_patterns(lines: tuple[str, ...]) -> GitIgnoreSpec | None:
    """Return the patterns ready to match, in a time that grows with pattern and path alone."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415  mere names need none

    try:
        with warnings.catch_warnings(action="ignore"):  # about [[ in the regular expression
            spec = GitIgnoreSpec.from_lines(lines)
            for pattern in spec.patterns:
                if pattern.regex is not None and pattern.regex.pattern.count("[^/]*") > 1:
                    single = _STARS.sub("[^/]*", pattern.regex.pattern)
                    once = _STAR_BEFORE_STAR.sub(r"(?>[^/]*?\g<text>)", single)
                    pattern.regex = re.compile(once)
    except (ValueError, re.error):
        return None
    return spec


def is_excluded(patterns: Sequence[Patterns], path: str, name: str) -> bool:
    """Whether ``patterns``, outermost first, leave out the absolute ``path``: the innermost says.

    ``name`` is the last part of ``path``; directories end in a slash in both.
    """
    for pattern in reversed(patterns):
        decision = pattern.decision(path, name)
        if decision is not None:
            return decision
    return False


def leaves_out(patterns: Sequence[Patterns], root: str, path: str) -> bool:
    """Whether ``patterns``, the strongest last, name the project-relative ``path``.

    As they do for git, also where they name a directory above it that is below their own, or below
    the absolute ``root`` of the project, which ends in a slash.
    """
    full = root + path
    starts = [len(pattern.base if root.startswith(pattern.base) else root) for pattern in patterns]
    ends = [at + 1 for at, character in enumerate(full) if character == "/"]
    for end in (*ends, len(full)):
        level = full[:end]
        name = level[level.rstrip("/").rfind("/") + 1 :]
        asked = [item for item, start in zip(patterns, starts, strict=True) if end > start]
        if is_excluded(asked, level, name):
            return True
    return False


def gitignore(directory: str) -> Patterns:
    """Return the patterns of the ``.gitignore`` in ``directory``, which ends in a slash."""
    return _in_file(enclosure_of(Path(directory)), directory, ".gitignore")


def outer_gitignores(root: Path) -> list[Patterns]:
    """Return the patterns that apply to ``root`` from its repository's upper directories.

    Outermost first; empty outside a repository, and where they leave out ``root`` itself: a user
    who names an ignored directory wants its files.
    """
    top = working_tree(root)
    if top is None:
        return []
    patterns = [_in_file(Enclosure(top), f"{top}/", ".git/info/exclude")]
    inside = [parent for parent in (root, *root.parents) if parent.is_relative_to(top)]
    for above, below in pairwise(reversed(inside)):
        patterns.append(gitignore(f"{above}/"))
        if is_excluded(patterns, f"{below}/", f"{below.name}/"):
            return []
    return patterns


def _in_file(enclosure: Enclosure, directory: str, name: str) -> Patterns:
    text = _read(enclosure, directory + name).decode("utf-8-sig", "replace")
    return Patterns(directory, LINE_END.split(text), directory + name)


def _read(enclosure: Enclosure, path: str, limit: int = METADATA_LIMIT) -> bytes:
    try:
        return enclosure.read(path, limit)
    except OSError:
        return b""


class TrackedPaths:
    """The paths below ``root``, an absolute directory, that git tracks; read at the first use.

    A linked working tree and a submodule have their index elsewhere. It is not read, so no path
    counts as tracked there.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def hold(self, path: str) -> bool:
        """Whether git tracks a path, relative to the root, or anything below a directory.

        A directory ends in a slash. Git has the name itself of a submodule or a link.
        """
        prefix, paths = self._index
        name = prefix + os.fsencode(path)
        bare = name.rstrip(b"/")
        at, below = bisect_left(paths, bare), bisect_left(paths, name)
        is_below = name != bare and b"".join(paths[below : below + 1]).startswith(name)
        return is_below or paths[at : at + 1] == (bare,)

    @cached_property
    def _index(self) -> tuple[bytes, tuple[bytes, ...]]:
        """The path of the root in its working tree, and the paths in the index."""
        top = working_tree(self._root)
        if top is None:
            return b"", ()
        inside = "" if top == self._root else f"{self._root.relative_to(top).as_posix()}/"
        return os.fsencode(inside), _paths_of(_read(Enclosure(top), f"{top}/.git/index", LARGEST))


# Kept by its bytes: the projects of a repository share an index, and may be many.
_paths_of = lru_cache(maxsize=1)(paths_of_index)
