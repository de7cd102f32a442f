"""The settings as values: one layer of them, and what all layers of a project come to.

Names and meanings are ruff's wherever ruff has the setting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field

from awaken.kit.rule import Rule
from awaken.passes.pass_settings import PassSettings
from awaken.workspace.ignores import DEFAULT_EXCLUDE, PathPatterns, Patterns, leaves_out

COMMAND_LINE = "the command line"
"""The origin of what the options of a command say."""
CONFIG = "--config"
"""The origin of what ``--config KEY=VALUE`` says."""


class Override(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """Different settings for some files.

    ``paths`` are patterns as in ``.gitignore``, relative to the directory of the file that says
    so. ``ignore`` names rules and families; their sites there are left alone and counted apart.
    """

    paths: tuple[str, ...]
    ignore: tuple[str, ...] = ()
    unsafe_fixes: bool | None = None


class RecipeStep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """One step of a recipe: it rewrites, reports or includes another recipe, one of the three.

    ``rules`` gives each rule that rewrites the highest level of a change that the step makes.
    ``reports`` names rules whose sites are shown, and of which nothing is written.
    """

    summary: str = ""
    rules: Mapping[str, Literal["safe", "unsafe"]] = {}
    reports: tuple[str, ...] = ()
    include: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the rules that run."""
        return (*self.rules, *self.reports)

    @property
    def unsafe(self) -> tuple[str, ...]:
        """The names of the rules whose unsafe changes the step makes."""
        return tuple(name for name, level in self.rules.items() if level == "unsafe")


class RecipeSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """A recipe as it is written, data alone; each step works on the result of the one before.

    ``signs`` are texts of which a file that the recipe is about contains one, and none of
    ``unless``.
    """

    summary: str
    signs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    steps: tuple[RecipeStep, ...]


class VerifySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """How the tests of a project run: the command, as in a shell, and files that git ignores.

    A command that the project's own file names runs only where the user trusts it.
    """

    command: str = ""
    carry: tuple[str, ...] = ()


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """One layer: a file's ``[tool.awaken]``, ``--config KEY=VALUE``, or the options of a command.

    None, or an empty value, says nothing. ``rules`` holds the options of each rule by its name,
    ``passes`` are codemods of LibCST and scripts of Bowler. Those that a project names itself run
    only where ``trust_passes`` says so, which the user alone can say.
    """

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    preview: bool | None = None
    unsafe: tuple[str, ...] = ()
    unsafe_fixes: bool | None = None
    target_version: str | None = None
    target: Mapping[str, str] = {}
    published: bool | None = None
    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool | None = None
    respect_gitignore: bool | None = None
    members: tuple[str, ...] | None = None
    src: tuple[str, ...] | None = None
    baseline: str | None = None
    cache_dir: str | None = None
    overrides: tuple[Override, ...] = ()
    rules: Mapping[str, Mapping[str, Any]] = {}
    recipes: Mapping[str, RecipeSettings] = {}
    passes: tuple[PassSettings, ...] = field(default=(), name="pass")
    trust_passes: bool | None = None
    verify: VerifySettings = VerifySettings()


class Layer(Struct, frozen=True):
    """Settings and where they were said: ``pyproject.toml``, ``--config``, ``the command line``.

    Relative paths and patterns in them are relative to ``directory``. ``is_found`` says that the
    project brings them along, whoever named the file.
    """

    origin: str
    directory: Path
    settings: Settings
    is_found: bool = False


def nobody(_root: Path) -> Mapping[str, str]:
    """Trust no pass of any project."""
    return {}


class Said(Struct, frozen=True):
    """The user's settings: those of the command line, and the values of ``--config``.

    ``isolated`` says that no file is read. ``trusted`` tells which passes of a project were trusted
    before, by name, with the digest of each as it was.
    """

    given: Settings = Settings()
    config: tuple[str, ...] = ()
    isolated: bool = False
    trusted: Callable[[Path], Mapping[str, str]] = nobody


class PathOverride(Struct, frozen=True, kw_only=True):
    """An override as it holds: ``ignore`` are names of rules, ``origin`` is where it was said."""

    paths: tuple[PathPatterns, ...]
    ignore: tuple[str, ...] = ()
    unsafe_fixes: bool | None = None
    origin: str = ""


