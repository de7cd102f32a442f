"""Lists of requirements in manifests: where each is, and which distributions it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Literal

from msgspec import Struct
from packaging.utils import canonicalize_name

from awaken.engine.manifests.editable import is_for_development, is_requirements_file
from awaken.engine.manifests.line_list import cfg_list, cfg_names, plain_list
from awaken.engine.manifests.requirement_lists import RequirementList, TextList, distribution_of
from awaken.engine.manifests.whole_texts import CannotAdd, toml_tables
from awaken.workspace.formats.ini import NotIni, parse_ini
from awaken.workspace.formats.toml_text import value_at

_DEV = "dev"


class Listing(Struct, frozen=True):
    """A list of requirements: in the file at ``path``, below the keys ``table``.

    ``group`` is empty for what is always required. ``names`` are canonical.
    """

    path: str
    table: tuple[str, ...]
    kind: Literal["array", "keys", "lines", "option"]
    group: str
    names: tuple[str, ...]

    def open_list(self, text: str) -> RequirementList:
        """Return the list, to be edited; ``text`` is that of the file. Raises CannotAdd."""
        if self.kind == "lines":
            return TextList(plain_list(text))
        if self.kind == "option":
            section, key = self.table
            return TextList(cfg_list(text, section, key))
        # tomlkit takes as long to import as a small program to check, and few changes need it.
        if self.kind == "keys":
            from awaken.engine.manifests.toml_table import TomlTable  # noqa: PLC0415

            return TomlTable(text, self.table)
        from awaken.engine.manifests.toml_list import toml_list  # noqa: PLC0415

        return TextList(toml_list(text, self.table))


def listings_in(path: str, text: str) -> Iterator[Listing]:
    """Yield the lists of a manifest. Raises CannotAdd if it is not what its name says."""
    name = PurePosixPath(path).name
    if name == "setup.cfg":
        yield from _of_cfg(path, text)
    elif is_requirements_file(path):
        lines = (distribution_of(line.strip()) for line in text.splitlines())
        named = tuple(filter(None, lines))
        yield Listing(path, (), "lines", _DEV if is_for_development(path) else "", named)
    else:
        tables = toml_tables(text)
        keys = _PIPFILE if name == "Pipfile" else _pyproject(tables)
        for table, group in keys:
            held = value_at(tables, table)
            if isinstance(held, list):
                names = [distribution_of(item) for item in held if isinstance(item, str)]
                yield Listing(path, table, "array", group, tuple(names))
            elif isinstance(held, dict):
                names = [canonicalize_name(item) for item in held]
                yield Listing(path, table, "keys", group, tuple(names))
            elif table == _POETRY and _is_poetry(tables):
                yield Listing(path, table, "keys", group, ())


_POETRY = ("tool", "poetry", "dependencies")
_PIPFILE = ((("packages",), ""), (("dev-packages",), _DEV))


def _pyproject(tables: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the keys below which a ``pyproject.toml`` may list requirements, and their groups."""
    if not isinstance(value_at(tables, ("project", "dependencies")), list | None):
        raise CannotAdd("awaken does not find the list of dependencies")
    yield ("project", "dependencies"), ""
    yield _POETRY, ""
    for holder, inner in _GROUPED:
        groups = value_at(tables, holder)
        for group in groups if isinstance(groups, dict) else ():
            yield (*holder, group, *inner), group
    yield ("tool", "uv", "dev-dependencies"), _DEV
    yield ("tool", "poetry", "dev-dependencies"), _DEV


def _is_poetry(tables: Mapping[str, Any]) -> bool:
    """Whether a project lists its requirements as Poetry alone reads them."""
    return value_at(tables, _POETRY[:-1]) is not None and "project" not in tables


_GROUPED: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("dependency-groups",), ()),
    (("project", "optional-dependencies"), ()),
    (("tool", "poetry", "group"), ("dependencies",)),
    (("tool", "pdm", "dev-dependencies"), ()),
    (("tool", "hatch", "envs"), ("dependencies",)),
    (("tool", "hatch", "envs"), ("extra-dependencies",)),
)


def _of_cfg(path: str, text: str) -> Iterator[Listing]:
    try:
        sections = parse_ini(text)
    except NotIni as error:
        raise CannotAdd(f"it is not a valid INI file: {error}", error.line) from error
    for section, key in cfg_names(sections):
        lines = sections[section][key].replace(";", "\n").splitlines()
        names = tuple(filter(None, (distribution_of(line.strip()) for line in lines)))
        yield Listing(path, (section, key), "option", "" if section == "options" else key, names)


def group_added(path: str, text: str, group: str) -> tuple[str, Listing]:
    """Return a manifest of TOML with an empty list for a group."""
    tables = toml_tables(text)
    ended = text if not text or text.endswith("\n") else f"{text}\n"
    gap = "\n" if text.strip() else ""
    table: tuple[str, ...]
    if PurePosixPath(path).name == "Pipfile":
        table = ("dev-packages",)
    elif _is_poetry(tables):
        table = ("tool", "poetry", "group", group, "dependencies")
    else:
        from awaken.engine.manifests.toml_list import new_group  # noqa: PLC0415  as above

        table = ("dependency-groups", group)
        return new_group(text, group).manifest(), Listing(path, table, "array", group, ())
    return f"{ended}{gap}[{'.'.join(table)}]\n", Listing(path, table, "keys", group, ())


def nearest(
    listings: Sequence[Listing], name: str, group: str | None, beside: Sequence[str]
) -> list[tuple[Listing, str]]:
    """Return the lists that a requirement of ``name`` goes into, each with its neighbour.

    Where it is listed already it stays. Else it goes wherever the first of ``beside`` is listed
    that any list names, else into the first list of its ``group``.
    """
    naming = [listing for listing in listings if name in listing.names]
    if any(not listing.group for listing in naming) or (naming and group is not None):
        return [(listing, name) for listing in naming]
    for other in beside:
        near = [listing for listing in listings if other in listing.names]
        if near:
            return [(one, other) for one in (*near, *(item for item in naming if item not in near))]
    if group is None:
        first = next((listing for listing in listings if not listing.group), None)
    else:
        first = next((listing for listing in listings if listing.group == group), None)
    return [(listing, "") for listing in (*([first] if first else []), *naming)]
