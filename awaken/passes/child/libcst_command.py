"""Runs a codemod of LibCST as its own runner does: a fresh command and context for each file."""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import libcst as cst
from libcst.codemod import CodemodCommand, CodemodContext, SkipFile
from libcst.helpers import ModuleNameAndPackage
from libcst.metadata import (
    FilePathProvider,
    FullyQualifiedNameProvider,
    TypeInferenceProvider,
)

from awaken.knowledge.codemods import words_of
from awaken.passes.child.round_trip import with_lost_bytes
from awaken.passes.child.serving import Foreign
from awaken.passes.child.yaml_library import yaml
from awaken.passes.messages import (
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

_GENERATED = f"@gen{''}erated"
_STANDARD = ("libcst.codemod.commands",)


class _Wrong(Exception):
    """What the user asked for cannot be run, in one sentence."""


class _Settings:
    """What ``.libcst.codemod.yaml`` says; its formatter is not asked. Raises _Wrong."""

    def __init__(self, text: str) -> None:
        try:
            said = _mapping(yaml.safe_load(text))
            self.modules = _words(said, "modules") or _STANDARD
            self.patterns = tuple(map(re.compile, _words(said, "blacklist_patterns")))
            self.marker = str(said.get("generated_code_marker") or _GENERATED).encode()
        except (yaml.YAMLError, re.error, TypeError) as error:
            why = " ".join(str(error).split())
            raise _Wrong(f".libcst.codemod.yaml cannot be used: {why}") from None


def _mapping(said: object) -> Mapping[object, object]:
    if said is None:
        return {}
    if not isinstance(said, Mapping):
        raise TypeError("it holds no keys")
    return said


def _words(said: Mapping[object, object], key: str) -> tuple[str, ...]:
    found = said.get(key) or ()
    if not isinstance(found, list | tuple) or not all(isinstance(one, str) for one in found):
        raise TypeError(f"{key} is no list of words")
    return tuple(found)


def load(setup: Setup) -> tuple[Loaded, Foreign | None]:
    """Return the command that a setup names, with its arguments read."""
    sys.path[:0] = setup.import_from
    try:
        settings = _Settings(setup.settings)
        command = _command(setup.target, settings.modules)
        arguments = _arguments(command, setup.named)
    except _Wrong as error:
        return Unusable(f"{setup.target}: {error}"), None
    ready = _own(command, arguments) if _is_own(command) else Ready()
    return ready, _Codemod(setup, settings, command, arguments)


def _is_own(command: type[CodemodCommand]) -> bool:
    return command.__module__.startswith(f"{_STANDARD[0]}.")


def _own(command: type[CodemodCommand], arguments: Mapping[str, object]) -> Ready:
    """Return what is known of a command that LibCST brings along.

    These keep all that they know of a file in their instance and its context.
    """
    name = f"{command.__module__.removeprefix(_STANDARD[0])}.{command.__name__}".removeprefix(".")
    return Ready(triggers=words_of(name, arguments, version("libcst")), forgetful=True)


class _Codemod:
    """A command with its arguments."""

    def __init__(
        self,
        setup: Setup,
        settings: _Settings,
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
            return Skipped("it holds the marker of generated code")
        name, package = self._setup.files[item.path]
        manager: Any = self._manager  # it does all that a codemod asks of LibCST's own
        context = CodemodContext(
            filename=path,
            full_module_name=name,
            full_package_name=package,
            metadata_manager=manager,
        )
        command = self._command(context, **self._arguments)
        try:
            tree = cst.parse_module(item.content)
        except cst.ParserSyntaxError as error:
            return Unreadable(error.message, error.raw_line)
        try:
            result: object = command.transform_module(tree)
        except SkipFile as error:
            return Skipped(str(error) or "it says no more", tuple(command.context.warnings))
        if not isinstance(result, cst.Module):
            return Failed(f"{self._command.__name__} gives no module, but {result!r:.80}")
        content = result.bytes
        if content != item.content:
            content = with_lost_bytes(item.content, tree.bytes, content)
        return Rewritten(content, tuple(command.context.warnings))


class _Manager:
    """What LibCST's repository manager knows of a file, from what awaken knows of the project."""

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


# ------------------------------------------------------------------------------------ the command
def _command(target: str, modules: Sequence[str]) -> type[CodemodCommand]:
    module_name, _, class_name = target.rpartition(".")
    # LibCST's own first: who names one of them wants nothing of the project imported.
    for package in dict.fromkeys((*_STANDARD, "", *modules)):
        before = f"{package}." if package else ""
        module = _imported(f"{before}{module_name}".rstrip(".")) if before or module_name else None
        found = getattr(module, class_name, None)
        if found is not None and not isinstance(found, ModuleType):
            return _checked(found)
        commands = list(_in_module(f"{before}{target}"))
        if len(commands) > 1:
            names = ", ".join(sorted(one.__name__ for one in commands))
            raise _Wrong(f"it has several commands, {names}: name one of them")
        if commands:
            return _checked(commands[0])
    raise _Wrong(f"there is no such command, here or in {', '.join(modules)}")


def _imported(name: str) -> Any:
    """Return a module, None if there is none of that name; what it raises itself goes through."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            return None
        raise


def _in_module(name: str) -> Iterator[type[CodemodCommand]]:
    """Yield the commands that a module of this name defines."""
    module = _imported(name)
    for value in vars(module).values() if module is not None else ():
        is_own = isinstance(value, type) and value.__module__ == name
        if is_own and issubclass(value, CodemodCommand) and not inspect.isabstract(value):
            yield value


def _checked(found: object) -> type[CodemodCommand]:
    if not (isinstance(found, type) and issubclass(found, CodemodCommand)):
        raise _Wrong("it is no class of a CodemodCommand")
    if inspect.isabstract(found):
        missing = ", ".join(sorted(getattr(found, "__abstractmethods__", ())))
        raise _Wrong(f"it is abstract: it does not define {missing}")
    if TypeInferenceProvider in found.get_inherited_dependencies():
        raise _Wrong("it asks for inferred types, which only a running Pyre can tell")
    return found


# ---------------------------------------------------------------------------------- its arguments
class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Wrong(message)


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
            raise _Wrong(f"it has no argument {name!r}; its arguments are: {known}")
        if not action.option_strings:
            last.append(value)
        elif action.nargs == 0:
            words += [action.option_strings[-1]] if value in {"", "true"} else []
        else:
            words += [f"{action.option_strings[-1]}={value}"]
    return vars(parser.parse_args([*words, *(["--", *last] if last else [])]))
