"""Reads settings: the file that a project has, and the values of ``--config``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import structs

from awaken.contract import UnusableFile, UserError
from awaken.contract.nearest import nearest
from awaken.kit.rule import Rule
from awaken.settings.model import COMMAND_LINE, CONFIG, Layer, Resolved, Settings
from awaken.settings.typed_settings import Wrong, check, settings_from
from awaken.workspace.formats.toml_text import KeyPath, NotToml, line_of, parse_toml
from awaken.workspace.reading import METADATA_LIMIT, enclosure_of, read_named, upwards, why_unread

OWN_FILES = (".awaken.toml", "awaken.toml")
NAMES = (*OWN_FILES, "pyproject.toml")
"""Where settings may stand, the strongest of one directory first, as in ruff."""

_PYPROJECT = "pyproject.toml"
_MOST_ERRORS = 20  # of one file; each costs a reading of the whole table
_RULES = 2  # keys above an option of a rule
_TABLE = ("tool", "awaken")
_WILD = frozenset("*?[\\")


def nearest_file(root: Path) -> Path | None:
    """Return the settings file of the project in ``root`` (absolute); None if it has none.

    That is the nearest at or above it, up to the repository's top; a ``pyproject.toml`` only if
    it says something of awaken. Neither a home directory nor a file system's root is looked at,
    unless it is ``root``. Raises UserError for one that cannot be read.
    """
    for directory in upwards(root):
        for name in NAMES:
            path = directory / name
            if path.is_file() and (name != _PYPROJECT or _is_meant(path)):
                return path
    return None


def found_layer(path: Path, origin: str, rules: Sequence[Rule]) -> Layer:
    """Return the settings of the file that ``nearest_file`` found for a project.

    They name no place outside of it, and not where results are kept: that the user says. Raises
    UnusableFile with the line for what cannot be used.
    """
    shown = shown_path(path)
    layer = Layer(origin, path.parent, Settings(), is_found=True)
    return _filled_layer(layer, path, _bytes(_read_found, path, shown), shown, rules)


def named_layer(path: Path, origin: str, shown: str, rules: Sequence[Rule]) -> Layer:
    """Return the settings of a file that the user named; ``shown`` is how errors name it.

    Raises UnusableFile with the line for what cannot be used.
    """
    layer = Layer(origin, path.parent, Settings())
    return _filled_layer(layer, path, _bytes(read_named, path, shown), shown, rules)


def _bytes(read: Callable[[Path, int], bytes], path: Path, shown: str) -> bytes:
    try:
        return read(path, METADATA_LIMIT)
    except OSError as error:
        raise UnusableFile(shown, 0, why_unread(error)) from None


def tables_above(path: Path) -> tuple[str, ...]:
    """Return the tables of a settings file around awaken's own settings."""
    return _TABLE if path.name == _PYPROJECT else ()


def _filled_layer(layer: Layer, path: Path, raw: bytes, shown: str, rules: Sequence[Rule]) -> Layer:
    """Return ``layer`` with the settings of a file. Raises UnusableFile with all that is wrong."""
    text = _decoded_text(raw, shown)
    tables = _parse_settings(text, shown)
    inside = tables_above(path)
    table: Any = tables
    for key in inside:
        table = table.get(key, {}) if isinstance(table, Mapping) else {}
    if not isinstance(table, Mapping):
        message = "'tool.awaken' must be a table: [tool.awaken]"
        raise UnusableFile(shown, line_of(text, inside), message)
    settings, wrong = _settings(table, rules)
    layer = structs.replace(layer, settings=settings)
    wrong += _wrong_places(layer)
    if wrong:
        raise unusable(shown, text, [((*inside, *item.path), str(item)) for item in wrong])
    return layer


def option_of(path: KeyPath) -> str:
    """Return what an error about a value of the command line begins with: its option."""
    key = path[2] if path[0] == "rules" and len(path) > _RULES else path[0]
    return "" if key in {"overrides", "rules"} else f"--{key}: "


def unusable(shown: str, text: str, wrong: Iterable[tuple[KeyPath, str]]) -> UnusableFile:
    """Return the error that says all that is wrong in a file, line by line."""
    placed = sorted((line_of(text, path), message) for path, message in wrong)
    (line, first), *others = dict.fromkeys(placed)
    more = [f"; line {number}: {message}" for number, message in others]
    return UnusableFile(shown, line, "".join([first, *more]))