class Resolved(Struct, frozen=True, kw_only=True):
    """The settings for the project in ``root`` (absolute), all layers joined.

    ``rules`` are the names of those that run, ``rules_off`` says of each other one why not.
    ``left_out`` are those of them that a family or ``ALL`` leaves out because they are in preview,
    by the words that name it; with ``preview`` there are none. ``unsafe`` are the names of rules
    whose unsafe changes are made, all of them with ``unsafe_fixes``. ``options`` gives each rule
    that has any its options, typed and validated. ``origins`` says for each setting that somebody
    set, in kebab case, where; ``files`` are those that say something. ``passes`` are the rules that
    foreign code became. ``untrusted`` are chosen ones that may not run because they come with the
    project; each name has a description of its code. ``tests_of`` is the file of the project that
    names the command in ``verify``, if one does.
    """

    root: Path = Path()
    rules: tuple[str, ...] = ()
    rules_off: Mapping[str, str] = {}
    left_out: Mapping[str, tuple[str, ...]] = {}
    preview: bool = False
    unsafe: tuple[str, ...] = ()
    unsafe_fixes: bool = False
    target_version: str | None = None
    target: Mapping[str, str] = {}
    published: bool | None = None
    exclude: tuple[PathPatterns, ...] = (PathPatterns(DEFAULT_EXCLUDE),)
    force_exclude: bool = False
    respect_gitignore: bool = True
    members: tuple[PathPatterns, ...] = ()
    src: tuple[Path, ...] = ()
    baseline: Path | None = None
    cache_dir: Path | None = None
    overrides: tuple[PathOverride, ...] = ()
    options: Mapping[str, Struct] = {}
    recipes: Mapping[str, RecipeSettings] = {}
    passes: tuple[Rule, ...] = ()
    untrusted: Mapping[str, str] = {}
    verify: VerifySettings = VerifySettings()
    tests_of: str = ""
    origins: Mapping[str, str] = {}
    files: tuple[Path, ...] = ()

    def ignoring_overrides(self, path: str) -> Mapping[str, str]:
        """Return the rules whose sites in the project-relative ``path`` overrides leave alone.

        By name, with where it was said (``pyproject.toml``).
        """
        return {
            rule: override.origin
            for override in self.overrides
            if override.ignore and _names(override.paths, self.root, path)
            for rule in override.ignore
        }

    def source_folders(self) -> tuple[str, ...]:
        """Return the folders of ``src`` inside of the project, relative to it."""
        inside = (path for path in self.src if path != self.root and path.is_relative_to(self.root))
        return tuple(dict.fromkeys(path.relative_to(self.root).as_posix() for path in inside))

    def target_origins(self) -> dict[str, str]:
        """Return in which settings file a target was said, by distribution, or ``python``.

        Nothing for those of the command line: the options say it better.
        """
        keys = {f"target.{name}": name for name in self.target} | {"target-version": "python"}
        return {
            name: f"awaken's settings, {self.origins[key]}"
            for key, name in keys.items()
            if self.origins.get(key, COMMAND_LINE) != COMMAND_LINE
        }

    def says_user(self, name: str) -> bool:
        """Whether the setting ``name`` is what the user said of this run, not a project's file."""
        origin = self.origins.get(name, "")
        return origin == COMMAND_LINE or origin.startswith("--config")

    def unsafe_at(self, rule: str, path: str) -> bool:
        """Whether unsafe changes of ``rule`` may edit the project-relative ``path``.

        The last override that names the path says it, else what holds for the project.
        """
        for override in reversed(self.overrides):
            if override.unsafe_fixes is not None and _names(override.paths, self.root, path):
                return override.unsafe_fixes
        return self.unsafe_fixes or rule in self.unsafe


def _names(paths: tuple[PathPatterns, ...], root: Path, path: str) -> bool:
    return leaves_out(_compiled_patterns(paths, root), f"{root}/".replace("//", "/"), path)


# For each path that a rule or the policy asks about; a root has a handful of overrides.
@lru_cache(maxsize=256)
def _compiled_patterns(paths: tuple[PathPatterns, ...], root: Path) -> tuple[Patterns, ...]:
    return tuple(path.patterns_below(root) for path in paths)
