"""The lists of requirements in the text of a manifest: finds and extends them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from awaken.workspace.manifests.versions import requirement
from awaken.workspace.toml_text import NotToml, parse_toml

_NAME = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[(?P<extras>[^\]]*)\])?")
_TOML_PART = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\\n])*"|'[^'\n]*')|\#[^\n\r]*|(?P<opens>[\[{])|(?P<closes>[\]}])"""
)
_NEWLINE = re.compile(r"\r\n|\n|\r")


class CannotAdd(Exception):
    """A manifest is written in a way that awaken does not edit; ``str()`` says what to do."""


def distribution_of(requirement: str) -> str:
    """Return the canonical name of the distribution; empty for what is no requirement."""
    found = _NAME.match(requirement)
    return canonicalize_name(found["name"]) if found else ""


class Entry(Struct, frozen=True):
    """One requirement: where its text stands, in characters, without quotes."""

    start: int
    end: int
    text: str

    @property
    def name(self) -> str:
        """The canonical name of the distribution."""
        return distribution_of(self.text)


class RequirementList(Struct, frozen=True):
    """The requirements of one group; ``opening`` is where the list itself begins.

    In TOML the entries are ``quoted`` strings, else each stands on a line of its own.
    """

    entries: tuple[Entry, ...]
    opening: int
    quoted: bool


def extended(manifest: str, text: str, wanted: Requirement, group: str | None) -> str | None:
    """Return the ``text`` of a ``manifest`` (its file name) that requires ``wanted`` as well.

    The same text where nothing is missing; None if the manifest has no list for the group.
    Raises CannotAdd.
    """
    found = requirements_in(manifest, text, group)
    if found is None:
        return None
    known = next((e for e in found.entries if e.name == canonicalize_name(wanted.name)), None)
    new = _append(text, found, str(wanted)) if known is None else _merge(text, known, wanted)
    if manifest.endswith(".toml") and new != text:
        _check_toml(text, new)
    return new


def requirements_in(manifest: str, text: str, group: str | None) -> RequirementList | None:
    """Return the list of ``group`` (None: what is always required). Raises CannotAdd."""
    if manifest.endswith(".toml"):
        return _toml_list(text, group)
    if group is not None:
        return None
    return _cfg_list(text) if manifest.endswith(".cfg") else _plain_list(text)


def new_group(text: str, group: str, wanted: Requirement) -> str:
    """Return the text of a ``pyproject.toml`` with a new dependency group that holds ``wanted``."""
    newline = (_NEWLINE.search(text) or ["\n"])[0]
    line = f'{group} = ["{wanted}"]{newline}'
    header = re.search(r"^\[dependency-groups\][^\n\r]*(\r\n|\n|\r)", text, re.MULTILINE)
    if header:
        return text[: header.end()] + line + text[header.end() :]
    end = "" if not text or text.endswith(("\n", "\r")) else newline
    return f"{text}{end}{newline}[dependency-groups]{newline}{line}"


def _merge(text: str, entry: Entry, wanted: Requirement) -> str:
    """Add missing extras to an entry; its specifier and its marker stay."""
    found = _NAME.match(entry.text)
    if found is None:
        return text
    extras = [extra.strip() for extra in (found["extras"] or "").split(",") if extra.strip()]
    missing = sorted(wanted.extras - {canonicalize_name(extra) for extra in extras} - set(extras))
    if not missing:
        return text
    named = f"{found['name']}[{','.join([*extras, *missing])}]"
    rest = entry.start + len(found[0].rstrip())
    return text[: entry.start] + named + text[rest:]


def _append(text: str, found: RequirementList, wanted: str) -> str:
    """Add an entry at its place if the list is sorted, else at its end."""
    if not found.entries:
        return _first(text, found, wanted)
    names = [entry.text.lower() for entry in found.entries]
    place = len(names)
    if names == sorted(names):
        place = sum(name <= wanted.lower() for name in names)
    before = found.entries[place - 1] if place else None
    first = found.entries[0]
    if not found.quoted:
        return _add_line(text, found, before, wanted)
    quote = text[first.start - 1]
    written = f"{quote}{wanted}{quote}"
    own_lines = _NEWLINE.search(text, found.opening, first.start) is not None
    if before is None:
        between = f",{_break_before(text, first.start - 1)}" if own_lines else ", "
        return text[: first.start - 1] + written + between + text[first.start - 1 :]
    if not own_lines:
        return f"{text[: before.end + 1]}, {written}{text[before.end + 1 :]}"
    return _add_quoted_line(text, before, written)


def _add_quoted_line(text: str, before: Entry, written: str) -> str:
    comma = re.compile(r"\s*,").match(text, before.end + 1)
    end = re.compile(r"[^\n\r]*").match(text, comma.end() if comma else before.end + 1)
    line_end = end.end() if end else len(text)
    closes = text.find("]", before.end, line_end)
    if closes >= 0 and "#" not in text[before.end : closes]:
        line_end = closes  # the bracket stands behind the last entry
    new = _break_before(text, before.start - 1) + written + ("," if comma else "")
    kept = (
        text[:line_end] if comma else f"{text[: before.end + 1]},{text[before.end + 1 : line_end]}"
    )
    return kept + new + text[line_end:]


def _break_before(text: str, at: int) -> str:
    """Return the line break and the indentation in front of the line of ``at``."""
    found = re.compile(r"(\r\n|\n|\r)([ \t]*)[^\n\r]*\Z").search(text[:at])
    return f"{found[1]}{found[2]}" if found else "\n"


