"""Runs a codemod of LibCST as its own runner does: a fresh command and context for each file."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import libcst as cst
from libcst import CSTTransformer, CSTVisitor
from libcst.codemod import CodemodCommand, CodemodContext, SkipFile
from libcst.helpers import ModuleNameAndPackage
from libcst.metadata import (
    FilePathProvider,
    FullyQualifiedNameProvider,
    MetadataWrapper,
    PositionProvider,
)

from awaken.knowledge.codemods import words_of
from awaken.passes.child.foreign_serving import Foreign
from awaken.passes.child.libcst_commands.finding import STANDARD, Wrong, command_named
from awaken.passes.child.libcst_commands.yaml_library import yaml
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
    Warned,
)

_VISIT = cst.CSTNode.visit.__code__


def load(setup: Setup, modules: ProjectModules | None = None) -> tuple[Loaded, Foreign | None]:
    """Return the command that a setup names, with its arguments read."""
    _look_for_few()
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
            warnings=_Warnings(),
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
                str(error) or "it says no more", _locate_warnings(command.context.warnings, tree)
            )
        if not isinstance(result, cst.Module):
            return Failed(f"{self._command.__name__} gives no module, but {result!r:.80}")
        content = result.bytes
        if content != item.content:
            content = with_lost_bytes(item.content, tree.bytes, content)
        return Rewritten(content, _locate_warnings(command.context.warnings, tree))


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


def with_lost_bytes(before: bytes, read: bytes, after: bytes) -> bytes:
    """Return ``after`` with what ``before`` has and ``read``, the same tree written out, has not.

    LibCST drops a form feed before a statement, and the end of the last line where lines end in
    carriage returns. The author of the codemod never asked for that.
    """
    if after == read:
        return before
    old, plain, new = (one.splitlines(keepends=True) for one in (before, read, after))
    if before == read or len(old) != len(plain):
        return after
    found: list[bytes] = []
    for tag, start, end, new_start, new_end in SequenceMatcher(None, plain, new).get_opcodes():
        if tag == "equal":
            found += old[start:end]
        elif end - start == new_end - new_start:
            found += map(_restore_edge, old[start:end], plain[start:end], new[new_start:new_end])
        else:
            found += new[new_start:new_end]
    return b"".join(found)


def _restore_edge(old: bytes, read: bytes, new: bytes) -> bytes:
    """Return a new line with what was lost at one of the edges of the old one."""
    if old.endswith(read):
        return old.removesuffix(read) + new
    return new + old.removeprefix(read) if old.startswith(read) else new


class _Warnings(list[str]):
    """The warnings of a context, each with the nodes that were being visited meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._visited: list[Sequence[cst.CSTNode]] = []

    def append(self, warning: str) -> None:
        """Take a warning, as ``warn`` of LibCST gives it."""
        super().append(warning)
        self._visited.append(tuple(_visited_nodes(sys._getframe(1))))  # noqa: SLF001  no other way

    def of_nodes(self) -> Iterator[tuple[str, Sequence[cst.CSTNode]]]:
        """Yield each warning with its nodes, the innermost first."""
        # Insertions by other means are not reported.
        known = len(self._visited) == len(self)
        yield from zip(self, self._visited if known else [()] * len(self), strict=True)


def _locate_warnings(warnings: list[str], tree: cst.Module) -> tuple[Warned, ...]:
    """Return warnings about a file that is read as ``tree``, with their lines."""
    if not isinstance(warnings, _Warnings):
        return tuple(Warned(str(one)) for one in warnings)
    lines = _Lines(tree)
    return tuple(Warned(str(one), lines.line_of(nodes)) for one, nodes in warnings.of_nodes())


class _Lines:
    """The lines of the nodes of a file, in each copy of its tree."""

    def __init__(self, tree: cst.Module) -> None:
        self._tree = tree
        self._found: dict[cst.Module, dict[cst.CSTNode, int]] = {}

    def line_of(self, nodes: Sequence[cst.CSTNode]) -> int:
        """Return the line of the innermost node that has one; 0 if there is none."""
        trees = [node for node in nodes if isinstance(node, cst.Module)]
        known = [
            line for tree in trees for node in nodes if (line := self._lines_in(tree).get(node))
        ]
        return known[0] if known else 0

    def _lines_in(self, tree: cst.Module) -> dict[cst.CSTNode, int]:
        if tree not in self._found:
            # Lines of earlier changes are elsewhere.
            is_equal = tree is self._tree or tree.code == self._tree.code
            self._found[tree] = _lines(tree) if is_equal else {}
        return self._found[tree]


def _lines(tree: cst.Module) -> dict[cst.CSTNode, int]:
    places = MetadataWrapper(tree, unsafe_skip_copy=True).resolve(PositionProvider)
    return {node: one.start.line for node, one in places.items() if node is not tree}


def _visited_nodes(frame: FrameType | None) -> Iterator[cst.CSTNode]:
    while frame is not None:
        if frame.f_code is _VISIT:
            yield frame.f_locals["self"]
        frame = frame.f_back


_OF_LIBCST = frozenset(
    one
    for one in (*CSTTransformer.__mro__, *CSTVisitor.__mro__)
    if one.__module__ == "libcst._typed_visitor"
)
"""The base classes that have a method for every kind of node."""


def _look_for_few() -> None:
    """From now on leave out the attributes that only LibCST's own base classes have.

    Each visitor that knows matchers looks through all its attributes three times when it is made.
    Nearly all of the thousand are methods that LibCST defines, which no matcher decorates. That
    takes ten milliseconds for each file, and as many for each helper that a codemod makes.
    """
    try:
        looking = import_module("libcst.matchers._visitors")
    except ModuleNotFoundError:  # in another LibCST it is elsewhere, and takes its time
        return
    # The name of a builtin, which the functions that look there find in their module first.
    vars(looking)["dir"] = names_of


def names_of(visitor: object) -> list[str]:
    """Return the attributes of a visitor as ``dir`` does, without those that LibCST defines."""
    kind = type(visitor)
    if kind.__dir__ is not object.__dir__ or not _OF_LIBCST.intersection(kind.__mro__):
        return dir(visitor)
    found = set(getattr(visitor, "__dict__", ()))
    for one in kind.__mro__:
        if one not in _OF_LIBCST:
            found.update(vars(one))
    return sorted(found)


SETTINGS_FILE = ".libcst.codemod.yaml"
_GENERATED = f"@gen{''}erated"


class WrongSettings(Exception):
    """The file cannot be used: why, in one sentence, and its line, 0 where none is known."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(f"LibCST's settings cannot be used: {' '.join(why.split())}")
        self.line = line


class CodemodSettings:
    """The settings in a text: modules that have commands, and files that are left out.

    Raises WrongSettings.
    """

    def __init__(self, text: str) -> None:
        try:
            said = _mapping(yaml.safe_load(text))
            self.modules = _words(said, "modules") or STANDARD
            self.patterns = tuple(map(re.compile, _words(said, "blacklist_patterns")))
            self.marker = str(said.get("generated_code_marker") or _GENERATED).encode()
        except yaml.YAMLError as error:
            raise _not_yaml(text, error) from None
        except (re.error, TypeError, ValueError, RecursionError) as error:
            raise WrongSettings(str(error)) from None


def _not_yaml(text: str, error: Exception) -> WrongSettings:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return WrongSettings(str(error))
    words = (getattr(error, name, None) for name in ("context", "problem"))
    # Text that is missing at the end is missing in the last line.
    line = min(mark.line + 1, len(text.splitlines()))
    return WrongSettings(" ".join(word for word in words if word), line)


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
