"""The Typer application: every command, and ``--version``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from awaken.cli.commands.apply import apply
from awaken.cli.commands.batch.batch_group import batch
from awaken.cli.commands.check import check
from awaken.cli.commands.diff import diff
from awaken.cli.commands.doctor import doctor
from awaken.cli.commands.explain import explain
from awaken.cli.commands.migrate import migrate
from awaken.cli.commands.new_rule import new_rule
from awaken.cli.commands.recipes import recipes
from awaken.cli.commands.rules import rules
from awaken.cli.commands.trust import trust
from awaken.cli.commands.undo import undo
from awaken.cli.commands.verify import verify
from awaken.cli.options.groups import with_groups
from awaken.cli.options.plain_values import Command, reading_plainly

# What people type first, coming from other tools. A hint, no alias: two names for one command would
# both have to be documented.
_WORDS_OF_OTHER_TOOLS = {
    "dry-run": "diff",
    "preview": "diff",
    "fix": "apply",
    "run": "apply",
    "upgrade": "apply",
    "lint": "check",
    "list": "rules",
    "revert": "undo",
}


class _Commands(TyperGroup):
    """Knows what a command of ours is called elsewhere."""

    def get_params(self, ctx: Any) -> Any:
        return reading_plainly(super().get_params(ctx))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        if args and args[0] in _WORDS_OF_OTHER_TOOLS:
            # A usage error of Click: it ends with the exit code for those.
            ctx.fail(
                f"No such command {args[0]!r}. Did you mean {_WORDS_OF_OTHER_TOOLS[args[0]]!r}?"
            )
        return super().resolve_command(ctx, args)


def application() -> typer.Typer:
    """Return the application with its commands."""
    app = typer.Typer(
        name="awaken",
        cls=_Commands,
        rich_markup_mode=None,  # Rich's help takes a tenth of a second, and no reader of a pipe
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_awaken)
    for command in (
        *(check, diff, apply, undo, verify, migrate, recipes),
        *(explain, rules, doctor, trust),
    ):
        app.command(cls=Command)(with_groups(command))
    app.add_typer(batch())
    # Of use in a checkout of awaken only.
    app.command(cls=Command, hidden=True)(with_groups(new_rule))
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415

        from awaken.preview.streams.output import send  # noqa: PLC0415

        send([f"awaken {version('awaken')}"], sys.stdout)
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
