"""The modules of a project: the file that a dotted name means, and the name of a file."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from awaken.project.source.memo import cached_method
from awaken.project.source.programs.start_folders import STANDARD, StartFolder
from awaken.project.source.worklist import groups_of
from awaken.workspace.sources import is_python

_SOURCE_FOLDERS = ("", "src", "lib")


class FoundModule(NamedTuple):
    """Where a module was found: ``path`` in the project; else a folder without ``__init__.py``
    (``namespace``), two files that both may be meant (``ambiguous``), or outside the project.
    """

    path: str | None = None
    namespace: bool = False
    ambiguous: bool = False


class Layout:
    """The Python files of one project, seen as modules.

    A file's name starts at its outermost package; files in folders without ``__init__.py`` are
    named from the project root, or from ``src`` or ``lib`` inside it. Where two files claim one
    name, both are named by their whole path. ``published`` says whether code outside the project
    may import these modules. A folder of ``inner`` has no ``__init__.py`` and is a package all the
    same, in another one (PEP 420): files import from it by its whole way. Folders of ``on_path``
    are on the path of the program: files are found from there, packages or not. From those that
    name files they have their names, in others those of their packages.
    """

    def __init__(
        self,
        paths: Iterable[str],
        *,
        published: bool = True,
        inner: Collection[str] = (),
        on_path: Sequence[StartFolder] = (),
    ) -> None:
        self.published = published
        self.inner = frozenset(inner)
        self.on_path = tuple(on_path)
        files = {path for path in paths if is_python(path)}
        # A stub next to its module is the same module, and the source has more.
        self._stubs = {path for path in files if path.endswith(".pyi") and path[:-1] in files}
        self._paths = frozenset(files - self._stubs)
        self._folders = {
            folder for path in self._paths for folder in _parents(path.rpartition("/")[0])
        }
        self._packages = {
            path.rpartition("/")[0]
            for path in self._paths
            if path.rsplit("/", 1)[-1] in {"__init__.py", "__init__.pyi"}
        }
        self._roots = self._roots_by_name()
        self._names, self._by_name = self._name_files()
        self.top_packages = frozenset(name.partition(".")[0] for name in self._by_name)
        """What the dotted names of all files begin with."""

    def name_of(self, path: str) -> str:
        """Return the one dotted name of the file at ``path``."""
        return self._names[path[:-1] if path in self._stubs else path]

    def path_of(self, name: str) -> str | None:
        """Return the file with the dotted ``name`` that ``name_of`` gives."""
        return self._by_name.get(name)

    def modules(self) -> list[str]:
        """Return the dotted names of all files."""
        return list(self._by_name)

    def may_have(self, qualified: str) -> bool:
        """Whether a file of the project has a name that begins as a dotted one does."""
        return qualified.partition(".")[0] in self.top_packages

    def is_namespace(self, name: str) -> bool:
        """Whether ``name`` is a folder of the project without ``__init__.py``."""
        folder = name.replace(".", "/")
        return any(
            _join(root, folder) in self._folders and _join(root, folder) not in self._packages
            for root in (*_SOURCE_FOLDERS, *(folder.path for folder in self.on_path))
        )

    def submodule(self, path: str, name: str) -> str | None:
        """Return the file of the submodule ``name`` of the package whose file is ``path``."""
        folder, _, file = path.rpartition("/")
        if file not in {"__init__.py", "__init__.pyi"}:
            return None
        return self._file(_join(folder, name))

    def relative(self, path: str, level: int, module: str) -> str | None:
        """Return what ``find`` takes for ``from ..module import`` in the file at ``path``.

        That is a path with a leading ``/``, no dotted name (see ``below``). None where the dots
        lead out of the project.
        """
        folder = path.rpartition("/")[0]
        for _ in range(level - 1):
            if not folder:
                return None
            folder = folder.rpartition("/")[0]
        return "/" + _join(folder, module.replace(".", "/"))

    def find(self, name: str, importer: str) -> FoundModule:
        """Return the file that ``import name`` means in the file ``importer``.

        The search begins with the folders above the importer that are no packages, nearest first.
        Then come those on the path, and the parents of all top-level packages. The project root is
        searched even with an ``__init__.py``: programs start there.
        """
        if name.startswith("/"):
            return self._module_at(name.strip("/"))
        # All files of one folder find the same.
        return self._search(name, importer.rpartition("/")[0])

    def file_and_rest(self, dotted: str, importer: str) -> tuple[str | None, list[str]]:
        """Return the file that the longest part of a dotted name means, and the rest of it."""
        parts = dotted.split(".")
        for length in range(len(parts) - 1, 0, -1):
            path = self.find(".".join(parts[:length]), importer).path
            if path is not None:
                return path, parts[length:]
        return None, parts

    def package_with(self, name: str, importer: str) -> str:
        """Return the package above a file in which ``import name`` would find one; else nothing.

        It would where that folder is on the path, as that of a program which is started in it.
        """
        relative = name.replace(".", "/")
        for above in reversed(_parents(importer.rpartition("/")[0])):
            if above in self._packages and self._file(_join(above, relative)) is not None:
                return above
        return ""

    @cached_method
    def _search(self, name: str, folder: str) -> FoundModule:
        relative = name.replace(".", "/")
        namespace = False
        standard = name.partition(".")[0] in STANDARD
        for above in reversed(_parents(folder)):
            if above and (above in self._packages or above in self.inner):
                # A package is no place to import from: Python 3 has no implicit relative imports.
                continue
            for root in _SOURCE_FOLDERS:
                module = self._module_at(_join(_join(above, root), relative))
                if module.path is not None:
                    # Next to a script the file wins over the standard library; imported, not.
                    return FoundModule(ambiguous=True) if standard else module
                namespace = namespace or module.namespace
        for root, _ in self.on_path:
            module = self._module_at(_join(root, relative))
            if module.path is not None:
                return module
            namespace = namespace or module.namespace
        if standard:
            return FoundModule()
        roots = self._roots.get(name.partition(".")[0], ())
        others = [path for root in roots if (path := self._file(_join(root, relative)))]
        nearest = _nearest(others, folder)
        if len(nearest) == 1:
            return FoundModule(nearest[0])
        return FoundModule(namespace=namespace, ambiguous=len(nearest) > 1)

    def _module_at(self, stem: str) -> FoundModule:
        return FoundModule(self._file(stem), stem in self._folders and stem not in self._packages)

    def _file(self, stem: str) -> str | None:
        if not stem:
            return "__init__.py" if "__init__.py" in self._paths else None
        # In the order of Python's own search: a package hides a module of its name.
        candidates = (f"{stem}/__init__.py", f"{stem}.py", f"{stem}/__init__.pyi", f"{stem}.pyi")
        return next((path for path in candidates if path in self._paths), None)

    def _root_of(self, folder: str) -> str:
        while folder in self._packages or folder in self.inner:
            if not folder:
                return ""
            folder = folder.rpartition("/")[0]
        return folder

    def _roots_by_name(self) -> dict[str, list[str]]:
        """Return for each name the parents of top-level packages that contain it, sorted."""
        roots = {self._root_of(folder) for folder in self._packages}
        result: dict[str, set[str]] = {}
        for path in self._paths:
            parts = path.split("/")
            for depth, part in enumerate(parts):
                root = "/".join(parts[:depth])
                if root in roots:
                    result.setdefault(part.partition(".")[0], set()).add(root)
        return {name: sorted(result[name]) for name in result}

    def _name_files(self) -> tuple[dict[str, str], dict[str, str]]:
        claims = groups_of(sorted(self._paths), self._claimed_text)
        names: dict[str, str] = {}
        for name, paths in claims.items():
            for path in paths:
                names[path] = name if len(paths) == 1 else _dotted_text(path)
        by_name: dict[str, str] = {}
        for path, name in names.items():
            by_name.setdefault(name, path)
        return names, by_name

    def _claimed_text(self, path: str) -> str:
        naming = (folder.path for folder in self.on_path if folder.names_files)
        above = [folder for folder in naming if path.startswith(f"{folder}/")]
        if above:
            return _dotted_text(path[len(max(above, key=len)) :].lstrip("/"))
        folder = path.rpartition("/")[0]
        root = self._root_of(folder)
        if root == folder:  # not in a package: named from the source folder it lies in
            root = next((name for name in ("src", "lib") if path.startswith(f"{name}/")), "")
        return _dotted_text(path[len(root) :].lstrip("/"))


def inner_folders(paths: Iterable[str], is_named: Callable[[str], bool]) -> frozenset[str]:
    """Return the folders without ``__init__.py`` between a package and one further in.

    ``is_named`` says whether files name the inner package by its whole path, as in
    ``app.io.store``. Else the folder may be one that modules are imported from, like that of a
    script.
    """
    files = {path for path in paths if is_python(path)}
    packages = {
        path.rpartition("/")[0]
        for path in files
        if path.rpartition("/")[2] in {"__init__.py", "__init__.pyi"}
    }
    result: set[str] = set()
    for package in sorted(packages):
        above = [parent for parent in reversed(_parents(package)) if parent and parent != package]
        between = list(itertools.takewhile(lambda name: name not in packages, above))
        if not between or len(between) == len(above):
            continue
        outer = above[len(between)]
        while outer.rpartition("/")[0] in packages and "/" in outer:
            outer = outer.rpartition("/")[0]
        root = outer.rpartition("/")[0]
        if is_named(package[len(root) :].lstrip("/").replace("/", ".")):
            result.update(between)
    return frozenset(result)


def submodule_name(module: str, name: str) -> str:
    """Return the name of a submodule, for dotted names and for what ``Layout.relative`` gives."""
    return f"{module}/{name}" if module.startswith("/") else f"{module}.{name}"


def _dotted_text(path: str) -> str:
    stem = path.rpartition(".")[0]
    for ending in ("/__init__", "__init__"):
        if stem.endswith(ending) and stem != "__init__":
            stem = stem[: -len(ending)]
            break
    return stem.replace("/", ".")


def _parents(folder: str) -> list[str]:
    """Return "" and every folder down to ``folder`` itself, outermost first."""
    if not folder:
        return [""]
    parts = folder.split("/")
    return ["", *("/".join(parts[: index + 1]) for index in range(len(parts)))]


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


def _nearest(paths: list[str], folder: str) -> list[str]:
    """Return those of ``paths`` that share the most leading folders with ``folder``."""

    def shared_folders(path: str) -> int:
        count = 0
        for location, other in zip(path.split("/"), folder.split("/"), strict=False):
            if location != other:
                break
            count += 1
        return count

    most = max(map(shared_folders, paths), default=0)
    return [path for path in paths if shared_folders(path) == most]
