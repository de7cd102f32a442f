"""``awaken trust``: whose codemods run without being asked for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from awaken.cli.options import shared_options as given
from awaken.cli.options.declaring import Argument, Option, bad_parameter


def trust(
    path: Annotated[
        Path | None,
        Argument(
            metavar="PATH",
            help="The project, or a path in it; the current directory by default.",
            show_default=False,
        ),
    ] = None,
    remove: Annotated[bool, Option("--remove", help="Take the trust back.")] = False,
    listed: Annotated[bool, Option("--list", help="Show what is trusted.")] = False,
    quiet: given.Quiet = False,
) -> int:
    """Let the codemods run that a project's settings name.

    The trust ends when one of them changes.

    Their code belongs to the project, so read it first. You trust the settings of each codemod,
    its file, and the project's modules that the file imports.
    """
    from awaken import api  # noqa: PLC0415  the help needs no engine
    from awaken.preview.streams.messages import say  # noqa: PLC0415
    from awaken.preview.streams.output import send  # noqa: PLC0415
    from awaken.preview.terminal.trust_lines import trust_lines  # noqa: PLC0415

    if listed and (remove or path is not None):
        raise bad_parameter("shows all of them; leave out the other options", param_hint="--list")
    if listed:
        send(trust_lines(api.trusted()), sys.stdout)
        return 0
    start = path or Path()
    word, projects = ("no longer ", api.distrust(start)) if remove else ("", api.trust(start))
    for line in trust_lines(projects) if not quiet else ():
        say(f"{word}trusted: {line}")
    if not projects and not quiet:
        say("Nothing was trusted here.")
    return 0
