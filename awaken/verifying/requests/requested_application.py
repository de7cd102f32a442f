"""The application that answers requests: an object of FastAPI at the top of a module."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from awaken.contract import UserError
from awaken.project.source.trees import last_name, values_given
from awaken.workspace.manifests.project_server import read_server
from awaken.workspace.parsing import Unparsable, parse_text
from awaken.workspace.reading import METADATA_LIMIT

_FRAMEWORK = "FastAPI"
_TESTS = {"test", "tests", "testing", "docs", "examples"}


class Application(Struct, frozen=True):
    """``module:name`` of an application, and the directory that its modules are imported from."""

    place: str
    directory: Path


def application_of(copy: Path, project: Path, named: str | None) -> Application:
    """Return the application of a project, the one that is ``named``, or the only one.

    ``project`` is the directory of the project in ``copy``. Raises UserError where there is none,
    and where there are several.
    """
    if named is not None:
        return Application(named, _directory_of(project, named.partition(":")[0]))
    applications = list(_applications(copy, project))
    if len(applications) > 1:
        served = read_server(project)
        if served is not None:
            module = served.module.removesuffix(".py").replace("/", ".")
            own = [item for item in applications if item.place.partition(":")[0] == module]
            applications = own or applications
    if not applications:
        raise UserError(
            "no application of FastAPI is at the top of a module; name it by --app MODULE:NAME"
        )
    if len(applications) > 1:
        listed = ", ".join(sorted(application.place for application in applications))
        raise UserError(f"there are several applications ({listed}); name one of them by --app")
    return applications[0]


def _applications(copy: Path, project: Path) -> Iterator[Application]:
    modules = dict(_modules(project))
    makers = {
        function.name
        for tree in modules.values()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and _makes(function)
    }
    for path, tree in modules.items():
        for name in _names(tree, makers):
            directory = _import_root(copy, path, tree)
            module = ".".join(path.relative_to(directory).with_suffix("").parts)
            yield Application(f"{module.removesuffix('.__init__')}:{name}", directory)


def _modules(project: Path) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(project.rglob("*.py")):
        inside = path.relative_to(project)
        is_test = path.name.startswith(("test_", "conftest")) or not _TESTS.isdisjoint(inside.parts)
        if is_test or path.is_symlink():
            continue
        content = path.read_bytes() if path.stat().st_size <= METADATA_LIMIT else b""
        if _FRAMEWORK.encode() in content:
            # One that is no Python, or that of another version, has no application for us.
            with suppress(Unparsable, UnicodeDecodeError):
                yield path, parse_text(content)


def _makes(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Call) and last_name(node.func) == _FRAMEWORK
        for node in ast.walk(function)
    )


def _names(tree: ast.Module, makers: Iterable[str]) -> Iterator[str]:
    for name, value in values_given(tree.body):
        if isinstance(value, ast.Call) and last_name(value.func) in {_FRAMEWORK, *makers}:
            yield name


def _import_root(copy: Path, path: Path, tree: ast.Module) -> Path:
    """Return the directory from which the imports of a module are found most often."""
    names = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    }
    package = path.parent
    while (package / "__init__.py").exists() and package != copy:
        package = package.parent
    above = [package, *(parent for parent in package.parents if parent.is_relative_to(copy))]
    return max(above, key=lambda item: sum(_is_module(item, name) for name in names))


def _is_module(directory: Path, name: str) -> bool:
    return bool(name) and ((directory / name).is_dir() or (directory / f"{name}.py").is_file())


def _directory_of(project: Path, module: str) -> Path:
    top = module.split(".", maxsplit=1)[0]
    places = (project, project / "src", *(path.parent for path in sorted(project.rglob(f"{top}*"))))
    return next((place for place in places if _is_module(place, top)), project)
