"""Cases on disk: ``<family>/<rule>/<case>/`` with ``case.toml`` and both sides of the program.

Next to ``case.toml`` are ``before.py`` and ``after.py`` (called ``case.py`` in the project), or the
trees ``before/`` and ``after/``. Without the second side nothing is to change. Findings of a line
follow it in the side before, as markers. The keys of ``case.toml`` are the fields of ``Settings``.

Markers in fixtures: ``#~ manual unknown-entity`` at the end of a line says what is found there.

A marker is no part of the program: it is taken off before the rule sees the file. Several findings
of one line follow each other, ``#~ manual passed-query, safe``. A reason without a slash is one of
the case's own rule.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any, Literal

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace
from packaging.specifiers import SpecifierSet

from awaken.contract import Level
from awaken.passes.pass_settings import PassSettings
from awaken.workspace.sources import LINE_END_BYTES

_ONE = rb"(?:" + b"|".join(level.value.encode() for level in Level) + rb")(?: [\w/-]+)?"
_MARKER = re.compile(
    rb"[ \t]*#~ (" + _ONE + rb"(?:, " + _ONE + rb")*)(?=\r?$|\r?\n|\r)", re.MULTILINE
)

# A string may hold anything; what is meant as a marker holds no quote.
_MISTYPED = re.compile(rb"#~[ \t]*([^'\"\r\n]*)(?=\r?$|\r?\n|\r)", re.MULTILINE)
MODULE = "case.py"
"""What a single-file case is called in its project."""
_CASE_FUNCTION = re.compile(rb"^def case_\w+\(", re.MULTILINE)
_CASE_COROUTINE = re.compile(rb"^async def case_\w+\(\)", re.MULTILINE)


class Marked(Struct, frozen=True, order=True):
    """A finding that a marker names; ``line`` is 1-based, ``reason`` empty where there is none."""

    line: int
    level: Level
    reason: str = ""


def read_markers(content: bytes) -> tuple[bytes, tuple[Marked, ...]]:
    """Return the program without its markers, and what these say.

    Raises ValueError for a comment ``#~`` that says something else.
    """
    parameters = tuple(
        _marked_parameter(1 + len(LINE_END_BYTES.findall(content, 0, match.start())), item.decode())
        for match in _MARKER.finditer(content)
        for item in match[1].split(b", ")
    )
    program = _MARKER.sub(b"", content)
    if mistyped := _MISTYPED.search(program):
        line = 1 + len(LINE_END_BYTES.findall(program, 0, mistyped.start()))
        raise ValueError(f"line {line}: {_mistake(mistyped[1].decode('utf-8', 'replace'))}")
    return program, parameters


def _mistake(text: str) -> str:
    """Return what is wrong with a marker that says ``text``."""
    levels = [level.value for level in Level]
    for line in text.split(", "):
        level = line.partition(" ")[0]
        if level not in levels:
            return f"`{level}` is no level: write one of {', '.join(levels)}"
    return (
        f"`#~ {text}` is no marker: write a level and a reason, as in `#~ manual name-taken`, and "
        "a comma between two"
    )


def _marked_parameter(line: int, text: str) -> Marked:
    level, _, reason = text.partition(" ")
    return Marked(line, Level(level), reason)


def write_markers(content: bytes, marked: Iterable[Marked]) -> tuple[bytes, tuple[Marked, ...]]:
    """Return the program with markers, and what no marker can say.

    A line that ends inside a string, or with a backslash, has no room for a comment.
    """
    by_line: dict[int, list[Marked]] = defaultdict(list)
    for parameter in sorted(marked):
        by_line[parameter.line].append(parameter)
    lines = LINE_END_BYTES.split(content)
    ends = [*LINE_END_BYTES.findall(content), b""]
    left: list[Marked] = []
    for number in sorted(by_line):
        # Tried, and taken back: only the tokenizer knows whether a line end is inside a string.
        bare = lines[number - 1]
        lines[number - 1] = bare + _text(by_line[number])
        if not _is_comment(b"".join(_joined_items(lines, ends)), number):
            lines[number - 1] = bare
            left += by_line[number]
    return b"".join(_joined_items(lines, ends)), tuple(left)


def _text(found: Iterable[Marked]) -> bytes:
    shown = ", ".join(f"{parameter.level.value} {parameter.reason}".rstrip() for parameter in found)
    return f"  #~ {shown}".encode()


def _joined_items(lines: list[bytes], ends: list[bytes]) -> Iterator[bytes]:
    for line, end in zip(lines, ends, strict=True):
        yield line
        yield end


def _is_comment(content: bytes, line: int) -> bool:
    """Whether the line ends with a marker that Python takes for a comment."""
    try:
        tokens = list(tokenize.tokenize(io.BytesIO(content).readline))
    except (SyntaxError, tokenize.TokenError):
        return False
    here = [token for token in tokens if token.start[0] == line]
    return any(
        token.type == tokenize.COMMENT and "#~ " in token.string for token in here
    ) and not any(token.type == tokenize.ERRORTOKEN for token in here)


class CaseError(ValueError):
    """A case directory that cannot be read; the message names the file and what is wrong."""


class ExpectedFinding(Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """One finding that a case expects; ``line`` is 1-based and counts in the side before."""

    line: int
    level: Level
    path: str = MODULE
    reason: str | None = None


class Loads(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A case's expectations about the statements that its functions send after the run.

    ``fewer`` than before or ``no more``; those that match ``same`` (``case_N*`` for several) send
    as many. Those that match ``more`` may send more. Statements may read differently, and hardly
    more rows may be fetched.
    """

    statements: Literal["fewer", "no more"]
    same: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