def names_nothing(settings: Resolved, wrong: Iterable[tuple[KeyPath, str]]) -> UserError:
    """Return the error for values that name what the program does not have.

    ``wrong`` says where they are, from the top of the settings, and why. The options of this run
    come first, and alone.
    """
    of_file: list[tuple[KeyPath, str]] = []
    said: list[str] = []
    for where, message in wrong:
        origin = settings.origins.get(".".join(map(str, where[:3])), COMMAND_LINE)
        if origin in {CONFIG, COMMAND_LINE}:
            option = f"{CONFIG}: " if origin == CONFIG else option_of(where)
            said.append(f"{option}{message}")
        else:
            of_file.append((where, message))
    if said:
        return UserError("; ".join(said))
    path = settings.files[0]
    shown = shown_path(path)
    text = _decoded_text(_bytes(read_named, path, shown), shown)
    inside = tables_above(path)
    return unusable(shown, text, [((*inside, *item), message) for item, message in of_file])


def _settings(table: Mapping[str, Any], rules: Sequence[Rule]) -> tuple[Settings, list[Wrong]]:
    """Return the settings of a table as far as they can be used, and all that cannot."""
    wrong: list[Wrong] = []
    while len(wrong) < _MOST_ERRORS:
        try:
            settings = settings_from(table, rules)
        except Wrong as error:
            # A missing value was written in the wrong form.
            if not any(candidate.path[: len(error.path)] == error.path for candidate in wrong):
                wrong.append(error)
            table = _remove_key(table, error.path)
        else:
            return settings, [*wrong, *check(settings, rules)]
    return Settings(), wrong


def _remove_key(table: Mapping[str, Any], path: KeyPath) -> dict[str, Any]:
    """Return a table without what is at ``path``; of a list that has no keys without all."""
    key, *rest = path
    kept = dict(table)
    value = kept.pop(str(key), None)
    if isinstance(value, Mapping) and rest:
        kept[str(key)] = _remove_key(value, tuple(rest))
    elif isinstance(value, list) and len(rest) > 1 and isinstance(rest[0], int):
        at = rest[0]
        if isinstance(value[at], Mapping):
            kept[str(key)] = [
                *value[:at],
                _remove_key(value[at], tuple(rest[1:])),
                *value[at + 1 :],
            ]
    return kept


def config_layers(
    values: Sequence[str], rules: Sequence[Rule]
) -> tuple[list[tuple[Path, Layer]], list[Layer]]:
    """Return the files that ``--config`` names, and what it sets as ``KEY=VALUE``.

    Relative paths, of files and in values, are relative to the current directory. Raises
    UserError for a value that is neither.
    """
    files: list[tuple[Path, Layer]] = []
    layers: list[Layer] = []
    for value in values:
        if os.path.isfile(value):  # noqa: PTH113 - Path.is_file() raises for a name too long
            path = Path(os.path.realpath(value))
            files.append((path, named_layer(path, f"--config {value}", value, rules)))
        else:
            layers.append(_value_layer(value, rules))
    return files, layers


def shown_path(path: Path) -> str:
    """Return ``path`` as errors show it: relative to the current directory where that works."""
    try:
        return os.path.relpath(path)
    except ValueError:  # another drive
        return str(path)


def _is_meant(path: Path) -> bool:
    """Whether a ``pyproject.toml`` has a table for awaken."""
    shown = shown_path(path)
    try:
        raw = _read_found(path, METADATA_LIMIT)
    except OSError:
        return False  # the manifests' reader says so; most projects have no settings in it
    # Most manifests are recognized by their bytes, and need not be parsed.
    if b"awaken" not in raw:
        return False
    tool = _parse_settings(_decoded_text(raw, shown), shown).get("tool")
    return isinstance(tool, dict) and "awaken" in tool


def _read_found(path: Path, limit: int) -> bytes:
    return enclosure_of(path.parent).read(path, limit)


def _decoded_text(raw: bytes, shown: str) -> str:
    try:
        # Windows editors put a byte order mark in front.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8 text ({error.reason}); save it as UTF-8"
        raise UnusableFile(shown, line, message) from None


