"""Keys of a TOML file, set with tomlkit."""

from __future__ import annotations

from collections.abc import MutableMapping
from copy import deepcopy
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable, Item, Table

from awaken.contract import SetKey
from awaken.engine.manifests.whole_texts import CannotAdd, toml_tables
from awaken.workspace.formats.toml_text import value_at


def with_toml_key(text: str, edit: SetKey) -> tuple[str, str]:
    """Return ``text`` with the key, and the text of the value that it had. Raises CannotAdd."""
    tables = toml_tables(text)
    wanted = _wanted_values(tables, edit)
    if tables == wanted:
        return text, ""
    try:
        document = tomlkit.parse(text)
        new, replaced = _edited_pair(document, edit)
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise CannotAdd(f"tomlkit does not write it: {error}") from error
    if toml_tables(new) != wanted:
        raise CannotAdd("tomlkit writes something else")
    return new, replaced


def toml_line(edit: SetKey) -> str:
    """Return the line of the key, as TOML."""
    return tomlkit.dumps({edit.key: _value(edit)}).rstrip("\n")


def _edited_pair(document: tomlkit.TOMLDocument, edit: SetKey) -> tuple[str, str]:
    holder = value_at(document, edit.table)
    if holder is None:
        return _with_new_table(document.as_string(), edit), ""
    if not isinstance(holder, MutableMapping):
        raise CannotAdd(f"{'.'.join(edit.table)} is not a table")
    old = holder.get(edit.key)
    if old is not None:
        holder[edit.key] = _value(edit)
        return document.as_string(), old.as_string() if isinstance(old, Item) else ""
    if isinstance(holder, InlineTable) and edit.table:
        *above, name = edit.table
        value_at(document, above)[name] = _with_inline_key(holder, edit)
        return document.as_string(), ""
    # Blanks and comments below the last key belong to what follows.
    body = holder.value.body if isinstance(holder, Table) else []
    below = []
    while body and body[-1][0] is None:
        below.append(body.pop())
    holder[edit.key] = _value(edit)
    body.extend(reversed(below))
    return document.as_string(), ""


def _with_inline_key(holder: InlineTable, edit: SetKey) -> Item:
    """Return an inline table with the key at its end, and the blanks that it has at its ends.

    tomlkit drops the blank before the brace, and writes none after the comma.
    """
    inside = holder.as_string()[1:-1]
    kept = inside.rstrip()
    key = f"{kept}, {toml_line(edit)}" if kept else f"{inside}{toml_line(edit)}"
    table = tomlkit.parse(f"table = {{{key}{inside[len(kept) :]}}}").item("table")
    assert isinstance(table, InlineTable)  # noqa: S101  written just so
    return table


def _with_new_table(text: str, edit: SetKey) -> str:
    """Return ``text`` with the table at its end, where it cannot come between others."""
    header = ".".join(tomlkit.key(name).as_string() for name in edit.table)
    above = "" if not text or text.endswith("\n") else "\n"
    gap = "\n" if text.strip() else ""
    return f"{text}{above}{gap}[{header}]\n{toml_line(edit)}\n"


def _value(edit: SetKey) -> Any:
    return tomlkit.item(list(edit.value) if isinstance(edit.value, tuple) else edit.value)


def _wanted_values(tables: dict[str, Any], edit: SetKey) -> dict[str, Any]:
    """Return ``tables`` with the key. Raises CannotAdd."""
    wanted = deepcopy(tables)
    holder: Any = wanted
    for number, name in enumerate(edit.table, 1):
        holder = holder.setdefault(name, {})
        if not isinstance(holder, dict):
            raise CannotAdd(f"{'.'.join(edit.table[:number])} is not a table")
    holder[edit.key] = list(edit.value) if isinstance(edit.value, tuple) else edit.value
    return wanted
