"""Publication: whether others can install the project and import from it, and what says so.

Build settings decide. A distribution needs a name, and somebody who builds it: a build system or a
``setup.py``. Where this is unknown, the project counts as published, which promises less.

Many applications are built only to be installed where they run. A program that a web server runs is
an application, if nothing describes it to others (``describing``), and no neighboring project names
it. Console scripts say nothing: packages have them as well.

Sources: packaging.python.org "Writing your pyproject.toml"; docs.astral.sh/uv "Project packaging";
python-poetry.org "Operating modes"; pdm-project.org "Package or Application".
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from awaken.workspace.formats.ini import NotIni, parse_ini
from awaken.workspace.formats.toml_text import KeyPath, NotToml, line_of, parse_toml, value_at
from awaken.workspace.manifests.describing import (
    described_in_call,
    described_in_ini,
    described_in_toml,
    manifest_requiring,
    offered_file,
    typed_package,
)
from awaken.workspace.manifests.manifest_readers import is_setup
from awaken.workspace.manifests.project_server import read_server
from awaken.workspace.parsing import Unparsable, parse_text
from awaken.workspace.reading import METADATA_LIMIT, enclosure_of, working_tree
from awaken.workspace.sources import LINE_END, Undecodable, decode, decode_settings

PRIVATE = "Private :: Do Not Upload"
"""The classifier with which an index refuses a distribution."""

_NOT_PACKAGED: tuple[KeyPath, ...] = (
    ("tool", "uv", "package"),
    ("tool", "poetry", "package-mode"),
    ("tool", "pdm", "distribution"),
)
"""The keys that are false where a tool is told to install the dependencies and no package."""

_NAMES: tuple[KeyPath, ...] = (("project", "name"), ("tool", "poetry", "name"))

_CLASSIFIERS: tuple[KeyPath, ...] = (("project", "classifiers"), ("tool", "poetry", "classifiers"))

_ONLY_BUILT: tuple[KeyPath, ...] = (
    ("build-system",),
    ("tool", "uv", "package"),
    ("tool", "setuptools"),
    ("project", "scripts"),
    ("project", "gui-scripts"),
    ("project", "entry-points"),
    ("project", "classifiers"),
    ("project", "dynamic"),
)
"""What nobody writes who does not build a distribution: without ``[build-system]``, setuptools
builds it (PEP 518), but most projects without it are never built."""


class Publication(Struct, frozen=True):
    """Whether the project is ``published``, why in a clause without subject, and the place of that.

    ``path`` is relative to the root and empty where no file says it; ``line`` is 1-based, 0 for the
    whole file. ``why`` begins where "the project" would end.
    """

    published: bool
    why: str
    path: str = ""
    line: int = 0


class _Built(Struct, frozen=True):
    """A distribution that is built: what says so, its name, and what ``describes`` it to others."""

    publication: Publication
    name: str
    describes: str


_Read = Publication | _Built | None
"""What a file says: all, that a distribution is built, or nothing."""


def read_publication(root: Path) -> Publication:
    """Return whether the project in ``root`` (absolute) is published, as its files say."""
    result: _Read = _unpacked_publication(root)
    for read in (_pyproject, _setup_cfg, _setup_py):
        result = result or read(root)
    if isinstance(result, _Built):
        return _weighed_publication(root, result)
    return result or Publication(published=False, why="has no build settings")


def _weighed_publication(root: Path, built: _Built) -> Publication:
    """Return whether somebody imports from what is built, or it only runs."""
    server = read_server(root)
    if server is None:
        return built.publication
    described = built.describes or typed_package(root) or offered_file(root, built.name)
    user = "" if described else manifest_requiring(root, built.name)
    if not described and not user:
        why = f"is an application: a web server runs `{server.module}`"
        return Publication(published=False, why=why, path=server.path, line=server.line)
    others = f"{described} describes it to others" if described else f"{user} names it"
    runs = f"although {server.path}:{server.line} runs it as a server"
    return structs.replace(built.publication, why=f"{built.publication.why}; {others}, {runs}")


def _unpacked_publication(root: Path) -> Publication | None:
    """Return what shows that ``root`` is a distribution, built and unpacked."""
    for name in enclosure_of(root).names(root):
        if name == "PKG-INFO" or name.endswith(".dist-info"):
            return Publication(published=True, why="is an unpacked distribution", path=name)
    return None


def _pyproject(root: Path) -> _Read:
    name = "pyproject.toml"
    text = _text(root, name)
    if text is None or isinstance(text, Publication):
        return text
    try:
        tables = parse_toml(text)
    except NotToml:
        return _unreadable(name)

    private = _private(tables, root)
    if private is not None:
        path, why = private
        return Publication(published=False, why=why, path=name, line=line_of(text, path))
    # Without a name, a build system builds what setup.cfg and setup.py name.
    names = [value_at(tables, path) for path in _NAMES]
    distribution = next((candidate for candidate in names if isinstance(candidate, str)), None)
    if distribution is None:
        return None
    built = next((path for path in _ONLY_BUILT if value_at(tables, path) is not None), None)
    if built is None:
        return None
    shown = ".".join(map(str, built))
    why = f"has a name and `{shown}`"
    publication = Publication(published=True, why=why, path=name, line=line_of(text, built))
    return _Built(publication, distribution, described_in_toml(tables))


def _private(tables: Mapping[str, Any], root: Path) -> tuple[KeyPath, str] | None:
    """Return the key that says that the project is not published, and how."""
    for path in _NOT_PACKAGED:
        if value_at(tables, path) is False:
            return path, f"is no package: {path[-1]} is false"
    for path in _CLASSIFIERS:
        listed = value_at(tables, path)
        if isinstance(listed, list) and PRIVATE in listed and _is_alone(root):
            return (*path, listed.index(PRIVATE)), f"says {PRIVATE!r}"
    return None


def _setup_cfg(root: Path) -> _Read:
    name = "setup.cfg"
    text = _text(root, name)
    if text is None or isinstance(text, Publication):
        return text
    try:
        sections = parse_ini(text)
    except NotIni:
        return _unreadable(name)
    metadata = sections.get("metadata", {})
    if PRIVATE in metadata.get("classifiers", "") and _is_alone(root):
        line = _line_with(text, lambda item: PRIVATE in item)
        return Publication(published=False, why=f"says {PRIVATE!r}", path=name, line=line)
    if "name" not in metadata:
        return None
    line = _line_with(text, lambda item: item.lower().startswith("name"))
    why = "has a name to be built under"
    publication = Publication(published=True, why=why, path=name, line=line)
    return _Built(publication, metadata["name"], described_in_ini(sections))


def _setup_py(root: Path) -> _Read:
    name = "setup.py"
    try:
        source = decode(name, enclosure_of(root).read(root / name, METADATA_LIMIT))
        tree = parse_text(source.text)
    except FileNotFoundError:
        return None
    except (OSError, Undecodable, Unparsable):
        return _unreadable(name)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and is_setup(node)]
    if not calls:
        return None
    for node in (node for node in ast.walk(tree) if isinstance(node, ast.Constant)):
        if node.value == PRIVATE and _is_alone(root):
            why = f"says {PRIVATE!r}"
            return Publication(published=False, why=why, path=name, line=node.lineno)
    publication = Publication(published=True, why="calls setup()", path=name, line=calls[0].lineno)
    return _Built(publication, _name_in(calls[0]), described_in_call(calls[0]))


def _name_in(call: ast.Call) -> str:
    """Return the name that ``setup()`` is given; a pattern that fits none where it is computed."""
    values = [keyword.value for keyword in call.keywords if keyword.arg == "name"]
    named = [value.value for value in values if isinstance(value, ast.Constant)]
    return next((candidate for candidate in named if isinstance(candidate, str)), "(unknown)")


def _text(root: Path, name: str) -> str | Publication | None:
    """Return the text of a settings file; None where there is none."""
    try:
        raw = enclosure_of(root).read(root / name, METADATA_LIMIT)
        return decode_settings(name, raw).text.decode()
    except FileNotFoundError:
        return None
    except (OSError, Undecodable):
        return _unreadable(name)


def _unreadable(name: str) -> Publication:
    return Publication(published=True, why=f"may be: {name} cannot be read", path=name)


def _is_alone(root: Path) -> bool:
    """Whether no other project of the same repository can depend on this one."""
    # A package that is not uploaded may still be installed from a neighboring directory.
    return working_tree(root) in {None, root}


def _line_with(text: str, fits: Callable[[str], bool]) -> int:
    lines = enumerate(LINE_END.split(text), 1)
    return next((number for number, line in lines if fits(line.strip())), 0)