class Suite(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a case that is a whole application runs tests of its own, by pytest in its root.

    ``tests`` are ids that must be among them (``*::test_*`` for several), so that none gets lost;
    ``arguments`` are added to pytest's own settings.
    """

    tests: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The content of ``case.toml``.

    ``expect`` lists the findings that no marker can name; ``level`` says instead of markers that
    all findings have it and that there is at least one; without any there is no finding.
    ``program`` names a directory in the family's ``_programs``, whose files are added to the
    case's. ``versions`` binds the case to installed versions, ``targets`` are given to the run.
    ``execute`` runs every function of both sides whose name fits ``functions``, with a session if
    the case or its program has models; ``differs`` names those whose outcome must *not* be equal,
    and ``other_sql`` those (``case_N*`` for several) whose statements may read differently;
    ``loads`` asks for no more statements, and about the same rows, in place of the same statements.
    Coroutine functions of such names run under an event loop, with each failure of their steps
    (``_programs/steps`` of the family): ``cancels`` names those (``case_*`` for several) in which a
    failure then cancels its siblings, and ``groups`` those that then raise an exception group.
    ``application`` (``"case:app"``) is started and stopped on both sides; ``differs`` names it by
    that word. ``suite`` says that the program brings tests of its own: the same ones pass on both
    sides, and afterwards no coroutine is left that nobody awaited. Its side after holds only the
    files that differ. ``beside`` names rules that run in the same run; ``options`` are the rule's
    own settings. ``published`` says whether others may import from the program. ``paths`` are what
    the run is about, none for all. ``gone`` are the comments that go with the lines in which they
    suppressed something. With ``pass`` the rule is foreign code, as a ``[[tool.awaken.pass]]``
    names it: the command of LibCST or the script of Bowler is next to ``case.toml``.
    """

    rows: tuple[str, ...] = ()
    expect: tuple[ExpectedFinding, ...] | None = None
    level: Level | None = None
    program: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)
    unsafe: bool = False
    published: bool = True
    paths: tuple[str, ...] = ()
    execute: bool | None = None
    application: str | None = None
    suite: Suite | None = None
    beside: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    functions: str = "case_*"
    differs: tuple[str, ...] = ()
    other_sql: tuple[str, ...] = ()
    loads: Loads | None = None
    cancels: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    foreign: PassSettings | None = field(default=None, name="pass")


class Case(Struct, frozen=True, kw_only=True):
    """One case; ``before`` and ``after`` hold the bytes of each file by project-relative path.

    ``program`` are the files of the shared program, already part of both sides.
    """

    name: str
    family: str
    rule: str
    directory: Path
    settings: Settings
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    program: Mapping[str, bytes]

    @property
    def identifier(self) -> str:
        """``rule/name``, readable in the name of a test."""
        return f"{self.rule}/{self.name}"

    @property
    def executes(self) -> bool:
        """Whether both sides are to be run."""
        if self.settings.execute is not None:
            return self.settings.execute
        return bool(_CASE_FUNCTION.search(self.before.get(MODULE, b"")))

    @property
    def runs_coroutines(self) -> bool:
        """Whether both sides have coroutine functions to be run under an event loop."""
        text = self.before.get(MODULE, b"")
        return self.settings.execute is not False and bool(_CASE_COROUTINE.search(text))


