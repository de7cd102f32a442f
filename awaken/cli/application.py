"""The Typer application: every command, and ``--version``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from awaken.cli.commands.apply import apply
from awaken.cli.commands.batch.batch_group import batch
from awaken.cli.commands.check import check
from awaken.cli.commands.diff import diff
from awaken.cli.commands.doctor import doctor
from awaken.cli.commands.explain import explain
from awaken.cli.commands.migrating.migrate import migrate
from awaken.cli.commands.new_rule import new_rule
from awaken.cli.commands.recipes import recipes
from awaken.cli.commands.rules import rules
from awaken.cli.commands.trust import trust
from awaken.cli.commands.undo import undo
from awaken.cli.commands.verify import verify
from awaken.cli.options.groups import with_groups
from awaken.cli.options.plain_values import Command, reading_plainly

# Common options come first, as users of other tools expect. A hint, no alias: two names for one
# command would both have to be documented.
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

GROUPS = {
    "Find and rewrite": (check, diff, apply, undo),
    "Migrate a program": (recipes, migrate, verify),
    "Understand": (explain, rules, doctor),
    "Run codemods of others": (trust,),
}
"""The commands by task, the most used first: the order of the help and of its page."""


class _Commands(TyperGroup):
    """Knows the names of commands in other tools, and lists its own by task."""

    def get_params(self, ctx: Any) -> Any:
        return reading_plainly(super().get_params(ctx))

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  Click passes it
        width = max(len(name) for name, command in self.commands.items() if not command.hidden)
        for title, commands in by_task(self.commands).items():
            limit = formatter.width - 6 - width
            rows = [
                (f"{name:{width}}", one.get_short_help_str(limit)) for name, one in commands.items()
            ]
            with formatter.section(title):
                formatter.write_dl(rows)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        if args and args[0] in _WORDS_OF_OTHER_TOOLS:
            # A usage error of Click: it ends with the exit code for those.
            ctx.fail(
                f"No such command {args[0]!r}. Did you mean {_WORDS_OF_OTHER_TOOLS[args[0]]!r}?"
            )
        return super().resolve_command(ctx, args)


def by_task(commands: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the commands that are not hidden, by the title of their group and by name."""
    groups: dict[str, dict[str, Any]] = {}
    for name, command in commands.items():
        if not command.hidden:
            groups.setdefault(command.rich_help_panel, {})[name] = command
    return groups


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
    for title, commands in GROUPS.items():
        for command in commands:
            app.command(cls=Command, rich_help_panel=title)(with_groups(command))
    app.add_typer(batch(), rich_help_panel="Migrate a program")
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

    Start with `awaken check` and `awaken diff`, which write nothing. `awaken apply` writes the
    changes, and `awaken undo` undoes them.
    """
