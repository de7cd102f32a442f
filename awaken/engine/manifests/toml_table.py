"""Requirements in TOML, edited with tomlkit: a list, or keys of a table as Poetry has them."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from copy import deepcopy
from typing import Any

import tomlkit
from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier
from packaging.utils import canonicalize_name
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, String

from awaken.engine.manifests.requirement_lists import missing_extras, narrowed_range, place_of
from awaken.engine.manifests.whole_texts import CannotAdd, toml_tables
from awaken.workspace.formats.toml_text import line_of, value_at
from awaken.workspace.manifests.versions import poetry_ranges

_PYTHON = "python"
_EXTRAS = ("tool", "poetry", "extras")


class TomlTable:
    """The table at ``path`` of a TOML file; edits are made in its text, one after the other."""

    def __init__(self, text: str, path: Sequence[str]) -> None:
        self._text = text
        self._path = tuple(path)

    @property
    def names(self) -> Sequence[str]:
        """The canonical names of the distributions, Python left out."""
        return [canonicalize_name(key) for key in self._keys()]

    def add(self, wanted: Requirement, beside: str) -> None:
        """Add a key; where ``beside`` is optional it is optional, and in the same extras."""
        value: Any = entry(wanted)
        held = self._table().get(self._key_of(beside))
        is_optional = isinstance(held, Mapping) and held.get("optional") is True
        if is_optional:
            table = value if isinstance(value, dict) else {"version": value}
            value = {**table, "optional": True}
        self._insert(wanted.name, value)
        if is_optional:
            self._add_to_extras(wanted.name, beside)

    def extend(self, wanted: Requirement, *, may_replace: bool = False) -> None:
        """Give a requirement missing extras and bounds. Raises CannotAdd."""
        key = self._key_of(canonicalize_name(wanted.name))
        held = self._table()[key]
        if not isinstance(held, str | dict):
            raise CannotAdd(f"{key} is required in several ways", self._line(key))
        said = held if isinstance(held, str) else held.get("version")
        version = None
        if isinstance(said, str):
            version = self._narrowed_text(said, wanted, may_replace=may_replace)
        extras = held.get("extras", []) if isinstance(held, dict) else []
        more = missing_extras(extras, wanted)
        if version == said and not more:
            return
        new: dict[str, Any] = {} if isinstance(held, str) else dict(held)
        new |= {} if version is None else {"version": version}
        new |= {"extras": [*extras, *more]} if more else {}
        value = version if isinstance(held, str) and not more else new
        document = toml_document(self._text)
        table = value_at(document, self._path)
        if isinstance(held, dict):
            for name, item in new.items():
                if held.get(name) != item:
                    table[key][name] = item
        else:
            table[key] = _item(value)
        self._take(document.as_string(), [(*self._path, key)], value)

    def manifest(self) -> str:
        """Return the text of the file."""
        return self._text

    def _narrowed_text(self, said: str, wanted: Requirement, *, may_replace: bool) -> str:
        try:
            ranges = poetry_ranges(said)
        except InvalidSpecifier:
            return said
        if len(ranges) > 1:
            fits = [span for span in ranges if _excludes_nothing(span, wanted)]
            if len(fits) == len(ranges):
                return said
            raise CannotAdd(f"it requires {said}, but the change needs {wanted.specifier}")
        written = "" if said.strip() == "*" else said
        return narrowed_range(written, ranges[0], wanted, may_replace=may_replace) or said

    def _insert(self, name: str, value: Any) -> None:
        keys = self._keys()
        place = place_of(self.names, name)
        line = f"{tomlkit.dumps({name: _item(value)}).rstrip()}\n"
        lines = self._text.splitlines(keepends=True)
        at = self._line(keys[place]) - 1 if place < len(keys) else len(lines)
        while place < len(keys) and at and lines[at - 1].lstrip().startswith("#"):
            at -= 1
        if place < len(keys) and self._is_key(lines[self._line(keys[place]) - 1], keys[place]):
            text = "".join([*lines[:at], line, *lines[at:]])
        else:
            text = self._appended_text(name, value)
        self._take(text, [(*self._path, name)], value)

    def _is_key(self, line: str, key: str) -> bool:
        """Whether a line is that of a key, and not of a table that is called like it."""
        return line.lstrip().lstrip("\"'").startswith(key)

    def _appended_text(self, name: str, value: Any) -> str:
        document = toml_document(self._text)
        table = value_at(document, self._path)
        if not isinstance(table, tomlkit.items.Table):
            raise CannotAdd(
                f"{self._shown_text} is no table of its own: Poetry's or Pipenv's", self._line("")
            )
        # Blanks and comments below the last key belong to what follows.
        body, below = table.value.body, []
        while body and body[-1][0] is None:
            below.append(body.pop())
        table[name] = _item(value)
        body.extend(reversed(below))
        return document.as_string()

    def _add_to_extras(self, name: str, beside: str) -> None:
        document = toml_document(self._text)
        extras = value_at(document, _EXTRAS)
        changed = []
        for key, names in extras.items() if isinstance(extras, Mapping) else ():
            known = [canonicalize_name(str(item)) for item in names]
            if beside in known and canonicalize_name(name) not in known:
                names.append(name)
                changed.append((*_EXTRAS, key))
        before = toml_tables(self._text)
        for path in changed:
            value_at(before, path).append(name)
        self._text = _checked_text(document.as_string(), before)

    def _take(self, text: str, paths: Sequence[Sequence[str]], value: Any) -> None:
        """Take ``text`` if it says what the text before did, and ``value`` at ``paths``."""
        wanted = deepcopy(toml_tables(self._text))
        for *holders, key in paths:
            value_at(wanted, holders)[key] = value
        self._text = _checked_text(text, wanted)

    @property
    def _shown_text(self) -> str:
        return ".".join(self._path)

    def _line(self, key: str) -> int:
        return line_of(self._text, (*self._path, key) if key else self._path)

    def _table(self) -> dict[str, Any]:
        value = value_at(toml_tables(self._text), self._path)
        return value if isinstance(value, dict) else {}

    def _keys(self) -> list[str]:
        return [name for name in self._table() if name != _PYTHON]

    def _key_of(self, name: str) -> str:
        return next((key for key in self._keys() if canonicalize_name(key) == name), name)


def entry(required: Requirement) -> str | dict[str, Any]:
    """Return a requirement as the value of a key."""
    version = str(required.specifier or "*")
    if not required.extras and required.marker is None:
        return version
    extras = {"extras": sorted(required.extras)} if required.extras else {}
    markers = {"markers": str(required.marker)} if required.marker is not None else {}
    return {"version": version, **extras, **markers}


def entry_line(required: Requirement) -> str:
    """Return the line that a user writes for a requirement."""
    return tomlkit.dumps({required.name: _item(entry(required))}).rstrip()


def _excludes_nothing(one: Any, wanted: Requirement) -> bool:
    try:
        return narrowed_range(str(one), one, wanted) == str(one)
    except CannotAdd:
        return False


def _item(value: Any) -> Any:
    if not isinstance(value, dict):
        return tomlkit.item(value)
    table = tomlkit.inline_table()
    table.update(value)
    return table


def _checked_text(text: str, wanted: dict[str, Any]) -> str:
    if toml_tables(text) != wanted:
        raise CannotAdd("tomlkit writes something else")
    return text


_GROUPS = "dependency-groups"


class TomlList:
    """An array of a TOML document; items other than strings are skipped."""

    def __init__(self, document: tomlkit.TOMLDocument, array: Array) -> None:
        self._document = document
        self._array = array

    @property
    def texts(self) -> Sequence[str]:
        """The requirements as they are written, without quotes."""
        return [str(self._array[at]) for at in self._places()]

    def insert(self, place: int, text: str) -> None:
        """Add a requirement before the one at ``place``, or after the last."""
        places = self._places()
        at = places[place - 1] + 1 if place else next(iter(places), 0)
        new = self._quoted_string(text)
        if at == 0 and self._array and "\n" not in self._array.as_string():
            # tomlkit writes no blank after the comma of a new first element, so it comes second.
            self._array.insert(1, self._array[0])
            self._array[0] = new
        else:
            self._array.insert(at, new)

    def replace(self, place: int, text: str) -> None:
        """Write the requirement at ``place`` again."""
        self._array[self._places()[place]] = self._quoted_string(text)

    def manifest(self) -> str:
        """Return the text of the document. Raises CannotAdd unless it says what was meant."""
        text = self._document.as_string()
        if toml_tables(text) != self._document.unwrap():
            raise CannotAdd("awaken cannot edit this list of dependencies")
        return text

    def _places(self) -> list[int]:
        return [at for at, item in enumerate(self._array) if isinstance(item, String)]

    def _quoted_string(self, text: str) -> String:
        """Return ``text`` in the quotes of the first requirement, if they can hold it."""
        first = next(iter(self._places()), None)
        literal = first is not None and self._array[first].as_string().startswith("'")
        return tomlkit.string(text, literal=literal and "'" not in text)


def toml_list(text: str, table: Sequence[str]) -> TomlList:
    """Return the list at ``table`` in a TOML file. Raises CannotAdd."""
    document = toml_document(text)
    value = value_at(document, table)
    if not isinstance(value, Array):
        raise CannotAdd("awaken does not find the list of dependencies")
    return TomlList(document, value)


def new_group(text: str, group: str) -> TomlList:
    """Return the list of a new dependency group of a ``pyproject.toml``. Raises CannotAdd."""
    document = toml_document(text)
    groups = document.setdefault(_GROUPS, tomlkit.table())
    if not isinstance(groups, MutableMapping):
        raise CannotAdd(f"its {_GROUPS} is not a table")
    groups[group] = array = tomlkit.array()
    return TomlList(document, array)


def toml_document(text: str) -> tomlkit.TOMLDocument:
    """Return ``text`` as tomlkit reads it. Raises CannotAdd."""
    toml_tables(text)
    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise CannotAdd(f"tomlkit does not read it: {error}") from error
