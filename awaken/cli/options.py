"""The options that several commands share, each declared once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from awaken.preview.choices import Color, Form

if TYPE_CHECKING:
    from awaken.cli.command_line import CommandLine

_PYTHON = re.compile(r"(?:py)?3\.?(?P<minor>\d{1,2})")


Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="PATHS",
        help="Files and directories that may be changed; the current directory by default.",
        show_default=False,
    ),
]
Select = Annotated[
    list[str] | None,
    typer.Option(metavar="RULES", help="Only these rules or families, separated by commas."),
]
Ignore = Annotated[
    list[str] | None, typer.Option(metavar="RULES", help="Without these rules or families.")
]
UnsafeFixes = Annotated[
    bool,
    typer.Option(
        "--unsafe-fixes/--no-unsafe-fixes",
        help="Also rewrite what may change behaviour; each message says what exactly.",
    ),
]
TargetVersion = Annotated[
    str,
    typer.Option(metavar="VERSION", help="Lowest Python of the program, as py311; auto reads it."),
]
Target = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VERSION", help="Version of a library, as sqlalchemy=2.0."),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(metavar="PATTERNS", help="Leave out files, as in .gitignore; with commas."),
]
Jobs = Annotated[
    int | None, typer.Option("-j", "--jobs", min=1, help="Processes; one per core by default.")
]
Statistics = Annotated[
    bool, typer.Option("--statistics", help="Print counts per rule, level and reason instead.")
]
Output = Annotated[
    Form | None,
    typer.Option("--output-format", help="How to print.", show_default=False),
]
CacheDir = Annotated[
    Path | None, typer.Option(metavar="DIRECTORY", help="Where facts about files are kept.")
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Read every file anew.")]
When = Annotated[Color, typer.Option("--color", help="When to use colours.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No summary on stderr.")]
Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", help="Name rules and files on stderr; show tracebacks.")
]


def command_line(  # noqa: PLR0913  one parameter per option
    paths: Sequence[Path] | None,
    *,
    select: Sequence[str] | None,
    ignore: Sequence[str] | None,
    unsafe_fixes: bool,
    target_version: str,
    target: Sequence[str] | None,
    exclude: Sequence[str] | None,
    jobs: int | None,
    cache_dir: Path | None,
    no_cache: bool,
) -> CommandLine:
    """Return what was asked for, as paths and options of a run; raises BadParameter."""
    from awaken.api import Options  # noqa: PLC0415  the help needs no engine
    from awaken.cli.command_line import CommandLine  # noqa: PLC0415

    options = Options(
        select=_separated(select),
        ignore=_separated(ignore),
        unsafe_fixes=unsafe_fixes,
        target_version=_python(target_version),
        targets=_versions(target),
        exclude=_patterns(exclude),
        jobs=jobs,
        cache_directory=cache_dir,
        use_cache=not no_cache,
    )
    return CommandLine(tuple(paths or (Path(),)), options)


def _separated(values: Sequence[str] | None) -> tuple[str, ...]:
    words = (word.strip() for value in values or () for word in value.split(","))
    return tuple(word for word in words if word)


def _patterns(values: Sequence[str] | None) -> tuple[str, ...]:
    patterns = _separated(values)
    if patterns:
        from awaken.project.ignores import is_pattern  # noqa: PLC0415  pathspec takes its time

        wrong = [pattern for pattern in patterns if not is_pattern(pattern)]
        if wrong:
            raise typer.BadParameter(
                f"{wrong[0]!r} is no pattern as in .gitignore; write for instance tests/*.py",
                param_hint="--exclude",
            )
    return patterns


def _python(value: str) -> str | None:
    """Return ``py311`` for ``py311``, ``3.11`` or ``311``; None for ``auto``."""
    if value == "auto":
        return None
    match = _PYTHON.fullmatch(value)
    if match is None:
        raise typer.BadParameter(
            f"{value!r} is no Python version; write for instance py311, or auto",
            param_hint="--target-version",
        )
    return f"py3{match['minor']}"


def _versions(values: Sequence[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in values or ():
        name, _, version = (part.strip() for part in value.partition("="))
        if not (name and version.strip("=")):
            raise typer.BadParameter(
                f"{value!r} is not NAME=VERSION; write for instance sqlalchemy=2.0",
                param_hint="--target",
            )
        found[name] = version.lstrip("=")
    return found
