"""Facts about a pass and the project, for the process that runs the pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaken.passes.protocol import Setup, import_directories
from awaken.workspace.reading import boundary_of
from awaken.workspace.sources import FileProblem, is_python

if TYPE_CHECKING:
    from awaken.passes.pass_settings import PassPlace, PassSettings
    from awaken.project import Project

LIBCST_SETTINGS = "/.libcst.codemod.yaml"
"""The pattern of the file that LibCST's own runner reads."""


def setup_of(settings: PassSettings, place: PassPlace, project: Project) -> Setup:
    """Return what is to be run, over which project."""
    files = {
        path: (name, name if path.endswith("/__init__.py") else name.rpartition(".")[0])
        for path in project.snapshot
        if is_python(path)
        for name in (project.layout.name_of(path),)
    }
    return Setup(
        kind=settings.kind,
        target=_target(settings, place),
        named=settings.named_arguments(),
        words=settings.args,
        import_from=import_directories(place.directory, settings.script),
        root=str(place.root),
        project=str(boundary_of(place.root)),
        code=None if place.code is None else place.code.files,
        settings=_libcst_settings(settings, place, project),
        files=files,
        seconds=settings.seconds_per_file,
    )


def unread_settings(settings: PassSettings, project: Project) -> FileProblem | None:
    """Return why ``.libcst.codemod.yaml`` was not read, if it is there and was not."""
    if settings.kind != "libcst":
        return None
    for one in project.texts(LIBCST_SETTINGS).unread:
        line = f" (line {one.line})" if one.line else ""
        return FileProblem(one.path, 0, f"LibCST's settings cannot be used: it {one.message}{line}")
    return None


def _libcst_settings(settings: PassSettings, place: PassPlace, project: Project) -> str:
    if settings.kind != "libcst":
        return ""
    if place.code is not None:
        return place.code.libcst_settings.decode(errors="replace")
    return "".join(file.text.decode() for file in project.texts(LIBCST_SETTINGS).files.values())


def _target(settings: PassSettings, place: PassPlace) -> str:
    return str(place.directory / settings.script) if settings.script else settings.target