def load_cases(directory: Path) -> list[Case]:
    """Return the cases anywhere under ``directory``, sorted; a case bound to other versions is
    left out.

    ``directory`` is the folder of all families, of a family or of a rule. Raises CaseError.
    """
    paths = sorted(directory.rglob("case.toml"))
    _require_settings(directory, {path.parent for path in paths})
    settings = {path.parent: _read_settings(path) for path in paths}
    return [_load(path, read) for path, read in settings.items() if _holds(read.versions)]


def _require_settings(directory: Path, cases: Collection[Path]) -> None:
    """Raise CaseError for a side before in no case: it would be passed over in silence."""
    for side in sorted([*directory.rglob("before.py"), *directory.rglob("before")]):
        if set(side.parents).isdisjoint(cases):
            raise CaseError(f"{side}: no case.toml stands beside it; an empty one is enough")


def _read_settings(path: Path) -> Settings:
    try:
        settings = msgspec.toml.decode(path.read_bytes(), type=Settings)
    except msgspec.MsgspecError as error:
        raise CaseError(f"{path}: {error}") from error
    if settings.level is not None and settings.expect is not None:
        raise CaseError(f"{path}: give `expect` or `level`, not both")
    return settings


def _holds(versions: Mapping[str, str]) -> bool:
    return all(
        SpecifierSet(wanted).contains(_installed_text(name), prereleases=True)
        for name, wanted in versions.items()
    )


def _installed_text(distribution: str) -> str:
    if distribution == "python":
        return python_version()
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "0"  # lower than every version that a case may ask for


def _load(directory: Path, settings: Settings) -> Case:
    family, rule, name = _place(directory)
    program = _program(directory, family, settings.program)
    before = _side(directory, "before")
    if before is None:
        raise CaseError(f"{directory}: neither before.py nor before/ is there")
    after = _side(directory, "after")
    plain, settings = _without_markers(directory, rule, before, settings)
    if settings.suite is not None:
        # Of a whole application most files stay as they are.
        after = {**plain, **(after or {})}
    return Case(
        name=name,
        family=family.name,
        rule=rule,
        directory=directory,
        settings=settings,
        before={**program, **plain},
        after={**program, **(plain if after is None else after)},
        program=program,
    )


def _without_markers(
    directory: Path, rule: str, side: Mapping[str, bytes], settings: Settings
) -> tuple[Mapping[str, bytes], Settings]:
    """Return the program as it is, and settings that expect what its markers say as well."""
    files: dict[str, bytes] = {}
    findings: list[ExpectedFinding] = []
    for path, content in side.items():
        try:
            files[path], marked = read_markers(content) if path.endswith(".py") else (content, ())
        except ValueError as error:
            raise CaseError(f"{directory}: {path}, {error}") from error
        findings += [
            ExpectedFinding(one.line, one.level, path, _reason(rule, one.reason)) for one in marked
        ]
    if findings and settings.level is not None:
        raise CaseError(f"{directory}: give markers or `level`, not both")
    return files, replace(
        settings, expect=(*findings, *(settings.expect or ()))
    ) if findings else settings


def _reason(rule: str, reason: str) -> str | None:
    if not reason:
        return None
    return reason if "/" in reason else f"{rule}/{reason}"


def _place(directory: Path) -> tuple[Path, str, str]:
    """Return the family's folder, the rule and the case's name: the folders below ``fixtures``."""
    for root in directory.parents:
        if root.name == "fixtures":
            family, rule, *name = directory.relative_to(root).parts
            return root / family, rule, "/".join(name)
    raise CaseError(f"{directory}: a case stands under fixtures/<family>/<rule>/")


def _program(directory: Path, family: Path, name: str | None) -> dict[str, bytes]:
    if name is None:
        return {}
    program = family / "_programs" / name
    if not program.is_dir():
        raise CaseError(f"{directory}: there is no program {program}")
    return _tree(program)


def _side(directory: Path, side: str) -> dict[str, bytes] | None:
    single, tree = directory / f"{side}.py", directory / side
    if single.is_file():
        return {MODULE: single.read_bytes()}
    return _tree(tree) if tree.is_dir() else None


def _tree(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
