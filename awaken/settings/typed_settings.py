"""Makes typed settings of tables as TOML gives them, and says what is wrong in one clause."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from types import MappingProxyType
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import Struct, structs
from msgspec.structs import FieldInfo, fields

from awaken.contract import NoOptions, UserError
from awaken.contract.nearest import did_you_mean, nearest
from awaken.kit.rule import Rule
from awaken.passes.pass_settings import PassSettings
from awaken.settings.model import Override, RecipeSettings, RecipeStep, Settings, VerifySettings
from awaken.settings.recipe_tables import wrong_recipes
from awaken.settings.selection import UnknownRule, require_known
from awaken.workspace.formats.toml_text import KeyPath
from awaken.workspace.ignores import is_pattern

_PYTHON = re.compile(r"(?:py)?3\.?(?P<minor>\d{1,2})")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MISTYPED = re.compile(r"Expected `(?P<expected>[^`]+)`, got `(?P<got>\w+)`")
_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]")
_WORDS = {
    "array": "a list",
    "bool": "true or false",
    "date": "a date",
    "datetime": "a date",
    "float": "a number",
    "int": "a whole number",
    "object": "a table",
    "str": "a string",
    "time": "a time",
}
_GOT = {**_WORDS, "bool": "a boolean", "float": "a decimal number"}

# The tables inside these are looked at one by one: msgspec does not tell their keys.
_TABLES = {
    "overrides": list[Any],
    "passes": list[Any],
    "target": dict[str, Any],
    "rules": dict[str, Any],
    "recipes": dict[str, Any],
    "verify": dict[str, Any],
}
_STEPS = {"steps": list[Any]}

_Table = TypeVar("_Table", bound=Struct)


class Wrong(Exception):
    """A setting cannot be used; ``path`` is its place, the text the reason."""

    def __init__(self, path: KeyPath, message: str) -> None:
        super().__init__(message)
        self.path = path


def settings_from(table: Mapping[str, Any], rules: Sequence[Rule]) -> Settings:
    """Return the settings that ``table`` holds. Raises Wrong."""
    result = _checked_fields(Settings, table, (), "setting", _TABLES)
    if "overrides" in result:
        result["overrides"] = tuple(
            build_settings(Override, item, ("overrides", number), "setting of an override")
            for number, item in enumerate(table["overrides"])
        )
    if "passes" in result:
        result["passes"] = tuple(
            build_settings(PassSettings, item, ("pass", number), "setting of a pass")
            for number, item in enumerate(table["pass"])
        )
    if "recipes" in result:
        result["recipes"] = {
            name: _recipe(item, ("recipes", name)) for name, item in table["recipes"].items()
        }
    if "verify" in result:
        result["verify"] = build_settings(
            VerifySettings, table["verify"], ("verify",), "setting of verify"
        )
    for name, version in table.get("target", {}).items():
        # A version like 2.0 without quotes is a number in TOML.
        _converted_value(version, str, ("target", name))
    _check_options(table.get("rules", {}), {rule.name: rule for rule in rules})
    return Settings(**result)


def _recipe(table: object, path: KeyPath) -> RecipeSettings:
    what = "setting of a recipe"
    steps = tuple(
        build_settings(RecipeStep, item, (*path, "steps", number), "setting of a step")
        for number, item in enumerate(table.get("steps", ()) if isinstance(table, dict) else ())
    )
    recipe = build_settings(RecipeSettings, table, path, what, _STEPS)
    return structs.replace(recipe, steps=steps)


def check(settings: Settings, rules: Sequence[Rule]) -> Iterator[Wrong]:
    """Yield what is wrong with rules, patterns, versions and options that are named."""
    known: set[str] = set()
    yield from _wrong_passes(settings, rules, known)
    known |= {item.kind for item in settings.passes}
    for path, name in _rule_names(settings):
        if name not in known:
            try:
                require_known(name, rules)
            except UnknownRule as error:
                yield Wrong(path, str(error))
    for path, pattern in _patterns(settings):
        if not pattern.strip() or not is_pattern(pattern):
            yield Wrong(
                path, f"{pattern!r} is no pattern as in .gitignore; write for instance *.py"
            )
    for number, override in enumerate(settings.overrides):
        if not override.paths:
            yield Wrong(("overrides", number, "paths"), "'paths' must name at least one pattern")
    for path, why in wrong_recipes(settings.recipes, {rule.name: rule for rule in rules}, known):
        yield Wrong(path, why)
    try:
        shlex.split(settings.verify.command)
    except ValueError as error:
        yield Wrong(("verify", "command"), f"'command' is not a shell command: {error}")
    yield from _wrong_places(settings)
    yield from _wrong_versions(settings)
    yield from _wrong_options(settings, rules)


def _wrong_options(settings: Settings, rules: Sequence[Rule]) -> Iterator[Wrong]:
    for rule in rules:
        table = settings.rules.get(rule.name)
        if table is None or rule.options is NoOptions:
            continue
        # Another layer may have the missing value.
        with suppress(msgspec.ValidationError):
            options = msgspec.convert(table, rule.options)
            for path, message in rule.wrong_options(None, options):
                yield Wrong(("rules", rule.name, *path), message)


def _wrong_places(settings: Settings) -> Iterator[Wrong]:
    for path, place in (
        (("baseline",), settings.baseline),
        (("cache-dir",), settings.cache_dir),
        *((("src", number), name) for number, name in enumerate(settings.src or ())),
    ):
        # No file system takes a NUL in a path.
        if place is not None and (not place.strip() or "\0" in place):
            yield Wrong(path, f"{path[0]!r} must be a path, not {place!r}")


def _wrong_passes(settings: Settings, rules: Sequence[Rule], known: set[str]) -> Iterator[Wrong]:
    """Yield what makes no sense about passes; ``known`` gets the names they are selected by."""
    taken = {rule.name for rule in rules} | {rule.family for rule in rules} | {"ALL"}
    for number, item in enumerate(settings.passes):
        path: KeyPath = ("pass", number)
        if bool(item.libcst) is bool(item.bowler):
            yield Wrong(path, "a pass names 'libcst' or 'bowler', one of them")
            continue
        name = item.known_as
        if not _NAME.fullmatch(name):
            why = f"{name!r} is no name for a pass; give it a 'name' such as 'rename'"
            yield Wrong(path, why)
        elif name in taken or name in known:
            why = f"there is another rule named {name!r}; give the pass a 'name'"
            yield Wrong(path, why)
        try:
            item.when()
        except UserError as error:
            yield Wrong((*path, "phase"), str(error))
        known.add(name)


def python_version(value: str) -> str | None:
    """Return ``py311`` for ``py311``, ``3.11`` or ``311``; None for anything else."""
    match = _PYTHON.fullmatch(value)
    return f"py3{match['minor']}" if match else None


def is_default(options: Struct) -> bool:
    """Whether the options of a rule say nothing: its defaults are its code."""
    kind = type(options)
    return not any(field.required for field in fields(kind)) and options == kind()


def options_of(rule: Rule, table: Mapping[str, Any]) -> Struct:
    """Return the options of ``rule`` with what ``table`` sets. Raises Wrong."""
    try:
        return msgspec.convert(table, rule.options)
    except msgspec.ValidationError as error:
        message = f"the options of {rule.name} are wrong: {_lower(str(error))}"
        raise Wrong(("rules", rule.name), message) from None


def _rule_names(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    for key, names in (
        ("select", settings.select or ()),
        ("extend-select", settings.extend_select),
        ("ignore", settings.ignore),
        ("unsafe", settings.unsafe),
    ):
        yield from (((key, number), name) for number, name in enumerate(names))
    for at, override in enumerate(settings.overrides):
        for number, name in enumerate(override.ignore):
            yield ("overrides", at, "ignore", number), name


def _patterns(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    for key, patterns in (
        ("exclude", settings.exclude or ()),
        ("extend-exclude", settings.extend_exclude),
        ("members", settings.members or ()),
    ):
        yield from (((key, number), pattern) for number, pattern in enumerate(patterns))
    for at, override in enumerate(settings.overrides):
        for number, pattern in enumerate(override.paths):
            yield ("overrides", at, "paths", number), pattern


_LAST_MINOR = 30
"""Far beyond the Python of today: whatever is above it is a slip of the keyboard."""
_MEASURED = (
    *("fastapi", "flask-sqlalchemy", "pydantic", "pytest-asyncio", "sqlalchemy", "sqlmodel"),
    *("httpx", "starlette"),
)
"""Libraries whose versions rules ask for: what is nearly one of them is one, misspelt."""


def _is_slip(name: str, meant: str) -> bool:
    """Whether ``name`` is ``meant`` but for a letter or two, and no library of its own."""
    from difflib import SequenceMatcher  # noqa: PLC0415  few name a version

    plain = name.lower().replace("_", "-")
    return plain != meant and SequenceMatcher(None, plain, meant).ratio() > _ALIKE


_ALIKE = 0.92


def _wrong_versions(settings: Settings) -> Iterator[Wrong]:
    from packaging.specifiers import InvalidSpecifier  # noqa: PLC0415  few name a version

    from awaken.workspace.manifests.versions import requested_range  # noqa: PLC0415

    wanted = settings.target_version
    if wanted is not None and wanted != "auto" and python_version(wanted) is None:
        example = "write for example 'py311', or 'auto'"
        yield Wrong(("target-version",), f"{wanted!r} is no Python version; {example}")
    match = _PYTHON.fullmatch(wanted or "")
    if match is not None and int(match["minor"]) > _LAST_MINOR:
        yield Wrong(("target-version",), f"there is no Python 3.{match['minor']}")
    for name, version in settings.target.items():
        meant = nearest(name, _MEASURED)
        if meant is not None and _is_slip(name, meant):
            yield Wrong(("target", name), f"no rule needs {name!r}; did you mean {meant!r}?")
            continue
        try:
            requested_range(version)
        except InvalidSpecifier:
            yield Wrong(
                ("target", name),
                f"{version!r} is no version of {name}; write a release line ('2.0'), "
                "a version ('1.4.54') or a range ('>=1.4,<2.1')",
            )


def _check_options(tables: Mapping[str, Mapping[str, Any]], rules: Mapping[str, Rule]) -> None:
    for name, table in tables.items():
        path: KeyPath = ("rules", name)
        if name not in rules:
            hint = did_you_mean(name, rules, "`awaken rules` lists them all.")
            raise Wrong(path, f"there is no rule named {name!r}{hint}")
        if not isinstance(table, Mapping):
            raise Wrong(path, f"{name!r} must be a table with the options of that rule")
        options = rules[name].options
        if options is NoOptions and table:
            raise Wrong((*path, next(iter(table))), f"{name} has no options")
        _checked_fields(options, table, path, f"option of {name}")


def build_settings(
    kind: type[_Table],
    table: object,
    path: KeyPath,
    what: str,
    types: Mapping[str, Any] = MappingProxyType({}),
) -> _Table:
    """Return a ``kind`` with the values of ``table``, which is at ``path``. Raises Wrong.

    ``what`` names a key of it in errors; ``types`` are those of keys that are looked at later.
    """
    values = _checked_fields(kind, _converted_value(table, dict[str, Any], path), path, what, types)
    missing = [one.encode_name for one in fields(kind) if one.required and one.name not in values]
    if missing:
        raise Wrong(path, f"{missing[0]!r} is missing here")
    return kind(**values)


def _checked_fields(
    kind: type[Struct],
    table: Mapping[str, Any],
    path: KeyPath,
    what: str,
    types: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the values of ``table`` by the names of the fields of ``kind``. Raises Wrong.

    ``types`` are those of fields that are not to be converted to their own.
    """
    known = {field.encode_name: field for field in fields(kind)}
    for key in table:
        if key not in known:
            raise Wrong((*path, key), f"there is no {what} named {key!r}{_hint(key, known, path)}")
    return {
        known[key].name: _converted_value(
            value, types.get(known[key].name, known[key].type), (*path, key)
        )
        for key, value in table.items()
    }


