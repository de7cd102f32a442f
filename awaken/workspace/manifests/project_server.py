"""The server of a project: which of its files says that a web server runs a module of its own.

A Dockerfile alone shows nothing, for libraries have them as well. A command that starts a server on
a module of the project does: who runs that has the program, and need not import from it.

Sources: docs.docker.com "Dockerfile reference: CMD"; uvicorn.org "Settings: Application";
gunicorn.org "Running Gunicorn"; fastapi.tiangolo.com "FastAPI CLI".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from msgspec import Struct

from awaken.workspace.reading import METADATA_LIMIT, Enclosure, enclosure_of, upwards
from awaken.workspace.sources import LINE_END, Undecodable, decode_settings

_FILES = (
    "Dockerfile*", "*.dockerfile", "Containerfile*", "Procfile", "*compose*.y*ml", "*.sh",
    "start", "entrypoint", "Makefile", "justfile", "Taskfile.y*ml", "README*",
)  # fmt: skip
"""The files that hold such commands, those that say most about how a program is used first."""

_FOLDERS = ("", "docker", "deploy", "bin", "scripts")

_SERVER = re.compile(r"(?<![\w./-])(?:uvicorn|gunicorn|hypercorn|granian|daphne|uwsgi)(?![\w.-])")
_APPLICATION = re.compile(r"(?<![\w./:-])([A-Za-z_]\w*(?:\.\w+)*):[A-Za-z_]\w*")
_BETWEEN = r"[\s\"',]{1,20}"
_FASTAPI = re.compile(
    rf"(?<![\w./-])fastapi{_BETWEEN}(?:run|dev)\b[^;&|]{{0,200}}?(?<![\w./-])([\w./-]+\.py)(?!\w)"
)
_PYTHON = re.compile(
    rf"(?<![\w.-])python[\d.]*{_BETWEEN}(?:-m{_BETWEEN}([A-Za-z_][\w.]*)|([\w./-]+\.py)(?!\w))"
)
_RUNNING = b"uvicorn.run("


class Server(Struct, frozen=True):
    """The command that runs a module of the project as a server, and its line.

    ``path`` is relative to the root; it may lead out of it, to the top of the repository.
    """

    path: str
    line: int
    module: str


def read_server(root: Path) -> Server | None:
    """Return what runs the project in ``root`` (absolute) as a server; None if nothing does."""
    enclosure = enclosure_of(root)
    for number, directory in enumerate(upwards(root)):
        for path in _files(enclosure, directory):
            for line, text in _lines(enclosure, path):
                module = next(_served_modules(root, enclosure, text), None)
                if module is not None:
                    shown = path.relative_to(directory).as_posix()
                    return Server("../" * number + shown, line, module)
    return None


def _files(enclosure: Enclosure, directory: Path) -> Iterator[Path]:
    folders = [directory / name for name in _FOLDERS]
    names = {folder: enclosure.names(folder) for folder in folders}
    for pattern in _FILES:
        for folder in folders:
            yield from (folder / name for name in names[folder] if fnmatch(name, pattern))


def _lines(enclosure: Enclosure, path: Path) -> Iterator[tuple[int, str]]:
    """Yield the commands of a file with their lines; lines joined by a backslash are one."""
    try:
        text = decode_settings(path.name, enclosure.read(path, METADATA_LIMIT)).text.decode()
    except (OSError, Undecodable):
        return
    command: list[str] = []
    for number, line in enumerate(map(str.strip, LINE_END.split(text)), 1):
        if not line.startswith("#"):
            command.append(line.removesuffix("\\"))
            if not line.endswith("\\"):
                yield number - len(command) + 1, " ".join(command)
                command = []


def _served_modules(root: Path, enclosure: Enclosure, command: str) -> Iterator[str]:
    """Yield the modules of the project that a command runs as a server."""
    if _SERVER.search(command):
        for match in _APPLICATION.finditer(command):
            if _file_of(root, match[1]) is not None:
                yield match[1]
    for match in _FASTAPI.finditer(command):
        path = _file_at(root, match[1])
        if path is not None:
            yield _module(path)
    for match in _PYTHON.finditer(command):
        path = _file_of(root, match[1]) if match[1] else _file_at(root, match[2])
        if path is not None and _runs_server(root, enclosure, path):
            yield _module(path)


def _file_of(root: Path, module: str) -> PurePosixPath | None:
    """Return the file of a module, relative to the root."""
    below = PurePosixPath(*module.split("."))
    for folder in ("", "src"):
        for path in (below.with_suffix(".py"), below / "__init__.py", below / "__main__.py"):
            if (root / folder / path).is_file():
                return folder / path
    return None


def _file_at(root: Path, written: str) -> PurePosixPath | None:
    """Return the file that a command names, which may see the project at another place."""
    parts = PurePosixPath(written).parts
    for number in range(len(parts)):
        path = PurePosixPath(*parts[number:])
        if ".." not in path.parts and not path.is_absolute() and (root / path).is_file():
            return path
    return None


def _module(path: PurePosixPath) -> str:
    return ".".join(path.with_suffix("").parts)


def _runs_server(root: Path, enclosure: Enclosure, path: PurePosixPath) -> bool:
    try:
        return _RUNNING in enclosure.read(root / path, METADATA_LIMIT)
    except OSError:
        return False
