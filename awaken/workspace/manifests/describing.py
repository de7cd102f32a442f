"""Descriptions of a distribution for others: for an index, for type checkers, for plugins.

An application rarely has them: an index shows classifiers, keywords and links, ``py.typed`` is for
importers, other programs look up entry points that are not scripts, and a README tells others to
install a package by its name. A project of the same repository may do without all that, so its
manifests are read.

Sources: packaging.python.org "Writing your pyproject.toml", "Entry points specification"; PEP 561.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from awaken.workspace.formats.toml_text import tables_in, value_at
from awaken.workspace.reading import METADATA_LIMIT, enclosure_of, upwards
from awaken.workspace.sources import Undecodable, decode_settings

_IN_PYPROJECT: tuple[tuple[str, ...], ...] = (
    ("project", "classifiers"),
    ("project", "keywords"),
    ("project", "urls"),
    ("project", "entry-points"),
    ("tool", "poetry", "classifiers"),
    ("tool", "poetry", "keywords"),
    ("tool", "poetry", "urls"),
    ("tool", "poetry", "homepage"),
    ("tool", "poetry", "repository"),
    ("tool", "poetry", "documentation"),
    ("tool", "poetry", "plugins"),
)
"""The keys of a ``pyproject.toml``; ``dynamic`` may name the first ones."""

_SCRIPT_TABLES = (("project", "scripts"), ("project", "gui-scripts"), ("tool", "poetry", "scripts"))
_NAMES = frozenset({
    "classifier", "classifiers", "download_url", "home-page", "home_page", "keywords",
    "project-urls", "project_urls", "url", "urls",
})  # fmt: skip
_SCRIPTS = frozenset({"console_scripts", "gui_scripts"})
_MANIFESTS = ("pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "requirements*.txt")
_LEVELS = 2
_INSTALLING = r"(?:pip3?|pipx|uv tool|conda|mamba) install|(?:uv|poetry|pdm|rye|pixi) add"
_PUBLISHING = re.compile(
    r"gh-action-pypi-publish|\btwine upload|\b(?:uv|poetry|pdm|hatch|flit|maturin) publish"
)
_PIPELINES = (".github/workflows/*.y*ml", ".gitlab-ci.yml", ".circleci/config.yml")
_PASSED_OVER = frozenset({"node_modules", "venv", "site-packages", "build", "dist"})


def described_in_toml(tables: Mapping[str, Any]) -> str:
    """Return the key of a ``pyproject.toml`` that describes the distribution, or nothing."""
    for path in _IN_PYPROJECT:
        if value_at(tables, path):
            return ".".join(path)
    dynamic = value_at(tables, ("project", "dynamic"))
    listed = dynamic if isinstance(dynamic, list) else ()
    named = next((item for item in listed if item in {*_NAMES, "entry-points"}), None)
    return "" if named is None else f"project.{named}"


def described_in_ini(sections: Mapping[str, Mapping[str, str]]) -> str:
    """Return the key of a ``setup.cfg`` that describes the distribution."""
    named = next((key for key in sections.get("metadata", {}) if key.lower() in _NAMES), None)
    groups = sections.get("options.entry_points", {})
    group = next((key for key in groups if key not in _SCRIPTS), None)
    return named or group or ""


def described_in_call(call: ast.Call) -> str:
    """Return the argument of ``setup()`` that describes the distribution, or may."""
    for keyword in call.keywords:
        if keyword.arg is None:
            return "`**`"
        if keyword.arg in _NAMES or (
            keyword.arg == "entry_points" and not _is_of_scripts(keyword.value)
        ):
            return keyword.arg
    return ""


def _is_of_scripts(value: ast.expr) -> bool:
    if not isinstance(value, ast.Dict):
        return False
    return all(isinstance(key, ast.Constant) and key.value in _SCRIPTS for key in value.keys)


def typed_package(root: Path) -> str:
    """Return the marker that a package of the project has types for its importers, or nothing."""
    enclosure = enclosure_of(root)
    for folder in (root, root / "src"):
        for name in enclosure.names(folder):
            if (folder / name / "py.typed").is_file():
                return (folder / name / "py.typed").relative_to(root).as_posix()
    return ""


def offered_file(root: Path, name: str) -> str:
    """Return the file that has others install the distribution, or uploads it; else nothing."""
    enclosure = enclosure_of(root)
    given = rf"(?:{_INSTALLING})\b[^\n]{{0,100}}?(?<![\w./-]){_spellings(name)}(?![\w./-])"
    installing = re.compile(given, re.IGNORECASE)
    for word in (text for text in enclosure.names(root) if text.upper().startswith("README")):
        if installing.search(_text(root, root / word)):
            return word
    # Uploads of pipelines above it may be another project.
    for pattern in _PIPELINES if (root / ".git").exists() else ():
        folder, _, names = pattern.rpartition("/")
        for word in enclosure.names(root / folder):
            if fnmatch(word, names) and _PUBLISHING.search(_text(root, root / folder / word)):
                return f"{folder}/{word}" if folder else word
    return ""


def _spellings(name: str) -> str:
    """Return a pattern for the name of a distribution, however its parts are joined."""
    return "[-_.]+".join(map(re.escape, re.split(r"[-_.]+", name)))


def manifest_requiring(root: Path, name: str) -> str:
    """Return a manifest of the same repository that requires the project in ``root``, or nothing.

    Those of directories up to two levels below one that leads to the project are read.
    """
    *above, top = upwards(root)
    if not above or not (top / ".git").exists():
        return ""
    required = rf"(?:^|[\"'])[ \t]{{0,20}}{_spellings(name)}[ \t]{{0,20}}(?=[\"'\[<>=!~;@,]|$)"
    path = rf"\.\./(?:[\w.-]{{1,100}}/){{0,8}}{re.escape(root.name)}/?(?![\w-])"
    pattern = re.compile(f"{required}|{path}", re.IGNORECASE | re.MULTILINE)
    for manifest in _manifests(root, [*above[1:], top]):
        if pattern.search(_text(root, manifest)):
            return manifest.relative_to(top).as_posix()
    return ""


def _manifests(root: Path, directories: list[Path]) -> Iterator[Path]:
    enclosure = enclosure_of(root)
    seen: set[Path] = {root}
    levels = [directories]
    while len(levels) <= _LEVELS:
        below = [
            directory / name
            for directory in levels[-1]
            for name in enclosure.names(directory)
            if "." not in name and name not in _PASSED_OVER
        ]
        levels.append(below)
    for directory in (path for level in levels for path in level):
        if directory not in seen and root not in directory.parents:
            seen.add(directory)
            for pattern in _MANIFESTS:
                yield from (
                    directory / name
                    for name in enclosure.names(directory)
                    if fnmatch(name, pattern)
                )


def _text(root: Path, path: Path) -> str:
    try:
        raw = enclosure_of(root).read(path, METADATA_LIMIT)
        return decode_settings(path.name, raw).text.decode()
    except (OSError, Undecodable):
        return ""


def console_scripts(pyproject: str) -> tuple[str, ...]:
    """Return what the scripts of a ``pyproject.toml`` call, as ``package.module.function``.

    PyPA, "Entry points specification"; Poetry, "The pyproject.toml file: scripts".
    """
    document = tables_in(pyproject)
    result: list[str] = []
    for path in _SCRIPT_TABLES:
        table = value_at(document, path)
        for value in table.values() if isinstance(table, dict) else ():
            # Poetry takes a table as well, for an entry that is not a function of the package.
            reference = value.get("reference") if isinstance(value, dict) else value
            if isinstance(reference, str) and ":" in reference:
                home, _, name = reference.partition("[")[0].partition(":")
                result.append(f"{home.strip()}.{name.strip()}")
    return tuple(dict.fromkeys(result))


TYPE_CHECKER_READS = (
    "/mypy.ini", "/.mypy.ini", "/pyrightconfig.json", "/pyproject.toml", "/setup.cfg",
    "/.pre-commit-config.yaml",
)  # fmt: skip
"""The files beside Python that tell."""
_SIGNS: Mapping[str, tuple[bytes, ...]] = {
    "pyproject.toml": (b"[tool.mypy", b"[tool.pyright", b"[tool.basedpyright", b"[tool.ty"),
    "setup.cfg": (b"[mypy",),
    ".pre-commit-config.yaml": (b"mypy", b"pyright"),
}
"""What the files hold that hold settings of other programs as well."""


def is_set_up(files: Mapping[str, bytes]) -> bool:
    """Whether some of the files, each with its text, set up a type checker."""
    return any(
        name not in _SIGNS or any(sign in text for sign in _SIGNS[name])
        for name, text in files.items()
    )
