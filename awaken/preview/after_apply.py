"""Commands to run after an apply: install new dependencies, and test the result."""

from __future__ import annotations

import os
import shlex
from pathlib import Path, PurePath

from awaken.engine.report import Report, RootReport
from awaken.workspace.reading import METADATA_LIMIT, Enclosure

_LOCKS = (
    ("uv.lock", "uv sync", "uv run "),
    ("poetry.lock", "poetry update", "poetry run "),
    ("pdm.lock", "pdm install", "pdm run "),
)
"""Of tools that install: the file by which each is known, and how it installs and runs."""
_MANIFESTS = ("pyproject.toml", "setup.cfg", "tox.ini")
_OF_PYTEST = ("pytest.ini", ".pytest.ini", "conftest.py", "tests/conftest.py")
_REQUIREMENTS = "requirements"
_AWAIT = b"await "
_OF_COROUTINES = (
    " -W error:coroutine:RuntimeWarning -W error::pytest.PytestUnraisableExceptionWarning"
)
"""A coroutine that nobody awaits is a warning, which pytest shows and passes over."""


def commands_after(report: Report) -> list[tuple[str, str]]:
    """Return what can be done after an apply, each with its command from the current directory."""
    steps = []
    for root in report.roots:
        if root.files:
            place = os.path.relpath(root.root)
            before = "" if place == os.curdir else f"cd {shlex.quote(place)} && "
            steps += [(effect, before + command) for effect, command in _of_root(root)]
    return steps


def _of_root(root: RootReport) -> list[tuple[str, str]]:
    enclosure = Enclosure(root.root)
    runner = next((item for item in _LOCKS if _text(enclosure, root.root / item[0])), None)
    written = [file.path for file in root.files if _is_manifest(file.path)]
    # A list of requirements is compiled from the lock.
    stale = sorted(
        (candidate for candidate in root.left_to_do if candidate.command),
        key=lambda item: not item.path.endswith(".lock"),
    )
    steps = [(f"update {item.path}", item.command) for item in stale]
    if written:
        names = " and ".join(written)
        steps.append((f"install the new requirements of {names}", _installs(written, runner)))
    tests = any("pytest" in _text(enclosure, root.root / name) for name in _MANIFESTS)
    if tests or any(_text(enclosure, root.root / name) for name in _OF_PYTEST):
        flags = _OF_COROUTINES if _awaits_more(root) else ""
        steps.append(("test the result", f"{runner[2] if runner else ''}pytest{flags}"))
    return steps


def _awaits_more(root: RootReport) -> bool:
    """Whether the changes write an ``await``, so that one may be forgotten elsewhere."""
    return any(
        file.after.text.count(_AWAIT) > (file.before.text.count(_AWAIT) if file.before else 0)
        for file in root.files
    )


def _is_manifest(path: str) -> bool:
    name = PurePath(path).name
    is_list = name.startswith(_REQUIREMENTS) and name.endswith((".txt", ".in"))
    return is_list or name in {"pyproject.toml", "setup.cfg", "setup.py"}


def _installs(written: list[str], runner: tuple[str, str, str] | None) -> str:
    if runner is not None:
        return runner[1]
    lists = [path for path in written if PurePath(path).name.startswith(_REQUIREMENTS)]
    words = [f"-r {shlex.quote(path)}" for path in lists]
    folders = dict.fromkeys(f"-e {shlex.quote(str(PurePath(path).parent))}" for path in written)
    return f"pip install {' '.join(words or folders)}"


def _text(enclosure: Enclosure, path: Path) -> str:
    try:
        return enclosure.read(path, METADATA_LIMIT).decode(errors="replace") or " "
    except OSError as error:
        # A file that is too large to be read still exists.
        return " " if path.exists() and not isinstance(error, FileNotFoundError) else ""
