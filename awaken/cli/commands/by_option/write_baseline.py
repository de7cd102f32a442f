"""``awaken check --write-baseline``: from now on only new sites count."""

from __future__ import annotations

import os

from awaken import api
from awaken.cli.options.command_line import CommandLine
from awaken.cli.options.declaring import bad_parameter
from awaken.preview.choices import View
from awaken.preview.console.progress_bar import bar
from awaken.preview.counts import plural
from awaken.preview.streams.messages import say
from awaken.preview.streams.visible import visible


def write(line: CommandLine, view: View) -> None:
    """Write the baselines of the roots of ``line``, and say so on stderr.

    Raises BadParameter with ``--since``: a baseline lists all sites, wherever they are.
    """
    if line.options.since is not None:
        raise bad_parameter(
            "writes all sites, so it cannot be combined with --since", param_hint="--write-baseline"
        )
    with bar(view) as progress:
        _, files = api.write_baseline(line.paths, line.options, progress=progress)
    for file in files if not view.quiet else ():
        where = os.path.relpath(file.file)
        say(visible(f"Wrote {plural(file.sites, 'site')} to {where}"))