def _add_line(text: str, found: RequirementList, before: Entry | None, wanted: str) -> str:
    newline = (_NEWLINE.search(text) or ["\n"])[0]
    if before is None:
        first = found.entries[0]
        return (
            f"{text[: first.start]}{wanted}{_break_before(text, first.start)}{text[first.start :]}"
        )
    start = text.rfind("\n", 0, before.start) + 1
    indent = text[start : before.start]
    end = _NEWLINE.search(text, before.end)
    if end is None:
        return f"{text}{newline}{indent}{wanted}{newline}"
    return f"{text[: end.end()]}{indent}{wanted}{newline}{text[end.end() :]}"


def _first(text: str, found: RequirementList, wanted: str) -> str:
    if found.quoted:
        rest = text[found.opening :]
        comma = "" if rest.lstrip().startswith("]") else ", "
        return f'{text[: found.opening]}"{wanted}"{comma}{rest}'
    newline = (_NEWLINE.search(text) or ["\n"])[0]
    end = "" if not text or text.endswith(("\n", "\r")) else newline
    return f"{text}{end}{wanted}{newline}"


def _toml_list(text: str, group: str | None) -> RequirementList | None:
    try:
        tables = parse_toml(text)
    except NotToml as error:
        raise CannotAdd(f"it is not valid TOML: {error}") from error
    if group is None and "dependencies" not in _keys(tables, "project"):
        if "poetry" in _keys(tables, "tool"):
            raise CannotAdd("awaken does not edit the dependencies of Poetry: add it by hand")
        return None
    keys = (
        [("project", "dependencies")]
        if group is None
        else [("dependency-groups", group), ("project.optional-dependencies", group)]
    )
    for table, key in keys:
        opening = _find_array(text, table, key)
        if opening is not None:
            return RequirementList(tuple(_strings(text, opening)), opening, quoted=True)
    if group is None:
        raise CannotAdd("awaken does not find the list of dependencies: add it by hand")
    return None


def _keys(tables: dict[str, Any], name: str) -> dict[str, Any]:
    table = tables.get(name)
    return table if isinstance(table, dict) else {}


def _find_array(text: str, table: str, key: str) -> int | None:
    """Return where the array of ``key`` in ``table`` begins, behind its bracket."""
    header = re.search(rf"^\[{re.escape(table)}\]", text, re.MULTILINE)
    if header is None:
        return None
    after = re.compile(r"^\[", re.MULTILINE).search(text, header.end())
    name = rf"^[ \t]*[\"']?{re.escape(key)}[\"']?[ \t]*=[ \t]*\["
    found = re.compile(name, re.MULTILINE).search(text, header.end())
    if found is None or (after is not None and found.start() > after.start()):
        return None
    return found.end()


def _strings(text: str, opening: int) -> Iterator[Entry]:
    depth = 1
    for part in _TOML_PART.finditer(text, opening):
        depth += bool(part["opens"]) - bool(part["closes"])
        if not depth:
            return
        if part["string"] and depth == 1:
            start, end = part.start() + 1, part.end() - 1
            yield Entry(start, end, text[start:end])


def _check_toml(before: str, after: str) -> None:
    """Refuse a result that is not the old document with one string more, or another one."""
    try:
        old, new = _leaves(parse_toml(before)), _leaves(parse_toml(after))
    except NotToml:
        old, new = [], ["", ""]
    there = frozenset(new)
    kept = sum(one in there for one in old)
    if not (len(old) <= len(new) <= len(old) + 1 and kept >= len(old) - 1):
        raise CannotAdd("awaken cannot edit this list of dependencies: add it by hand")


def _leaves(value: Any, path: str = "") -> Sequence[str]:
    if isinstance(value, dict):
        return [leaf for key, one in value.items() for leaf in _leaves(one, f"{path}.{key}")]
    if isinstance(value, list):
        return [leaf for one in value for leaf in _leaves(one, f"{path}[]")]
    return [f"{path}={value!r}"]


def _plain_list(text: str) -> RequirementList:
    if re.search(r"--hash[= ]", text):
        raise CannotAdd("its requirements are pinned with hashes: add it with the tool that does")
    entries = []
    for line in re.finditer(r"^[^\n\r]+", text, re.MULTILINE):
        code = re.split(r"\s#|^#", line[0], maxsplit=1)[0].rstrip().rstrip("\\").rstrip()
        if _is_requirement(code):
            entries.append(Entry(line.start(), line.start() + len(code), code))
    return RequirementList(tuple(entries), len(text), quoted=False)


def _is_requirement(code: str) -> bool:
    try:
        requirement(code.split(" --", maxsplit=1)[0])
    except InvalidRequirement:
        return False
    return True


def _cfg_list(text: str) -> RequirementList | None:
    section = re.search(r"^\[options\]", text, re.MULTILINE)
    if section is None:
        return None
    rest = re.compile(r"^\[", re.MULTILINE).search(text, section.end())
    end = rest.start() if rest else len(text)
    found = re.compile(r"^install_requires[ \t]*=[ \t]*(?P<value>[^\n\r]*)", re.MULTILINE)
    key = found.search(text, section.end(), end)
    if key is None:
        return None
    if key["value"]:
        raise CannotAdd("its install_requires is written on one line: add it by hand")
    entries = []
    for line in re.compile(r"(\r\n|\n|\r)(?P<indent>[ \t]+)(?P<code>[^\n\r]*)|.").finditer(
        text, key.end(), end
    ):
        if line["code"] is None:
            break
        start = line.start("code")
        if _is_requirement(line["code"].strip()):
            entries.append(Entry(start, start + len(line["code"].rstrip()), line["code"].rstrip()))
    return RequirementList(tuple(entries), key.end(), quoted=False)
