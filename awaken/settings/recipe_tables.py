"""Recipes: steps of rules that lead through a migration, in the order in which they work.

Those of awaken are TOML files in ``awaken/recipes``; a project writes its own in its settings, as
``[tool.awaken.recipes.NAME]``. A recipe is data: nothing of it runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from packaging.version import Version

from awaken.contract import Level, UserError
from awaken.contract.nearest import did_you_mean
from awaken.kit.rule import Rule
from awaken.settings.model import RecipeSettings, RecipeStep
from awaken.workspace.formats.toml_text import KeyPath

if TYPE_CHECKING:
    from awaken.workspace.formats.byte_search import ByteSearch

Wrong = tuple[KeyPath, str]
"""Where a recipe cannot be used, below the settings, and why."""


class UnknownRecipe(UserError):
    """A recipe was asked for that does not exist; the message names the nearest one."""


class Recipe(Struct, frozen=True):
    """A recipe whose included recipes are steps of its own; ``steps`` count from 1."""

    name: str
    summary: str
    steps: tuple[RecipeStep, ...]

    def needs(self, rules: Mapping[str, Rule]) -> dict[str, str]:
        """Return the versions that its rules need, by distribution, or ``python``."""
        needed: dict[str, set[str]] = {}
        for name in self.names():
            rule = rules.get(name)
            for wanted in () if rule is None else (rule.needs, rule.declares):
                for distribution, versions in wanted.items():
                    needed.setdefault(distribution, set()).add(versions)
        return {name: _strictest(versions) for name, versions in sorted(needed.items())}

    def names(self) -> tuple[str, ...]:
        """Return the names of its rules, each once."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.names))


def _strictest(versions: set[str]) -> str:
    """Return one range for several: of those that only have a lower bound, the highest."""
    bounds = {version for version in versions if version.startswith(">=") and "," not in version}
    highest = max(bounds, key=lambda name: Version(name.removeprefix(">=")), default="")
    return ", ".join(sorted({*(versions - bounds), highest} - {""}))


@cache
def built_in() -> Mapping[str, RecipeSettings]:
    """Return the recipes that awaken brings, by name."""
    from importlib.resources import files  # noqa: PLC0415  only who asks for a recipe pays

    settings = {}
    for file in sorted(files("awaken.recipes").iterdir(), key=lambda file: file.name):
        name, _, suffix = file.name.rpartition(".")
        if suffix == "toml":
            settings[name] = msgspec.toml.decode(file.read_bytes(), type=RecipeSettings)
    return MappingProxyType(settings)


def recognised_recipes(text: bytes) -> tuple[str, ...]:
    """Return the recipes of awaken that have a sign in ``text``, the source of one file."""
    words = set(_search().words_in(text))
    if not words:
        return ()
    return tuple(
        name
        for name, settings in built_in().items()
        if not words.isdisjoint(map(str.encode, settings.signs))
        and words.isdisjoint(map(str.encode, settings.unless))
    )


@cache
def _search() -> ByteSearch:
    from awaken.workspace.formats.byte_search import ByteSearch  # noqa: PLC0415  a recalled run reads no text

    words = {word for item in built_in().values() for word in (*item.signs, *item.unless)}
    return ByteSearch([word.encode() for word in sorted(words)])


def recipes_of(own: Mapping[str, RecipeSettings]) -> dict[str, Recipe]:
    """Return all recipes by name: those of awaken and those of a project, which ``own`` holds.

    They passed ``wrong_recipes``.
    """
    every = {**built_in(), **own}
    return {
        name: Recipe(name, settings.summary, tuple(_flat(settings, every)))
        for name, settings in every.items()
    }


def require_recipe(name: str, recipes: Mapping[str, Recipe]) -> Recipe:
    """Return the recipe called ``name``. Raises UnknownRecipe."""
    if name not in recipes:
        lists = "`awaken recipes` lists those for the program in the current directory."
        hint = did_you_mean(name, recipes, lists)
        raise UnknownRecipe(f"there is no recipe named {name!r}{hint}")
    return recipes[name]


def wrong_recipes(
    own: Mapping[str, RecipeSettings], rules: Mapping[str, Rule], passes: Collection[str]
) -> Iterator[Wrong]:
    """Yield what of a project's recipes cannot be used; ``passes`` are names of its codemods."""
    if not own:  # hardly anybody writes one, and those of awaken need not be read
        return
    every = {**built_in(), **own}
    for name, recipe in own.items():
        path: KeyPath = ("recipes", name)
        if name in built_in():
            yield path, f"awaken has a recipe named {name!r}; give yours another name"
        if not recipe.steps:
            yield path, f"the recipe {name!r} has no steps; write [[recipes.{name}.steps]]"
        for number, step in enumerate(recipe.steps):
            at: KeyPath = (*path, "steps", number)
            if sum(map(bool, (step.rules, step.reports, step.include))) != 1:
                yield at, "a step has 'rules', 'reports' or 'include', one of them"
            yield from (((*at, *where), why) for where, why in _wrong_rules(step, rules, passes))
            if step.include and (why := _wrong_inclusion(name, step.include, every)):
                yield (*at, "include"), why


def _wrong_rules(
    step: RecipeStep, rules: Mapping[str, Rule], passes: Collection[str]
) -> Iterator[Wrong]:
    for name, level in step.rules.items():
        if name not in passes and (why := _wrong_level(name, level, rules)):
            yield ("rules", name), why
    for index, name in enumerate(step.reports):
        if name not in passes and name not in rules:
            yield ("reports", index), _unknown(name, rules)


def _wrong_inclusion(name: str, included: str, every: Mapping[str, RecipeSettings]) -> str:
    """Return why the recipe ``name`` cannot include another one; empty where it can."""
    if included not in every:
        return f"there is no recipe named {included!r}{did_you_mean(included, every)}"
    if name in _included_names(included, every, set()):
        return f"{included!r} includes {name!r} in turn"
    return ""


def _wrong_level(name: str, level: str, rules: Mapping[str, Rule]) -> str:
    """Return why a step cannot give the rule this level; empty where it can."""
    if name not in rules:
        return _unknown(name, rules)
    rule = rules[name]
    if rule.kind == "advice":
        return f"{name} rewrites nothing; name it in 'reports'"
    if Level(level) not in rule.levels:
        other = "unsafe" if level == "safe" else "safe"
        return f"{name} has no {level} changes; write {name} = {other!r}".replace("'", '"')
    return ""


def _unknown(name: str, rules: Collection[str]) -> str:
    hint = did_you_mean(name, rules, "`awaken rules` lists them all.")
    return f"there is no rule named {name!r}{hint}"


def _included_names(name: str, every: Mapping[str, RecipeSettings], seen: set[str]) -> set[str]:
    """Return ``name`` and all recipes that it includes."""
    if name not in seen and name in every:
        seen.add(name)
        for step in every[name].steps:
            _included_names(step.include, every, seen)
    return seen


def _flat(recipe: RecipeSettings, every: Mapping[str, RecipeSettings]) -> Iterator[RecipeStep]:
    for step in recipe.steps:
        if step.include:
            yield from _flat(every[step.include], every)
        else:
            yield step
