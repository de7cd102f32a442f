"""Settings as TOML that can be pasted, and where each was said.

The output is a valid ``awaken.toml`` for the root; in a ``pyproject.toml`` every table goes below
``[tool.awaken]``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from awaken.kit.rule import Rule
from awaken.preview.paths import relative
from awaken.preview.streams.visible import visible
from awaken.settings import Resolved
from awaken.workspace.ignores import PathPatterns

_WIDTH = 88
"""Characters of a line before a list is broken: those of black, whose layout TOML files share."""
_DEFAULT = "default"


class SettingRow(Struct, frozen=True):
    """One setting: its key in kebab case, its value as plain data, and where it was said.

    ``origin`` is empty for a default.
    """

    key: str
    value: Any
    origin: str


def setting_rows(resolved: Resolved) -> list[SettingRow]:
    """Return every setting of a root but overrides and rule options, set or not, in file order."""
    values: dict[str, Any] = {
        "select": list(resolved.rules),
        "preview": resolved.preview,
        "unsafe": list(resolved.unsafe),
        "unsafe-fixes": resolved.unsafe_fixes,
        "target-version": resolved.target_version or "auto",
        "target": dict(resolved.target),
        "published": resolved.published,
        "exclude": list(patterns_in(resolved.exclude, resolved.root)),
        "force-exclude": resolved.force_exclude,
        "respect-gitignore": resolved.respect_gitignore,
        "src": [_place(path, resolved.root) for path in resolved.src] or None,
        "members": list(patterns_in(resolved.members, resolved.root)) or None,
        "baseline": _place(resolved.baseline, resolved.root),
        "cache-dir": _place(resolved.cache_dir, resolved.root),
    }
    # An empty `select` would mean the default, which is all rules.
    if not resolved.rules:
        values = {"ignore": ["ALL"], **{k: v for k, v in values.items() if k != "select"}}
    return [
        SettingRow(key, value, _origin(key, resolved.origins))
        for key, value in values.items()
        if value is not None and value != {}
    ]


_SAID_BY = {
    "select": ("select", "extend-select", "ignore"),
    "ignore": ("ignore", "select"),
    "exclude": ("exclude", "extend-exclude"),
}


def _origin(key: str, origins: Mapping[str, str]) -> str:
    """Return where a setting was said; several that come to one are all named."""
    said = [
        origin if name == key else f"{name}: {origin}"
        for name in _SAID_BY.get(key, (key,))
        for origin in [origins.get(name)]
        if origin
    ]
    said += [
        f"{name.partition('.')[2]}: {origin}"
        for name, origin in origins.items()
        if name.startswith(f"{key}.")
    ]
    return ", ".join(said)


def _place(path: Path | None, root: Path) -> str | None:
    if path is None:
        return None
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def patterns_in(several: Iterable[PathPatterns], root: Path) -> Iterator[str]:
    """Yield the patterns as a file in ``root`` would have to write them.

    One that is relative to another directory and can name nothing in ``root`` is left out.
    """
    for patterns in several:
        directory = patterns.directory or root
        for pattern in patterns.patterns:
            negated = "!" * pattern.startswith("!")
            moved = _moved_text(pattern.removeprefix("!"), directory, root)
            if moved:
                yield negated + moved


def _moved_text(pattern: str, directory: Path, root: Path) -> str:
    # As in `.gitignore`: a slash inside ties a pattern to its directory.
    anchored = "/" in pattern.rstrip("/")
    if directory == root or (not anchored and root.is_relative_to(directory)):
        return pattern
    if directory.is_relative_to(root):
        # The names of directories may hold what means something in a pattern.
        inside = re.sub(r"([*?\[\]\\])", r"\\\1", directory.relative_to(root).as_posix())
        return f"/{inside}/{pattern.lstrip('/') if anchored else f'**/{pattern}'}"
    # A sibling's pattern can name nothing in the root.
    if not root.is_relative_to(directory):
        return ""
    parts, above = pattern.lstrip("/").split("/"), root.relative_to(directory).parts
    # `**` may match any of the directories above, and none is cut off.
    if "**" in parts[: len(above) + 1]:
        return pattern
    named = all(map(fnmatchcase, above, parts)) and len(parts) > len(above)
    return f"/{'/'.join(parts[len(above) :])}" if named else ""


def settings_text(
    settings: Sequence[Resolved], current: Path, *, rule_defaults: bool = True
) -> Iterator[str]:
    """Yield the lines of all roots' settings, without their ends.

    Each root is one TOML document after its comment. Without ``rule_defaults`` it has only the
    rule options that were set: a recalled run knows no others.
    """
    for index, resolved in enumerate(settings):
        if index:
            yield ""
        files = [relative(path.parent, path.name, current) for path in resolved.files]
        read = f"read from {', '.join(files)}" if files else "no settings file was found"
        where = relative(resolved.root, "awaken.toml", current)
        yield f"# Settings in the form of {visible(where)}; {visible(read)}."
        yield from _document(resolved, rule_defaults=rule_defaults)


def _document(resolved: Resolved, *, rule_defaults: bool) -> Iterator[str]:
    for row in setting_rows(resolved):
        yield from _assignment(row)
    for override in resolved.overrides:
        yield ""
        yield f"[[overrides]]  # {visible(override.origin or _DEFAULT)}"
        paths = list(patterns_in(override.paths, resolved.root))
        yield f"paths = {toml_value(paths)}"
        if override.ignore:
            yield f"ignore = {toml_value(list(override.ignore))}"
        if override.unsafe_fixes is not None:
            yield f"unsafe-fixes = {toml_value(override.unsafe_fixes)}"
    for item in resolved.passes:
        yield from _pass(item, resolved.root)
    for rule, options in sorted(resolved.options.items()):
        values = msgspec.to_builtins(options)
        origin = _origin(f"rules.{rule}", resolved.origins)
        if values and (origin or rule_defaults):
            yield ""
            yield f"[rules.{toml_key(rule)}]  # {visible(origin or _DEFAULT)}"
            for key, value in values.items():
                if value is not None:
                    yield f"{toml_key(key)} = {toml_value(value)}"


def _pass(rule: Rule, root: Path) -> Iterator[str]:
    from awaken.passes.foreign import ForeignPass  # noqa: PLC0415  most projects have none

    if not isinstance(rule, ForeignPass):
        return
    settings, place = rule.settings, rule.place
    values = msgspec.to_builtins(settings)
    # As a file in the root would have to write them.
    values["paths"] = list(patterns_in([PathPatterns(settings.paths, place.directory)], root))
    if settings.bowler.endswith(".py"):
        values["bowler"] = os.path.relpath(place.directory / settings.bowler, root)
    yield ""
    yield f"[[pass]]  # {visible(place.origin or _DEFAULT)}"
    for key, value in values.items():
        # Empty is the default of all but the phase, and says nothing.
        if value:
            yield f"{key} = {toml_value(value)}"


def _assignment(row: SettingRow) -> Iterator[str]:
    line = f"{row.key} = {toml_value(row.value)}"
    comment = f"  # {visible(row.origin or _DEFAULT)}"
    if len(line) <= _WIDTH or not isinstance(row.value, list):
        yield line + comment
        return
    yield f"{row.key} = [{comment}"
    yield from _filled_names(row.value)
    yield "]"


def _filled_names(values: Iterable[object]) -> Iterator[str]:
    line = " "
    for value in values:
        item = f" {toml_value(value)},"
        if len(line) + len(item) > _WIDTH:
            yield line
            line = " "
        line += item
    yield line


def toml_value(value: object) -> str:
    """Return plain data as TOML writes it: lists and tables inline."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case Mapping():
            parts = (f"{toml_key(str(key))} = {toml_value(item)}" for key, item in value.items())
            return f"{{ {', '.join(parts)} }}"
        case list() | tuple():
            return f"[{', '.join(map(toml_value, value))}]"
        case _:
            # a JSON string is a basic string of TOML, which wants DEL escaped as well
            return "".join(map(_escaped_text, json.dumps(str(value), ensure_ascii=False)))


def _escaped_text(char: str) -> str:
    return char if visible(char) == char else f"\\U{ord(char):08x}"


def toml_key(key: str) -> str:
    """Return a key bare where TOML allows it, else quoted."""
    bare = key and all(char.isascii() and (char.isalnum() or char in "-_") for char in key)
    return key if bare else toml_value(key)


def files_text(files: Iterable[Path], current: Path) -> Iterator[str]:
    """Yield one line per file: its path relative to ``current``, sorted as text."""
    yield from sorted(visible(relative(path.parent, path.name, current)) for path in files)
