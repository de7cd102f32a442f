"""The user's settings of a pass, in the settings file or on the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Annotated

from msgspec import Meta, Struct

from awaken.contract import Phase, UserError
from awaken.passes.protocol import Kind


class PassCode(Struct, frozen=True):
    """The code of a pass: ``files`` by their paths, ``libcst_settings``, and the digest of both."""

    digest: str
    files: Mapping[str, bytes]
    libcst_settings: bytes


class PassPlace(Struct, frozen=True):
    """Where a pass was named: for the project in ``root``, with paths relative to ``directory``.

    It runs ``after`` others of its phase. ``origin`` is who named it; ``is_trusted`` says that
    this was the user, or that the user lets what the project names run. With ``awaken trust`` that
    is the ``code`` alone.
    """

    root: Path
    directory: Path
    after: tuple[str, ...] = ()
    origin: str = ""
    is_trusted: bool = True
    code: PassCode | None = None


class PassSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """One pass: ``libcst`` names a command, or ``bowler`` a script; one of them is given.

    ``name`` is how it is selected and shown, ``phase`` when it runs among the rules (``tidy``).
    ``arguments`` are those of the command by name, ``args`` the words that a script finds in
    ``sys.argv``. ``paths`` are patterns as in ``.gitignore``: only files that match are passed on.
    ``triggers`` are words of which a file must hold one. With ``per_hunk`` each place is a change
    of its own, with ``allow_reformat`` nearly all lines of a file may change. A file may take
    ``seconds_per_file`` of processor time.
    """

    libcst: str = ""
    bowler: str = ""
    name: str = ""
    phase: str = "tidy"
    arguments: dict[str, str | bool | tuple[str, ...]] = {}
    args: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    per_hunk: bool = False
    allow_reformat: bool = False
    seconds_per_file: Annotated[float, Meta(gt=0)] = 60

    @property
    def kind(self) -> Kind:
        """What runs it."""
        return "libcst" if self.libcst else "bowler"

    @property
    def target(self) -> str:
        """What is run."""
        return self.libcst or self.bowler

    @property
    def script(self) -> str:
        """The path of the script of Bowler; empty where a module is named instead."""
        return self.bowler if self.bowler.endswith(".py") else ""

    @property
    def known_as(self) -> str:
        """Its name: that of the command in the words of rules, or of the script."""
        if self.name:
            return self.name
        if self.bowler:
            return PurePath(self.bowler).stem.replace("_", "-")
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", self.libcst.rpartition(".")[2]).lower()
        return words.removesuffix("-command").replace("_", "-")

    def named_arguments(self) -> tuple[tuple[str, str], ...]:
        """Return the arguments by name, one with several values several times."""
        result: list[tuple[str, str]] = []
        for name, value in self.arguments.items():
            values = value if isinstance(value, tuple) else (value,)
            result += [
                (name, str(item).lower() if item in (True, False) else str(item)) for item in values
            ]
        return tuple(result)

    def when(self) -> Phase:
        """Return the phase. Raises UserError for one that does not exist."""
        try:
            return Phase[self.phase.upper()]
        except KeyError:
            phases = ", ".join(phase.name.lower() for phase in Phase)
            raise UserError(f"there is no phase {self.phase!r}; it is one of {phases}") from None
