"""The Typer application: every command, and ``--version``."""

from __future__ import annotations

from typing import Annotated

import typer

from awaken.cli.apply import apply
from awaken.cli.check import check
from awaken.cli.diff import diff
from awaken.cli.rules import rules
from awaken.cli.undo import undo


def application() -> typer.Typer:
    """Return the application with its commands."""
    app = typer.Typer(
        name="awaken",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_awaken)
    for command in (check, diff, apply, undo, rules):
        app.command()(command)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415

        typer.echo(f"awaken {version('awaken')}")
        raise typer.Exit


def _awaken(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Rewrite legacy Python back ends to the documented modern style.

    Start with `awaken check` and `awaken diff`: they write nothing. `awaken apply` makes the
    changes, `awaken undo` takes them back.
    """
