"""The task group that raises the first exception by itself, in a file of its own.

The file is made where several sites of one package need it. Each of their changes makes the same
file, so that any of them can be left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from awaken.codemods.asyncio.gather_to_taskgroup.payload import GroupCode
from awaken.contract import (
    Change,
    Constraints,
    CreateFile,
    Edit,
    NeedImport,
    NodeEdit,
    ReleaseImport,
)
from awaken.kit.changes import Decided
from awaken.project.source.memo import cached_in_file
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.worklist import groups_of

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

CLASS = "FirstErrorTaskGroup"
_FILES = ("task_groups", "first_error_task_group", "asyncio_task_groups")
_LEAST = 2
"""Sites of a package that are worth a file: one alone is as short without."""
_TEXT = '''"""Task groups that raise the errors of their tasks as they are."""

import asyncio
from types import TracebackType


class FirstErrorTaskGroup(asyncio.TaskGroup):
    """A task group that raises the first error of its tasks, not an exception group.

    As in every task group, the other tasks are cancelled and awaited first.
    """

    async def __aexit__(
        self,
        et: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        try:
            return await super().__aexit__(et, exc, tb)
        except BaseExceptionGroup as group:
            first_error = group.exceptions[0]
        # Raised here and not above, the error keeps its own context.
        raise first_error
'''


class Home(Struct, frozen=True):
    """The folder and the package of the file that some sites share."""

    folder: str
    package: str

    def path(self, stem: str) -> str:
        """Return the path of the file ``stem`` in it."""
        return f"{self.folder}/{stem}.py" if self.folder else f"{stem}.py"

    def module(self, stem: str) -> str:
        """Return the name by which that file is imported."""
        return f"{self.package}.{stem}" if self.package else stem


class Prepared(Struct, frozen=True):
    """A decided site: its change alone, and its change with the shared class if there is one."""

    path: str
    name: str
    alone: Decided
    shared: Decided | None = None
    newline: str = "\n"


@cached_in_file
def shares(module: Module) -> bool:
    """Whether the name of the class is free in a file, or is the class."""
    return not any(CLASS in scope.bindings for scope in module.scopes.scopes[1:])


def imported_name(project: Project, module: Module) -> str:
    """Return the name of a file from the outermost package around it on.

    Inside of a package, a folder without ``__init__.py`` is a package as well (PEP 420).
    """
    folders = module.path.split("/")[:-1]
    for count in range(1, len(folders) + 1):
        inner = [*folders[count - 1 :], *module.name.split(".")[-1:]]
        is_package = f"{'/'.join(folders[:count])}/__init__.py" in project.snapshot
        if is_package and all(name.isidentifier() for name in inner):
            return ".".join(inner[:-1] if _is_init(module.path) else inner)
    return module.name


def with_helper(
    project: Project, constraints: Constraints, prepared: Sequence[Prepared]
) -> Iterator[Decided]:
    """Yield what was decided, with the class where several sites of a package share it."""
    together = groups_of((item for item in prepared if item.shared is not None), _root)
    result = {root: _edits(project, constraints, sites) for root, sites in together.items()}
    for item in prepared:
        edits = result.get(_root(item))
        if item.shared is None or edits is None:
            yield item.alone
        else:
            changes = tuple(edits.change_with_class(change) for change in item.shared.changes)
            yield Decided(item.shared.findings, changes)


class Edits(Struct, frozen=True):
    """The additions of a site's change that make the class available."""

    module: str
    path: str
    text: str

    def change_with_class(self, change: Change) -> Change:
        """Return ``change`` with the class in place of the ``try`` around the group."""
        site = change.sites[0]
        edits: list[Edit] = [_by_class(edit) for edit in change.edits if not _is_plain(edit)]
        path = next(edit.path for edit in edits if isinstance(edit, NodeEdit))
        edits.append(NeedImport(path=path, module=self.module, name=CLASS, site=site))
        edits.append(ReleaseImport(path=path, module="asyncio", site=site))
        if self.text:
            edits.append(CreateFile(path=self.path, text=self.text, site=site))
        return replace(change, edits=tuple(edits))


def _is_plain(edit: Edit) -> bool:
    """Whether ``edit`` imports the task group of asyncio by its name."""
    return isinstance(edit, NeedImport) and edit.module == "asyncio" and edit.name == "TaskGroup"


def _by_class(edit: Edit) -> Edit:
    if isinstance(edit, NodeEdit) and isinstance(edit.data, GroupCode) and edit.data.error:
        return replace(edit, data=replace(edit.data, opens=f"{CLASS}()", error=""))
    return edit


def _edits(project: Project, constraints: Constraints, sites: Sequence[Prepared]) -> Edits | None:
    """Return how the sites of one root come by the class; None if they do without."""
    home = _home(sites)
    in_tests = any(is_around_tests(site.path) for site in sites)
    if in_tests and not _is_package(project, home):
        return None  # how it is imported depends on how the tests are run
    for stem in _FILES:
        path = home.path(stem)
        if path not in project.snapshot:
            is_worth = len(sites) >= _LEAST and constraints.may_write(path)
            if not is_worth or not _is_free(project, path):
                return None
            text = _TEXT.replace("\n", _newline(sites))
            return Edits(home.module(stem), path, text)
        if f"class {CLASS}(".encode() in project.snapshot[path].text:
            return Edits(home.module(stem), path, "")
    return None


def _is_package(project: Project, home: Home) -> bool:
    """Whether it is a package, and all packages around it are."""
    parts = home.package.split(".") if home.package else []
    folders = home.folder.split("/")
    inner = ["/".join(folders[: len(folders) - count]) for count in range(len(parts))]
    return bool(inner) and all(f"{folder}/__init__.py" in project.snapshot for folder in inner)


def _is_free(project: Project, path: str) -> bool:
    package = path.removesuffix(".py") + "/"
    return not any(name.startswith(package) for name in project.snapshot)


def _newline(sites: Sequence[Prepared]) -> str:
    first = min(sites, key=lambda site: (site.path, site.name))
    return first.newline


def _root(one: Prepared) -> tuple[str, str]:
    """Return the folder from which the module of a site is imported, and its first package."""
    package = one.name.rpartition(".")[0] if not _is_init(one.path) else one.name
    folder = one.path.rpartition("/")[0]
    root = folder.removesuffix(package.replace(".", "/")).rstrip("/")
    return root, package.partition(".")[0]


def _is_init(path: str) -> bool:
    return path.rpartition("/")[2] == "__init__.py"


def _home(sites: Sequence[Prepared]) -> Home:
    """Return the innermost package that holds all ``sites``."""
    packages = [
        (site.name if _is_init(site.path) else site.name.rpartition(".")[0]).split(".")
        for site in sites
    ]
    levels = takewhile(lambda names: len(set(names)) == 1, zip(*packages, strict=False))
    common = [names[0] for names in levels]
    root = _root(sites[0])[0]
    package = ".".join(common)
    folder = "/".join(part for part in (root, *common) if part)
    return Home(folder, package)
