"""``awaken rules``: the catalogue, and one rule's page."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from awaken.cli import options as given
from awaken.preview.choices import Color


def rules(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="RULE", help="A rule, to show its page, or a family.", show_default=False
        ),
    ] = None,
    color: given.When = Color.AUTO,
) -> int:
    """List the rules; with a name, show that rule's page."""
    from awaken import api  # noqa: PLC0415  the help needs no engine
    from awaken.preview.catalogue import print_catalogue, print_page  # noqa: PLC0415
    from awaken.preview.console import make_console  # noqa: PLC0415
    from awaken.settings.selection import choose  # noqa: PLC0415

    console = make_console(sys.stdout, color)
    chosen = choose(api.rules(), [name], []) if name else api.rules()
    if name and [rule.name for rule in chosen] == [name]:
        print_page(chosen[0], console)
    else:
        print_catalogue(chosen, console)
    return 0
