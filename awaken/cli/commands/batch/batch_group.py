"""The group of commands ``awaken batch``."""

from __future__ import annotations

import typer

from awaken.cli.commands.batch.publishing_commands import approve, close, publish, review, update
from awaken.cli.commands.batch.working_commands import clean, init, merge, run, status
from awaken.cli.options.groups import with_groups
from awaken.cli.options.plain_values import Command


def batch() -> typer.Typer:
    """Return the group with its commands, in the order in which a campaign needs them."""
    group = typer.Typer(
        name="batch",
        help="Run one migration over many repositories: run, review, publish.",
        rich_markup_mode=None,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for command in (init, run, review, approve, publish, status, update, close, clean, merge):
        group.command(cls=Command)(with_groups(command))
    return group
