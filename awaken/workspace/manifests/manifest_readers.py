"""One reader for each kind of manifest; the code of a project is never run, only parsed."""

from __future__ import annotations

import ast
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct
from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from awaken.workspace.formats.ini import NotIni, expanded_value, parse_ini
from awaken.workspace.formats.json_text import parse_json
from awaken.workspace.formats.toml_text import NotToml, parse_toml
from awaken.workspace.manifests.versions import (
    KEPT_TEXTS,
    marker,
    poetry_ranges,
    requirement,
    specifiers,
)
from awaken.workspace.parsing import Unparsable, parse_text
from awaken.workspace.reading import LOCK_LIMIT, METADATA_LIMIT, Enclosure, enclosure_of, why_unread
from awaken.workspace.sources import (
    LINE_END,
    FileProblem,
    TextError,
    Undecodable,
    decode,
    decode_settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


class Declared(Struct, frozen=True):
    """One requirement: any of ``ranges`` will do.

    It applies where ``marker`` holds and Python is in one of ``pythons`` (empty: always).
    """

    name: str
    ranges: tuple[SpecifierSet, ...]
    marker: Marker | None = None
    pythons: tuple[SpecifierSet, ...] = ()


class Manifest(Struct, frozen=True):
    """The contents of one file: Python versions, required distributions, extras and groups.

    ``skipped`` are lines that say nothing of what to install, such as a command of a shell.
    """

    origin: str
    python: tuple[SpecifierSet, ...] = ()
    required: tuple[Declared, ...] = ()
    optional: tuple[Declared, ...] = ()
    requirement_files: tuple[str, ...] = ()
    problems: tuple[FileProblem, ...] = ()
    skipped: tuple[FileProblem, ...] = ()


class _Unusable(TextError):
    """A manifest cannot be used; says why in one sentence."""


def read_manifest(root: Path, name: str) -> Manifest:
    """Return what ``root/name`` declares; ``name`` is one of ``MANIFEST_NAMES``.

    An empty manifest for a file that does not exist; a problem for one that does not parse.
    """
    try:
        raw = enclosure_of(root).read(root / name, METADATA_LIMIT)
        return _READERS[name](name, raw)
    except FileNotFoundError:
        return Manifest(name)
    except OSError as error:
        return _broken_manifest(name, 0, why_unread(error))
    except (Undecodable, Unparsable, _Unusable) as error:
        return _broken_manifest(name, error.line, str(error))
    except (InvalidRequirement, InvalidSpecifier, InvalidMarker) as error:
        return _broken_manifest(
            name, 0, f"has a requirement that is not valid: {_first_line(error)}"
        )


def _broken_manifest(name: str, line: int, message: str) -> Manifest:
    return Manifest(name, problems=(FileProblem(name, line, message),))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


@lru_cache(KEPT_TEXTS)
def declared_requirement(text: str) -> Declared:
    """Return the requirement that ``text`` states as PEP 508 says. Raises InvalidRequirement."""
    result = requirement(text)
    return Declared(canonicalize_name(result.name), (result.specifier,), result.marker)


def _pyproject(name: str, raw: bytes) -> Manifest:
    table = _toml(name, raw)
    project, poetry = _table(table, "project"), _table(table, "tool", "poetry")
    python = project.get("requires-python")
    required = [*_strings(project.get("dependencies"))]
    optional = [
        *_each(_table(project, "optional-dependencies")),
        *_each(_table(table, "dependency-groups")),
        *_each(_table(table, "tool", "pdm", "dev-dependencies")),
        *_strings(_table(table, "tool", "uv").get("dev-dependencies")),
    ]
    pythons, poetry_required, poetry_optional = _poetry(poetry)
    dynamic = _table(table, "tool", "setuptools", "dynamic", "dependencies").get("file", ())
    return Manifest(
        name,
        (specifiers(python),) if isinstance(python, str) else pythons,
        (*map(declared_requirement, required), *poetry_required),
        (*map(declared_requirement, optional), *poetry_optional),
        (dynamic,) if isinstance(dynamic, str) else tuple(_strings(dynamic)),
    )


def _toml(name: str, raw: bytes) -> dict[str, Any]:
    try:
        return parse_toml(decode_settings(name, raw).text.decode())
    except NotToml as error:
        raise _Unusable(f"is not valid TOML: {error}", error.line) from error


def uv_workspace(directory: Path) -> tuple[str, ...] | None:
    """Return the patterns of the workspace members that ``directory`` declares; None if none."""
    name = "pyproject.toml"
    try:
        table = _toml(name, enclosure_of(directory).read(directory / name, METADATA_LIMIT))
    except (OSError, Undecodable, _Unusable):
        return None
    workspace = _table(table, "tool", "uv", "workspace")
    return tuple(_strings(workspace.get("members"))) if workspace else None


def _table(table: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return the table below ``keys``, empty where there is none: tools check shapes, we read."""
    for key in keys:
        below = table.get(key)
        if not isinstance(below, dict):
            return {}
        table = below
    return table


def _strings(values: object) -> Iterator[str]:
    """Yield the strings of a list; ``{include-group = ...}`` is not needed, all groups are read."""
    if isinstance(values, list):
        yield from (value for value in values if isinstance(value, str))


def _each(table: Mapping[str, Any]) -> Iterator[str]:
    for values in table.values():
        yield from _strings(values)


def _poetry(
    table: Mapping[str, Any],
) -> tuple[tuple[SpecifierSet, ...], list[Declared], list[Declared]]:
    main = dict(_table(table, "dependencies"))
    python = main.pop("python", None)
    groups = [_table(table, "dev-dependencies")]
    groups += [_table(group, "dependencies") for group in _table(table, "group").values()]
    return (
        poetry_ranges(python) if isinstance(python, str) else (),
        list(_loose(main)),
        [declaration for group in groups for declaration in _loose(group)],
    )


def _loose(table: Mapping[str, Any]) -> Iterator[Declared]:
    """Yield the requirements of a table as Poetry and Pipenv write it: name = version or table."""
    for name, value in table.items():
        for item in value if isinstance(value, list) else [value]:
            entry = item if isinstance(item, dict) else {"version": item}
            version, applies, python = (entry.get(key) for key in ("version", "markers", "python"))
            yield Declared(
                canonicalize_name(name),
                poetry_ranges(version) if isinstance(version, str) else (SpecifierSet(),),
                marker(applies) if isinstance(applies, str) else None,
                poetry_ranges(python) if isinstance(python, str) else (),
            )


def _pipfile(name: str, raw: bytes) -> Manifest:
    table = _toml(name, raw)
    requires = _table(table, "requires")
    python = requires.get("python_version")
    return Manifest(
        name,
        (specifiers(f"=={python}.*"),) if isinstance(python, str) else (),
        tuple(_loose(_table(table, "packages"))),
        tuple(_loose(_table(table, "dev-packages"))),
    )


def _setup_cfg(name: str, raw: bytes) -> Manifest:
    try:
        sections = parse_ini(decode_settings(name, raw).text.decode())
        options = sections.get("options", {})
        python = expanded_value(options, "python_requires")
        required = expanded_value(options, "install_requires")
        extras = sections.get("options.extras_require", {})
        optional = [expanded_value(extras, key) for key in extras]
    except Undecodable:
        raise
    except NotIni as error:
        raise _Unusable(f"is not a valid INI file: {error}", error.line) from error
    except ValueError as error:
        raise _Unusable(f"is not a valid INI file: {error}") from error
    return Manifest(
        name,
        (specifiers(python),) if python else (),
        tuple(_lines(required)),
        tuple(line for text in optional for line in _lines(text)),
    )


def _lines(text: str) -> Iterator[Declared]:
    """Yield the requirements of a setup.cfg value; ``file:`` names a file that is read anyway."""
    if not text.strip().startswith("file:"):
        parts = text.split("\n" if "\n" in text else ";")  # as setuptools does
        lines = (part.split("#")[0].strip() for part in parts)
        yield from (declared_requirement(line) for line in lines if line)


def _setup_py(name: str, raw: bytes) -> Manifest:
    tree = parse_text(decode(name, raw).text)
    values = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    # Wherever the call is: after `if __name__ == "__main__":`, in a function.
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and is_setup(node)]
    keywords = {word.arg: word.value for call in calls for word in call.keywords}
    python = _literal(keywords.get("python_requires"), values)
    extras = _literal(keywords.get("extras_require"), values)
    required = _strings(_literal(keywords.get("install_requires"), values))
    return Manifest(
        name,
        (specifiers(python),) if isinstance(python, str) else (),
        tuple(map(declared_requirement, required)),
        tuple(map(declared_requirement, _each(extras))) if isinstance(extras, dict) else (),
    )


def is_setup(call: ast.Call) -> bool:
    """Whether ``call``, of a ``setup.py``, is the one that describes the distribution."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", None)
    return name == "setup"


def _literal(node: ast.expr | None, values: Mapping[str, ast.expr]) -> object:
    """Return the value of a literal, or of a module-level name for one; else None."""
    if isinstance(node, ast.Name):
        node = values.get(node.id)
    try:
        result = None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return list(result) if isinstance(result, tuple) else result


_READERS: dict[str, Callable[[str, bytes], Manifest]] = {
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup_cfg,
    "setup.py": _setup_py,
    "Pipfile": _pipfile,
}
MANIFEST_NAMES = tuple(_READERS)

# uv, poetry and pdm write these two lines one after the other; tomllib needs 0.1 s for a megabyte
_LOCKED = re.compile(
    r'^\[\[package\]\]\r?\nname = "([^"\r\n]+)"\r?\nversion = "([^"\r\n]+)"', re.MULTILINE
)


def read_lock(path: Path) -> dict[str, tuple[SpecifierSet, ...]]:
    """Return the exact versions in a lock file, by distribution; empty where it does not exist.

    Raises Undecodable, OSError, and ValueError for a version that is none and where
    ``Pipfile.lock`` is not JSON.
    """
    raw = enclosure_of(path.parent).read(path, LOCK_LIMIT)
    text = decode_settings(path.name, raw).text.decode()
    pairs = _pipfile_lock(text) if path.name == "Pipfile.lock" else _LOCKED.findall(text)
    specifier_sets: dict[str, list[SpecifierSet]] = {}
    for name, version in pairs:
        specifier_sets.setdefault(canonicalize_name(name), []).append(specifiers(f"=={version}"))
    return {name: tuple(ranges) for name, ranges in specifier_sets.items()}


def _pipfile_lock(text: str) -> Iterator[tuple[str, str]]:
    table = parse_json(text)
    if not isinstance(table, dict):
        raise ValueError("it holds no table")  # noqa: TRY004 - a file's fault, not a caller's
    for section in ("default", "develop"):
        for name, entry in _table(table, section).items():
            version = entry.get("version", "") if isinstance(entry, dict) else ""
            if isinstance(version, str) and version.startswith("=="):
                yield name, version[2:]


_IGNORED_LINE = re.compile(r"-(?!r|c|-requirement|-constraint)|[./~]|[\w+.-]+://|[^\s@]*[/\\]")
_INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)")
_PIP_OPTIONS = re.compile(r"(?<!\s)\s++--?[a-z].*$")

