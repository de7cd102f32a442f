"""Runs a codemod of LibCST as its own runner does: a fresh command and context for each file."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import libcst as cst
from libcst.codemod import CodemodCommand, CodemodContext, SkipFile
from libcst.helpers import ModuleNameAndPackage
from libcst.metadata import FilePathProvider, FullyQualifiedNameProvider

from awaken.knowledge.codemods import words_of
from awaken.passes.child.foreign_serving import Foreign
from awaken.passes.child.libcst_commands.codemod_settings import (
    SETTINGS_FILE,
    CodemodSettings,
    WrongSettings,
)
from awaken.passes.child.libcst_commands.decorated_methods import look_for_few
from awaken.passes.child.libcst_commands.finding import STANDARD, Wrong, command_named
from awaken.passes.child.libcst_commands.round_trip import with_lost_bytes
from awaken.passes.child.libcst_commands.warned_lines import Warnings, locate_warnings
from awaken.passes.child.project_modules import ProjectModules
from awaken.passes.protocol import (
    Answer,
    Failed,
    Item,
    Loaded,
    Ready,
    Rewritten,
    Setup,
    Skipped,
    Unreadable,
    Unusable,
)


def load(setup: Setup, modules: ProjectModules | None = None) -> tuple[Loaded, Foreign | None]:
    """Return the command that a setup names, with its arguments read."""
    look_for_few()
    try:
        settings = CodemodSettings(setup.settings)
        command = command_named(setup.target, settings.modules, modules or ProjectModules(setup))
        arguments = _arguments(command, setup.named)
    except WrongSettings as error:
        return Unusable(str(error), path=SETTINGS_FILE, line=error.line), None
    except Wrong as error:
        return Unusable(f"{setup.target}: {error}"), None
    ready = _own(command, arguments) if _is_own(command) else Ready()
    return ready, _Codemod(setup, settings, command, arguments)


def _is_own(command: type[CodemodCommand]) -> bool:
    return command.__module__.startswith(f"{STANDARD[0]}.")


def _own(command: type[CodemodCommand], arguments: Mapping[str, object]) -> Ready:
    """Return the facts of a command that LibCST brings along.

    These keep all that they know of a file in their instance and its context.
    """
    name = f"{command.__module__.removeprefix(STANDARD[0])}.{command.__name__}".removeprefix(".")
    return Ready(triggers=words_of(name, arguments, version("libcst")), forgetful=True)


class _Codemod:
    """A command with its arguments."""

    def __init__(
        self,
        setup: Setup,
        settings: CodemodSettings,
        command: type[CodemodCommand],
        arguments: Mapping[str, object],
    ) -> None:
        self._setup = setup
        self._settings = settings
        self._command = command
        self._arguments = arguments
        self._manager = _Manager(setup)

    def rewritten(self, item: Item) -> Answer:
        """Return what the command makes of a file."""
        path = str(Path(self._setup.root, item.path))
        for pattern in self._settings.patterns:
            if pattern.fullmatch(path):
                why = f"its path matches the pattern {pattern.pattern} of .libcst.codemod.yaml"
                return Skipped(why)
        if self._settings.marker in item.content:
            return Skipped("it is marked as generated code")
        name, package = self._setup.files[item.path]
        manager: Any = self._manager  # it does all that a codemod asks of LibCST's own
        context = CodemodContext(
            filename=path,
            full_module_name=name,
            full_package_name=package,
            metadata_manager=manager,
            warnings=Warnings(),
        )
        command = self._command(context, **self._arguments)
        try:
            tree = cst.parse_module(item.content)
        except cst.ParserSyntaxError as error:
            return Unreadable(error.message, error.raw_line)
        try:
            result: object = command.transform_module(tree)
        except SkipFile as error:
            return Skipped(
                str(error) or "it says no more", locate_warnings(command.context.warnings, tree)
            )
        if not isinstance(result, cst.Module):
            return Failed(f"{self._command.__name__} gives no module, but {result!r:.80}")
        content = result.bytes
        if content != item.content:
            content = with_lost_bytes(item.content, tree.bytes, content)
        return Rewritten(content, locate_warnings(command.context.warnings, tree))


class _Manager:
    """LibCST's repository manager, with the facts about a file that awaken has."""

    def __init__(self, setup: Setup) -> None:
        self._root = Path(setup.root)
        self._files = {str(self._root / path): names for path, names in setup.files.items()}

    @property
    def root_path(self) -> Path:
        """The directory of the project."""
        return self._root

    def get_cache_for_path(self, path: str) -> Mapping[Any, object]:
        """Return what providers need that look beyond one file."""
        name, package = self._files[path]
        return {
            FullyQualifiedNameProvider: ModuleNameAndPackage(name=name, package=package),
            FilePathProvider: Path(path),
        }


# ---------------------------------------------------------------------------------- its arguments
class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Wrong(message)


def _arguments(
    command: type[CodemodCommand], named: Sequence[tuple[str, str]]
) -> Mapping[str, object]:
    parser = _Parser(prog=command.__name__, add_help=False, fromfile_prefix_chars="@")
    command.add_args(parser)
    actions = {
        name.lstrip("-").replace("-", "_"): one
        for one in parser._actions  # noqa: SLF001  argparse has no other way
        for name in (*one.option_strings, one.dest)
    }
    words: list[str] = []
    last: list[str] = []
    for name, value in named:
        action = actions.get(name.replace("-", "_"))
        if action is None:
            known = ", ".join(sorted({one.dest for one in actions.values()})) or "none"
            raise Wrong(f"it has no argument {name!r}; its arguments are: {known}")
        if not action.option_strings:
            last.append(value)
        elif action.nargs == 0:
            words += [action.option_strings[-1]] if value in {"", "true"} else []
        else:
            words += [f"{action.option_strings[-1]}={value}"]
    return vars(parser.parse_args([*words, *(["--", *last] if last else [])]))