def _parse_settings(text: str, shown: str) -> Mapping[str, Any]:
    try:
        return parse_toml(text)
    except NotToml as error:
        raise UnusableFile(shown, error.line, f"is not valid TOML: {error}") from None


def _value_layer(value: str, rules: Sequence[Rule]) -> Layer:
    said = f"--config {value}"
    if "=" not in value:
        raise UserError(
            f"{said}: there is no such file; name a settings file, or KEY=VALUE as in TOML"
        )
    try:
        table = parse_toml(value)
    except NotToml as error:
        raise UserError(
            f"{said}: is neither a file nor TOML: {error}; text needs quotes, "
            "as in --config 'target-version = \"py311\"'"
        ) from None
    settings, wrong = _settings(table, rules)
    layer = Layer(CONFIG, Path.cwd(), settings)
    wrong += _wrong_places(layer)
    if wrong:
        raise UserError(f"{said}: {'; '.join(map(str, wrong))}")
    return layer


def _wrong_places(layer: Layer) -> Iterator[Wrong]:
    """Yield what is wrong with the places that a layer names, each with where it says so."""
    settings = layer.settings
    for number, name in enumerate(settings.src or ()):
        if not _place(layer, name).is_dir():
            yield _missing(layer, ("src", number), name, "directory")
    for number, pattern in enumerate(settings.members or ()):
        plain = pattern.removeprefix("!").strip("/")
        if not _has_directory(layer, pattern.removeprefix("!")):
            yield _missing(layer, ("members", number), plain, "directory")
    for at, override in enumerate(settings.overrides):
        for number, pattern in enumerate(override.paths):
            plain = pattern.removeprefix("!")
            if _is_place(plain) and not os.path.lexists(_place(layer, plain.strip("/"))):
                path = ("overrides", at, "paths", number)
                yield _missing(layer, path, plain.strip("/"), "file or directory")
    if layer.is_found:
        yield from _for_the_user(layer)


def _for_the_user(layer: Layer) -> Iterator[Wrong]:
    """Yield what a cloned project must not choose: where awaken writes, and that its code runs."""
    settings = layer.settings
    said = {"cache-dir": settings.cache_dir, "trust-passes": settings.trust_passes}
    for key, value in said.items():
        if value is not None:
            why = "is not allowed in a project's own settings"
            yield Wrong((key,), f"{key!r} {why}; remove it, and say --{key} instead")
    place = settings.baseline
    if place is not None:
        home = os.path.expanduser(place)  # noqa: PTH111 - Path's raises where there is no home
        if not enclosure_of(layer.directory).holds(layer.directory / home):
            why = f"must be in the project, not at {place!r}"
            yield Wrong(("baseline",), f"'baseline' {why}; --baseline accepts any path")


def _place(layer: Layer, name: str) -> Path:
    return Path(os.path.normpath(layer.directory / name))


def _is_place(pattern: str) -> bool:
    """Whether a pattern of a ``.gitignore`` names one place, and no names in every directory."""
    return "/" in pattern.strip().rstrip("/") and _WILD.isdisjoint(pattern)


def _has_directory(layer: Layer, pattern: str) -> bool:
    """Whether some directory matches ``pattern``; the search ends with the first."""
    plain = pattern.strip("/")
    if _is_place(pattern):
        return _place(layer, plain).is_dir()
    search = layer.directory.glob if "/" in pattern.rstrip("/") else layer.directory.rglob
    # Patterns that the file system cannot express are left to the callers that match with them.
    with suppress(ValueError, NotImplementedError, OSError):
        return any(path.is_dir() for path in search(plain))
    return True


def _missing(layer: Layer, path: KeyPath, name: str, what: str) -> Wrong:
    """Return what is wrong with a name that is no place, with what looks like it."""
    place = _place(layer, name)
    names = [] if "*" in name else enclosure_of(layer.directory).names(place.parent)
    beside = [word for word in names if what != "directory" or (place.parent / word).is_dir()]
    meant = nearest(place.name, beside)
    hint = f"; did you mean {str(Path(name).parent / meant)!r}?" if meant is not None else ""
    key = next(candidate for candidate in reversed(path) if isinstance(candidate, str))
    return Wrong(path, f"{key!r} names {name!r}, which is no {what}{hint}")