INCLUDES_LIMIT = 200
"""Requirements files that one of them may lead to; a program has a handful."""


class RequirementFiles:
    """Reads the requirements files of a project, each only once, whichever include it.

    The format is pip's (pip.pypa.io/en/stable/reference/requirements-file-format): paths, URLs
    and options name no version and are passed over.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._enclosure: Enclosure = enclosure_of(root)
        self._known: dict[Path, _RequirementFile] = {}

    def read(self, name: str) -> Manifest:
        """Return what the file ``name``, relative to the root, and those it includes ask for."""
        declarations: list[Declared] = []
        problems: list[FileProblem] = []
        skipped: list[FileProblem] = []
        waiting = [_Included(self._root / name, name)]
        seen: set[Path] = set()
        while waiting:
            asked = waiting.pop()
            path, shown = asked.path, asked.shown
            if path in seen:  # files may include each other
                continue
            if len(seen) > INCLUDES_LIMIT:
                why = f"leads to more than {INCLUDES_LIMIT} other files; the rest is not read"
                problems.append(FileProblem(name, 0, why))
                break
            seen.add(path)
            requirement_file = self._one(path, shown)
            declarations += requirement_file.required
            problems += requirement_file.problems
            skipped += requirement_file.skipped
            if requirement_file.unread:
                problems.append(asked.problem(requirement_file.unread))
            waiting += [
                _Included(_file_next_to(path, include), include, shown, line)
                for include, line in requirement_file.includes
            ]
        return Manifest(
            name,
            required=tuple(declarations),
            problems=tuple(problems),
            skipped=tuple(skipped),
        )

    def _one(self, path: Path, shown: str) -> _RequirementFile:
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._read(path, shown)
        return known

    def _read(self, path: Path, shown: str) -> _RequirementFile:
        try:
            raw = self._enclosure.read(path, METADATA_LIMIT)
            text = decode_settings(shown, raw).text.decode()
        except OSError as error:
            return _RequirementFile(unread=why_unread(error))
        except Undecodable as error:
            return _RequirementFile(problems=[FileProblem(shown, error.line, str(error))])
        result = _RequirementFile([], [], [], skipped=[])
        _requirement_lines(shown, text, result)
        return result


class _RequirementFile(Struct, frozen=True):
    """The contents of one requirements file, and the others that it names."""

    required: list[Declared] = []
    problems: list[FileProblem] = []
    includes: list[tuple[str, int]] = []
    unread: str = ""
    skipped: list[FileProblem] = []


class _Included(NamedTuple):
    """A file to read, as it is named, and the file and the line that name it, if one does."""

    path: Path
    shown: str
    by: str = ""
    line: int = 0

    def problem(self, why: str) -> FileProblem:
        """Return why the file is not read, with the place."""
        if not self.by:
            return FileProblem(self.shown, 0, why)
        return FileProblem(self.by, self.line, f"names {self.shown}, which {why}")


def _file_next_to(path: Path, named: str) -> Path:
    """Return the file that one next to it names, as one path for every way of writing it."""
    try:
        return Path(os.path.realpath(path.parent / named))
    except ValueError:  # a NUL in it: reading says so
        return path.parent / named


def _requirement_lines(shown: str, text: str, read: _RequirementFile) -> None:
    """Add the lines of one file to what is ``read`` of it."""
    for number, line in _joined_lines(text):
        include = _INCLUDE.match(line)
        if include and "://" not in include[1]:
            read.includes.append((include[1], number))
        elif line and not include and not _IGNORED_LINE.match(line):
            try:
                read.required.append(declared_requirement(_PIP_OPTIONS.sub("", line)))
            except InvalidRequirement as error:
                if _NAMING.match(line):
                    message = f"is not a valid requirement: {_first_line(error)}"
                    read.problems.append(FileProblem(shown, number, message))
                else:
                    read.skipped.append(FileProblem(shown, number, "is no requirement"))


_NAMING = re.compile(
    r"[\w.-]+[ \t]*+(?:\[[^\]]*+\][ \t]*+)?(?:[=<>!~]=?=?[ \t]*+[\d*]|[;@]|$)|[./]|[\w+]++://"
)
"""How a requirement begins that says what to install, and may be wrong in the rest."""


def _joined_lines(text: str) -> Iterable[tuple[int, str]]:
    """Yield numbered lines without comments; a trailing backslash joins the next one."""
    start = 1
    joined: list[str] = []
    for number, line in enumerate(LINE_END.split(text), start=1):
        if line.endswith("\\"):
            joined += [line[:-1], " "]
            continue
        yield start, re.sub(r"(^|\s)#.*", "", "".join((*joined, line))).strip()
        start, joined = number + 1, []
