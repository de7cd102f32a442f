"""Messages between awaken and the process that runs foreign code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

Kind = Literal["libcst", "bowler"]


def import_directories(directory: Path, script: str) -> tuple[str, ...]:
    """Return where a pass that is named in ``directory`` imports from, in order.

    ``script`` is the path of its script, if it is one.
    """
    # A package of codemods may lie next to the program, or in it.
    places = (directory, directory / "src", *([(directory / script).parent] if script else []))
    return tuple(dict.fromkeys(map(str, places)))


class Setup(Struct, frozen=True, kw_only=True):
    """The code to run, and the places from which it may import.

    ``target`` is a dotted name (``mypkg.codemods.Rename``) or, of a script, its absolute path.
    ``named`` are arguments by name, in their order; ``words`` are passed on as they are.
    ``import_from`` are directories, ``root`` is that of the project and ``project`` that of its
    repository, ``settings`` the text of its ``.libcst.codemod.yaml``. Where ``code`` is not None,
    it is all that may be imported of the project: files by their paths, with their bytes.
    ``files`` are those of the project, relative to the root, each with its module and its package.
    ``seconds`` of processor time are what one file may take.
    """

    kind: Kind
    target: str
    named: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    import_from: tuple[str, ...] = ()
    root: str = ""
    project: str = ""
    code: Mapping[str, bytes] | None = None
    settings: str = ""
    files: Mapping[str, tuple[str, str]] = {}
    seconds: float = 60


class Ready(Struct, frozen=True, tag=True):
    """The foreign code is loaded.

    ``triggers`` are words of which a file with a site has at least one, empty where unknown;
    ``said`` is its output. It is ``forgetful`` if it is known to keep nothing of one file for the
    next.
    """

    triggers: tuple[str, ...] = ()
    said: str = ""
    forgetful: bool = False


class Unusable(Struct, frozen=True, tag=True):
    """It cannot be loaded: why, in one sentence, and what it printed.

    ``path`` and ``line`` are those of the project's file that is wrong, if it is one.
    """

    why: str
    said: str = ""
    path: str = ""
    line: int = 0


class Item(Struct, frozen=True):
    """A file to be rewritten, by its path relative to the root, with its bytes."""

    path: str
    content: bytes


class Warned(Struct, frozen=True):
    """A warning of foreign code, in its own words; ``line`` is 0 where it names no line."""

    text: str
    line: int = 0


class Unchanged(Struct, frozen=True, tag=True):
    """The foreign code gives the same bytes; the fields are those of ``Rewritten``."""

    warnings: tuple[Warned, ...] = ()
    said: str = ""


class Rewritten(Struct, frozen=True, tag=True):
    """The bytes of a file as the foreign code gives them.

    ``warnings`` are what it says of the file, ``said`` is what it printed meanwhile.
    """

    content: bytes
    warnings: tuple[Warned, ...] = ()
    said: str = ""


class Skipped(Struct, frozen=True, tag=True):
    """The foreign code leaves a file alone, and says why."""

    why: str
    warnings: tuple[Warned, ...] = ()
    said: str = ""


class Unreadable(Struct, frozen=True, tag=True):
    """The parser of the foreign code cannot read a file; ``line`` is 0 where it does not say."""

    why: str
    line: int = 0
    said: str = ""


class Failed(Struct, frozen=True, tag=True):
    """The foreign code failed: what it raised, with file and line of its own code."""

    why: str
    said: str = ""


Loaded = Ready | Unusable
Answer = Unchanged | Rewritten | Skipped | Unreadable | Failed


class Running(Protocol):
    """Foreign code that runs in processes of its own."""

    @property
    def loaded(self) -> Loaded:
        """Whether it can be used."""

    def answers(self, items: Sequence[Item]) -> list[Answer]:
        """Return what it makes of files, in their order."""

    def end(self) -> None:
        """End its processes."""


class Runner(Protocol):
    """Starts foreign code."""

    def __call__(self, setup: Setup) -> Running:
        """Return the foreign code, loaded or found to be unusable."""
