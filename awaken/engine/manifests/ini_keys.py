"""Keys of an INI file, set with ConfigUpdater."""

from __future__ import annotations

import configparser
import re

from configupdater import ConfigUpdater

from awaken.contract import SetKey
from awaken.contract.edits import SettingValue
from awaken.engine.manifests.whole_texts import CannotAdd
from awaken.workspace.formats.ini import NotIni, parse_ini

_HEAD = re.compile(r"\s*[^=:]+?[ \t]*[=:][ \t]*")


def with_ini_key(text: str, edit: SetKey) -> tuple[str, str]:
    """Return ``text`` with the key, and the lines of the value that it had. Raises CannotAdd."""
    sections = _sections(text)
    if len(edit.table) != 1:
        raise CannotAdd("an INI file has no tables inside of others")
    (name,) = edit.table
    wanted = _as_read(ini_value(edit.value))
    if sections.get(name, {}).get(edit.key.lower()) == wanted:
        return text, ""
    new, replaced = _edited_pair(text, name, edit, known=name in sections)
    after = _sections(new)
    expected = {**sections, name: {**sections.get(name, {}), edit.key.lower(): wanted}}
    # A new section repeats the settings of the section DEFAULT.
    own = {key: value for key, value in after.get(name, {}).items() if key in expected[name]}
    if {**after, name: own} != expected:
        raise CannotAdd("ConfigUpdater writes something else")
    return new, replaced


def ini_value(value: SettingValue) -> str:
    """Return a value as INI has it: each element of a list on a line of its own."""
    if isinstance(value, tuple):
        return "".join(f"\n    {name}" for name in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _edited_pair(text: str, name: str, edit: SetKey, *, known: bool) -> tuple[str, str]:
    written = ini_value(edit.value)
    # The parser needs the end of the last line, which the file keeps without it.
    added = "" if not text or text.endswith("\n") else "\n"
    ended = f"{text}{added}"
    if not known:
        gap = "\n" if text.strip() else ""
        return f"{ended}{gap}[{name}]\n{edit.key} = {written}\n", ""
    document = ConfigUpdater()
    try:
        document.read_string(ended)
    except configparser.Error as error:
        message = error.message.splitlines()[0]
        raise CannotAdd(f"it is not a valid INI file: {message}") from error
    section = document[name]
    options = section.option_blocks()
    if section.has_option(edit.key):
        lines = section[edit.key].lines
        head = _HEAD.match(lines[0])
        replaced = "".join(lines)
        lines[:] = [f"{head[0] if head else f'{edit.key} = '}{written}\n"]
        return str(document).removesuffix(added), replaced
    if options:
        options[-1].add_after.option(edit.key, written)
    else:
        section[edit.key] = written
    return str(document).removesuffix(added), ""


def _as_read(written: str) -> str:
    """Return what a reader makes of a value as it is written."""
    return "\n".join(line.strip() for line in written.split("\n"))


def _sections(text: str) -> dict[str, dict[str, str]]:
    try:
        return parse_ini(text)
    except NotIni as error:
        raise CannotAdd(f"it is not a valid INI file: {error}", error.line) from error