def _hint(key: str, known: Mapping[str, FieldInfo], path: KeyPath) -> str:
    # `[tool.awaken]` is right in a `pyproject.toml` alone.
    if key == "tool" and not path:
        return "; leave out 'tool.awaken' here"
    return did_you_mean(key, known, f"there are {', '.join(sorted(known))}" if known else "")


def _converted_value(value: object, kind: Any, path: KeyPath) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        text, _, at = str(error).partition(" - at `$")
        # msgspec writes the path as `$.a[0].b`.
        inside = [int(index) if index else name for name, index in _STEP.findall(at)]
        raise Wrong((*path, *inside), _explain_error(text, value, kind, (*path, *inside))) from None


def _explain_error(text: str, value: object, kind: Any, path: KeyPath) -> str:
    named = _named_text(path)
    mistyped = _MISTYPED.match(text)
    if mistyped is not None:
        expected = [_WORDS.get(item, item) for item in mistyped["expected"].split(" | ")]
        # TOML has no null, so nobody can write it.
        wanted = " or ".join(candidate for candidate in expected if candidate != "null")
        example = ""
        if wanted == "a list" and isinstance(value, str):
            example = f'; write ["{value}"]'
        elif wanted == "a string" and isinstance(value, float):
            example = f'; write "{value}"'
        return (
            f"{named} must be {wanted}, not {_GOT.get(mistyped['got'], mistyped['got'])}{example}"
        )
    choices = _choices(kind)
    if choices:
        hint = did_you_mean(str(value), choices)
        return f"{named} must be one of {', '.join(map(repr, choices))}, not {value!r}{hint}"
    return f"{named} cannot be {value!r}: {_lower(text)}"


def _named_text(path: KeyPath) -> str:
    keys = [key for key in path if isinstance(key, str)]
    if isinstance(path[-1], int):
        return f"entry {path[-1] + 1} of {keys[-1]!r}"
    return repr(keys[-1])


def _choices(kind: Any) -> tuple[str, ...]:
    if get_origin(kind) is Literal:
        return tuple(map(str, get_args(kind)))
    if get_origin(kind) is Mapping:
        return _choices(get_args(kind)[1])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(str(item.value) for item in kind)
    return ()


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].replace("`", "'")
