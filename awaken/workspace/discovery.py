"""The discovery of the projects of a run, and of the Python files that belong to each.

``.py`` files only: a stub (``.pyi``) has no bodies to rewrite, a notebook is not text.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, structs

from awaken.workspace.ignores import (
    DEFAULT_EXCLUDE,
    PathPatterns,
    Patterns,
    TrackedPaths,
    gitignore,
    is_excluded,
    leaves_out,
    outer_gitignores,
)
from awaken.workspace.manifests.project_marks import (
    Marker,
    is_project,
    marker_in,
    names_in,
    outside_packages,
    root_above,
)
from awaken.workspace.reading import Enclosure, enclosure_of, first_bytes, is_boundary
from awaken.workspace.sources import FileProblem, is_python

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

DEPTH_LIMIT = 100
"""Levels of directories that a walk goes down; the deepest of 20 programs has 10. An ignore pattern
with ``**`` takes the square of it."""


class Root(Struct, frozen=True):
    """One project: its absolute directory, and what of it the user named.

    ``selected`` holds project-relative files and directories, ``"."`` for everything.
    ``lone`` says that the directory is no project (a home directory, say): only the selected
    files belong to the run.
    """

    path: Path
    selected: tuple[str, ...] = (".",)
    lone: bool = False

    def selects(self, path: str) -> bool:
        """Whether the project-relative ``path`` lies in what the user named."""
        names = self.selected
        return "." in names or path in names or path.startswith(tuple(f"{name}/" for name in names))


class DiscoverySettings(Struct, frozen=True):
    """Which files a project leaves out; of ``exclude`` the last that says something decides.

    With ``force_exclude`` what it names is left out although the user named it. ``members`` name
    projects inside of it whose files are its own. ``reads`` are patterns of other files to find as
    well, as in ``.gitignore``: rules ask for them.
    """

    exclude: tuple[PathPatterns, ...] = (PathPatterns(DEFAULT_EXCLUDE),)
    respect_gitignore: bool = True
    force_exclude: bool = False
    members: tuple[PathPatterns, ...] = ()
    reads: tuple[str, ...] = ()


class ExcludedPath(Struct, frozen=True):
    """A Python file, or a directory (its ``path`` ends in a slash), that a walk left out."""

    path: str
    by: Literal["exclude", ".gitignore"]


class Found(Struct, frozen=True):
    """The Python files of one root, sorted, and the selected projects inside it.

    ``texts`` are the other files that rules ask for, sorted; ``unread_texts`` says which of them
    are not read, and why. ``broken_links`` are symbolic links that lead to no file. ``members`` are
    the folders of projects inside whose files are the root's own.
    """

    root: Root
    files: tuple[str, ...]
    nested: tuple[Root, ...] = ()
    problems: tuple[FileProblem, ...] = ()
    excluded: tuple[ExcludedPath, ...] = ()
    texts: tuple[str, ...] = ()
    unread_texts: tuple[FileProblem, ...] = ()
    broken_links: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


def with_created(found: Found, files: Iterable[Path], reads: Sequence[str]) -> Found:
    """Return ``found`` with those of ``files`` that are not on disk yet.

    They are real paths; those of a project inside belong to that one. Of files that are no Python
    it takes those that rules ask for by the patterns ``reads``.
    """
    root = found.root.path
    inside = tuple(f"{item.path}/" for item in found.nested)
    created = [
        path
        for path in files
        if path.is_relative_to(root)
        and not f"{path}".startswith(inside)
        and not os.path.lexists(path)
    ]
    if not created:
        return found
    asked = Patterns(os.path.join(root, ""), reads)  # noqa: PTH118 - a string that ends in a slash
    python = {path.relative_to(root).as_posix() for path in created if path.suffix == ".py"}
    texts = {
        path.relative_to(root).as_posix()
        for path in created
        if path.suffix != ".py" and asked.decision(f"{path}", path.name)
    }
    return structs.replace(
        found,
        files=tuple(sorted({*found.files, *python})),
        texts=tuple(sorted({*found.texts, *texts})),
    )


def discover(
    paths: Sequence[Path],
    settings_of: Callable[[Path], DiscoverySettings],
    given: Collection[Path] = (),
) -> tuple[list[Found], list[FileProblem]]:
    """Return the projects that ``paths`` touch, sorted, and the paths that cannot be used.

    Projects inside a selected directory are projects of the run. ``settings_of`` gives the
    settings of the project in a directory; ``given`` are real paths of files that need not exist.
    """
    roots, problems = find_roots(paths, given)
    settings_at = cache(settings_of)
    waiting: dict[Path, Root] = {}
    for item in roots:
        home = _home_of(item, settings_at(item.path))
        waiting[home.path] = _merged_root(waiting.get(home.path), home)
    projects = []
    while waiting:
        root = waiting.pop(min(waiting))
        settings = settings_at(root.path)
        try:
            result = find_files(root, settings)
        except Exception as error:  # noqa: BLE001  no project may cost the others their run
            why = f"its files cannot be listed: {type(error).__name__}: {error}"
            problems.append(FileProblem(str(root.path), 0, why))
            continue
        projects.append(result)
        # An inner project sorts after the outer one, so it has not been walked yet.
        for inner in result.nested:
            waiting[inner.path] = _merged_root(waiting.get(inner.path), inner)
    return projects, problems


def _home_of(root: Root, settings: DiscoverySettings) -> Root:
    """Return the project that a root is a member of, with what is named of it; else the root."""
    for member in settings.members:
        home = member.directory
        if home is None or home == root.path or not root.path.is_relative_to(home):
            continue
        inside = root.path.relative_to(home)
        if leaves_out(
            [member.patterns_below(home)], f"{home}/".replace("//", "/"), f"{inside.as_posix()}/"
        ):
            return Root(home, tuple((inside / name).as_posix() for name in root.selected))
    return root


def _merged_root(one: Root | None, other: Root) -> Root:
    if one is None or one.lone:
        return other
    return Root(one.path, tuple(sorted({*one.selected, *other.selected})))


def find_roots(
    paths: Sequence[Path], given: Collection[Path] = ()
) -> tuple[list[Root], list[FileProblem]]:
    """Return the project root of each path, several paths of one project joined.

    The root is the nearest directory above with project metadata; else the outermost with a
    ``requirements.txt``; else the repository's; else the path's own directory, or the one that
    holds its outermost package. Nothing above the repository, and neither a home directory nor
    a file system's root, counts unless it is named itself. ``given``
    are real paths of files that need not exist.
    """
    roots: dict[Path, Root] = {}
    problems: list[FileProblem] = []
    for named in paths:
        # Real from here on: two ways to one file must not make two projects.
        path = Path(os.path.realpath(named))
        problem = None if path in given else _unusable(path)
        if problem:
            problems.append(FileProblem(str(named), 0, problem))
        else:
            root = _root_of(path)
            roots[root.path] = _merged_root(root, roots[root.path]) if root.path in roots else root
    return _outermost(roots), problems


def _root_of(path: Path) -> Root:
    start = path if path.is_dir() else path.parent
    home = root_above(start)
    if home is None and is_boundary(start):
        return Root(start, (path.relative_to(start).as_posix(),), lone=start != path)
    home = home or outside_packages(start)
    return Root(home, (path.relative_to(home).as_posix(),))


def _outermost(roots: dict[Path, Root]) -> list[Root]:
    """Fold directories without a marker into the one above: a walk of that would find them."""
    kept: dict[Path, Root] = {}
    for path, root in sorted(roots.items()):
        above = next((kept[parent] for parent in path.parents if parent in kept), None)
        if above is None or above.lone or root_above(path) is not None:
            kept[path] = root
            continue
        inside = path.relative_to(above.path)
        names = tuple((inside / name).as_posix() for name in root.selected)
        kept[above.path] = _merged_root(above, Root(above.path, names))
    return list(kept.values())


def _unusable(path: Path) -> str | None:
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists() raises for a name too long
        return "no such file or directory"
    if not path.is_dir() and path.suffix not in {".py", ".pyw"} and not _is_script(path):
        return "is not a Python file; awaken reads .py files"
    return None


_SHEBANG = re.compile(rb"#![^\n]*python")
_SHEBANG_BYTES = 256
"""As much as Linux reads of the line that names an interpreter."""


def _is_script(path: Path) -> bool:
    """Whether a file without suffix says in its first line that Python runs it."""
    if path.suffix:
        return False
    try:
        return _SHEBANG.match(first_bytes(path, _SHEBANG_BYTES)) is not None
    except OSError:
        return True  # reading it says what is wrong


def marker_of(root: Root) -> Marker:
    """Return what makes the directory of ``root`` a root."""
    if root.lone:
        return Marker("", 0, "no project: only the files that were named are read")
    return marker_in(root.path)


def find_files(root: Root, settings: DiscoverySettings | None = None) -> Found:
    """Return the Python files of ``root``: all of them, selected or not, for facts need them all.

    Files and directories that the user named are taken although they are excluded, unless
    exclusion is forced. Projects and repositories inside ``root`` keep their own files. A file or
    directory that cannot be used is one problem, and the walk goes on.
    """
    walk = _Walk(root, settings or DiscoverySettings())
    if root.lone:
        return Found(root, walk.named, excluded=tuple(walk.excluded))
    if walk.named:
        walk.everything()
    return Found(
        root=root,
        files=tuple(sorted(walk.files)),
        nested=tuple(walk.nested),
        problems=tuple(sorted(walk.problems)),
        excluded=tuple(
            item for item in dict.fromkeys(walk.excluded) if item.path.rstrip("/") not in walk.named
        ),
        texts=tuple(sorted(walk.texts)),
        unread_texts=tuple(sorted(walk.unread_texts)),
        broken_links=tuple(sorted(walk.broken_links)),
        members=tuple(sorted(walk.joined)),
    )


_LEADS_OUT = (
    "is a symbolic link that leads out of the project, so what it leads to is not read; "
    "exclude it, or replace it by the files"
)


class _Walk:
    """One pass over a root's directories; symbolic links wait until all real files are known."""

    def __init__(self, root: Root, settings: DiscoverySettings) -> None:
        self.root = root
        self.base = os.path.join(root.path, "")  # noqa: PTH118 - a string that ends in a slash
        self.enclosure = Enclosure(root.path)
        self.settings = settings
        self.exclude_patterns = [
            one.patterns_below(root.path) for one in settings.exclude if one.patterns
        ]
        self.members = [
            member.patterns_below(root.path) for member in settings.members if member.patterns
        ]
        self.reads = Patterns(self.base, settings.reads) if settings.reads else None
        self.files: set[str] = set()
        self.texts: set[str] = set()
        self.unread_texts: set[FileProblem] = set()
        self.nested: list[Root] = []
        self.joined: list[str] = []
        self.problems: list[FileProblem] = []
        self.broken_links: list[str] = []
        self.excluded: list[ExcludedPath] = []
        self.named = tuple(self.selected_paths())
        self.tracked = TrackedPaths(root.path)
        # Ignored directories of which only the files count that git tracks.
        self.partly: set[str] = set()
        self.links: list[tuple[str, tuple[Patterns, ...]]] = []
        # Real paths of directories and files, against links that lead in circles.
        self.seen: set[str] = set()
        names = names_in(root.path)
        self.bare = "requirements.txt" not in names and not is_project(self.base, names)

    def everything(self) -> None:
        """Walk the root, then the links, then what the user named and nothing else found."""
        outer = outer_gitignores(self.root.path) if self.settings.respect_gitignore else ()
        self.directory("", str(self.root.path), tuple(outer))
        self.follow_links()
        # A path that the user named counts although it is excluded, and the walk did not find it.
        for name in self.named:
            path = self.base + name
            if name != "." and os.path.isdir(path):  # noqa: PTH112 - strings throughout the walk
                self.directory(name + "/", path, ())
                self.follow_links()
            elif name != ".":
                self.files.add(name)

    def selected_paths(self) -> Iterable[str]:
        """Yield what the user named, without what is excluded if that counts for it."""
        for name in self.root.selected:
            slash = "/" if os.path.isdir(self.base + name) else ""  # noqa: PTH112
            path = "" if name == "." else name + slash
            if self.settings.force_exclude and leaves_out(self.exclude_patterns, self.base, path):
                self.excluded.append(ExcludedPath(path or "./", "exclude"))
            else:
                yield name

    def directory(self, relative: str, real: str, ignores: tuple[Patterns, ...]) -> None:
        """Walk one directory and those below; ``relative`` ends in a slash unless empty."""
        # A list instead of recursion: the depth is the target's to choose.
        waiting = [(relative, real, ignores)]
        while waiting:
            relative, real, ignores = waiting.pop()
            if relative.count("/") > DEPTH_LIMIT:
                why = f"is more than {DEPTH_LIMIT} directories deep, so nothing below it is read"
                self.problem(relative.rstrip("/"), why)
            elif real not in self.seen:
                self.seen.add(real)
                waiting.extend(self.one_directory(relative, real, ignores))

    def one_directory(
        self, relative: str, real: str, ignores: tuple[Patterns, ...]
    ) -> list[tuple[str, str, tuple[Patterns, ...]]]:
        """Note the files of one directory and return its directories."""
        try:
            with os.scandir(self.base + relative) as scan:
                entries = list(scan)
        except OSError as error:
            self.problem(relative.rstrip("/"), f"cannot be listed: {error.strerror}")
            return []
        names = {entry.name for entry in entries}
        if relative and self.is_other_project(relative, names):
            # One that is reached through a link lies elsewhere, and is found from there.
            if self.base + relative == real + "/" and self.root.selects(relative.rstrip("/")):
                self.nested.append(Root(Path(real)))
            return []
        ignores = self.with_own(relative, names, ignores)
        below = []
        for entry in entries:
            name = entry.name
            path = relative + name
            if entry.is_symlink():
                self.links.append((path, ignores))
            elif entry.is_dir(follow_symlinks=False):
                if self.is_wanted(path + "/", name + "/", ignores):
                    below.append((path + "/", f"{real}/{name}", ignores))
            elif self.reads is not None and not is_python(name):
                self.text(path, name, ignores)
            elif name.endswith(".py") and self.is_wanted(path, name, ignores):
                self.file(path, f"{real}/{name}", is_file=entry.is_file(follow_symlinks=False))
        return below

    def with_own(
        self, relative: str, names: set[str], ignores: tuple[Patterns, ...]
    ) -> tuple[Patterns, ...]:
        """Return ``ignores`` with those of a directory's own ``.gitignore``."""
        if relative in self.partly:
            # Git reads none in an ignored directory.
            return (Patterns(self.base, ("*",)),)
        if ".gitignore" in names and self.settings.respect_gitignore:
            return (*ignores, gitignore(self.base + relative))
        return ignores

    def text(self, relative: str, name: str, ignores: tuple[Patterns, ...]) -> None:
        """Note a file that is no Python if a rule asks for it."""
        path = self.base + relative
        if self.reads is None or not self.reads.decision(path, name):
            return
        if is_excluded(self.exclude_patterns, path, name):
            self.unread_texts.add(FileProblem(relative, 0, "is left out by `exclude`"))
        elif is_excluded(ignores, path, name) and not self.is_tracked(relative):
            self.unread_texts.add(FileProblem(relative, 0, "is left out by .gitignore"))
        elif name.isprintable():
            self.texts.add(relative)

    def is_wanted(self, relative: str, name: str, ignores: tuple[Patterns, ...]) -> bool:
        """Whether no option and no ``.gitignore`` leaves the path out, and it prints."""
        path = self.base + relative
        if is_excluded(self.exclude_patterns, path, name):
            self.excluded.append(ExcludedPath(relative, "exclude"))
            return False
        if is_excluded(ignores, path, name):
            if not self.is_tracked(relative):
                self.excluded.append(ExcludedPath(relative, ".gitignore"))
                return False
            self.partly.add(relative)
        if not name.isprintable():
            self.problem(relative.rstrip("/"), "has a name that is not printable UTF-8; rename it")
            return False
        return True

    def is_tracked(self, relative: str) -> bool:
        """Whether git tracks an ignored path; a path that the user named is read later."""
        return relative.rstrip("/") not in self.named and self.tracked.hold(relative)

    def file(self, relative: str, real: str, *, is_file: bool) -> None:
        """Note one file; pipes, sockets and devices are problems."""
        if is_file:
            self.files.add(relative)
            self.seen.add(real)
        else:
            self.problem(relative, "is not a regular file")

    def is_other_project(self, relative: str, names: set[str]) -> bool:
        """Whether a directory is a root of its own."""
        if ".git" in names:
            return True
        is_marked = is_project(self.base + relative, names)
        if self.members and leaves_out(self.members, self.base, relative):
            if is_marked or "requirements.txt" in names:
                self.joined.append(relative.rstrip("/"))
            return False
        requirements = self.bare and "requirements.txt" in names and "__init__.py" not in names
        return requirements or is_marked

    def is_sibling(self, real: str) -> bool:
        """Whether a directory is another project of the same repository: it has its own run."""
        same = enclosure_of(self.root.path).holds(real)
        return same and is_project(real, names_in(Path(real)))

    def follow_links(self) -> None:
        """Add what links lead to and nothing else did: the same real file or directory once."""
        while self.links:
            links, self.links = self.links, []
            # directories first, so that a link to one of their files is known as a second way
            links.sort(key=lambda link: (not os.path.isdir(self.base + link[0]), link[0]))  # noqa: PTH112
            for relative, ignores in links:
                self.follow(relative, ignores)

    def follow(self, relative: str, ignores: tuple[Patterns, ...]) -> None:
        """Add the file, or walk the directory, that one link leads to."""
        name = relative.rpartition("/")[2]
        path = self.base + relative
        real = os.path.realpath(path)
        if os.path.isdir(real):  # noqa: PTH112
            # a link to a directory above would bring in the whole project again, and more
            above = self.base.startswith(os.path.join(real, ""))  # noqa: PTH118
            if above or not self.is_wanted(relative + "/", name + "/", ignores):
                return
            if self.enclosure.holds(real):
                self.directory(relative + "/", real, ignores)
            elif not self.is_sibling(real):
                self.problem(relative, _LEADS_OUT)
        elif self.reads is not None and not is_python(name) and self.reads.decision(path, name):
            self.unread_texts.add(FileProblem(relative, 0, "is a symbolic link"))
        elif name.endswith(".py") and self.is_wanted(relative, name, ignores):
            if not os.path.exists(real):  # noqa: PTH110
                self.broken_links.append(_shown_path(relative))
            elif not self.enclosure.holds(real):
                self.problem(relative, _LEADS_OUT)
            elif real not in self.seen:
                self.file(relative, real, is_file=os.path.isfile(real))  # noqa: PTH113

    def problem(self, relative: str, message: str) -> None:
        """Note why one path is not used."""
        self.problems.append(FileProblem(_shown_path(relative) or ".", 0, message))


def _shown_path(path: str) -> str:
    """Return a path as a message shows it, with escapes for unprintable characters."""
    shown = path.encode("utf-8", "backslashreplace").decode()
    return shown if shown.isprintable() else ascii(shown)[1:-1]
