"""The lists of requirements of a ``pyproject.toml``, edited with tomlkit: all else stays."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, String

from awaken.engine.manifests.whole_texts import CannotAdd, toml_tables
from awaken.workspace.formats.toml_text import value_at

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
