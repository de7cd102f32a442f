"""The formatter that the target project declares, and the longest line it allows.

It is run only where awaken wrote, and only on files that it would have left alone before.
"""

from __future__ import annotations

import configparser
import hashlib
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

_BLACK_DEFAULT = 88
_PEP8 = 79
_SECONDS = 60
_RUFF_FILES = (".ruff.toml", "ruff.toml")
_SETTINGS = (*_RUFF_FILES, "pyproject.toml")


class Formatter(Struct, frozen=True):
    """How a project is formatted: its longest line and, if it declares one, a command.

    ``command`` formats the files whose paths are put behind it, in place; ``root`` is the
    project whose settings it reads.
    """

    line_length: int = _BLACK_DEFAULT
    command: tuple[str, ...] = ()
    root: Path = Path()

    def format(self, texts: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Return the formatted ``texts`` by path (UTF-8, as given), with one call for all.

        Without a command, and where it fails, the result holds nothing.
        """
        if not self.command or not texts:
            return {}
        with tempfile.TemporaryDirectory(prefix="awaken-format-") as name:
            folder = Path(name)
            for path, text in texts.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(text)
            for settings in self._settings(texts):
                shutil.copyfile(self.root / settings, folder / settings)
            if not self._run(folder, list(texts)):
                return {}
            return {path: (folder / path).read_bytes() for path in texts}

    def fingerprint(self, paths: Iterable[str]) -> bytes:
        """Return a digest of what decides how the files at ``paths`` are formatted."""
        digest = hashlib.sha256(repr(self).encode())
        if self.command:
            status = Path(self.command[0]).stat()
            digest.update(f"{status.st_size} {status.st_mtime_ns}".encode())
            for settings in self._settings(paths):
                digest.update((self.root / settings).read_bytes())
        return digest.digest()

    def _settings(self, texts: Iterable[str]) -> Iterator[Path]:
        """Yield the settings files in every folder above the files."""
        folders = {folder for path in texts for folder in Path(path).parents}
        for folder in sorted(folders):
            yield from (
                folder / name for name in _SETTINGS if (self.root / folder / name).is_file()
            )

    def _run(self, folder: Path, paths: list[str]) -> bool:
        try:
            done = subprocess.run(  # noqa: S603  the command comes from ``detect``, not from input
                [*self.command, *paths],
                cwd=folder,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0


def detect(root: Path) -> Formatter:
    """Return how the project at ``root`` is formatted.

    A formatter counts only if the project declares it (``[tool.ruff]``, ``ruff.toml``,
    ``[tool.black]``, a pre-commit hook) and its command is on the PATH: what the project brings
    along is never run. Settings that cannot be read declare nothing.
    """
    pyproject = _toml(root / "pyproject.toml").get("tool", {})
    ruff = next((_toml(root / name) for name in _RUFF_FILES if (root / name).is_file()), None)
    ruff = pyproject.get("ruff") if ruff is None else ruff
    black = pyproject.get("black")
    length = _line_length(root, ruff, black)
    hooks = _hooks(root)
    for is_declared, arguments in (
        (black is not None or "black" in hooks, ("black", "--quiet")),
        (ruff is not None or "ruff-format" in hooks, ("ruff", "format", "--quiet", "--no-cache")),
    ):
        executable = shutil.which(arguments[0]) if is_declared else None
        if executable is not None:
            return Formatter(length, (executable, *arguments[1:]), root)
    return Formatter(length)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}


def _hooks(root: Path) -> set[str]:
    try:
        text = (root / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return set()
    return set(re.findall(r"^\s*-?\s*id:\s*['\"]?([\w-]+)", text, re.MULTILINE))


def _line_length(root: Path, ruff: Any, black: Any) -> int:
    for table, name in ((black, "line-length"), (ruff, "line-length")):
        if isinstance(table, dict) and isinstance(table.get(name), int):
            return int(table[name])
    if ruff is not None or black is not None:
        return _BLACK_DEFAULT
    return next(_linter_lengths(root), _BLACK_DEFAULT)


def _linter_lengths(root: Path) -> Iterator[int]:
    """Yield what flake8 and pycodestyle are told, or their default where they are told nothing."""
    for name in ("setup.cfg", "tox.ini", ".flake8"):
        settings = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            settings.read(root / name, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError):
            continue
        for section in ("flake8", "pycodestyle"):
            if settings.has_section(section):
                written = settings[section]
                length = written.get("max-line-length", written.get("max_line_length", ""))
                yield int(length) if length.strip().isdigit() else _PEP8
