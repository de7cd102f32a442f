"""``awaken new-rule``: begins a rule in a checkout of awaken."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from awaken.cli.options.declaring import Argument


def new_rule(
    wanted: Annotated[
        str,
        Argument(
            metavar="FAMILY/NAME",
            help="The name of the new rule, such as asyncio/running-loop. The family may be new.",
            show_default=False,
        ),
    ],
) -> int:
    """Begin a rule of awaken: its module and page, and a first case that fails.

    For those who write rules, in a checkout of awaken; docs/writing-rules.md says how to go on.
    """
    from importlib.metadata import version  # noqa: PLC0415  the help needs none of these

    from awaken.cli.rule_skeleton import new_rule as begin  # noqa: PLC0415
    from awaken.preview.streams.output import send  # noqa: PLC0415

    made = begin(Path.cwd(), wanted, version("awaken"))
    name = wanted.partition("/")[2]
    lines = [
        *(f"made {path.as_posix()}" for path in made),
        "",
        "These tests say what to write next:",
        f"  uv run pytest -n0 tests/test_pages.py tests/test_fixtures.py -k {name}",
        "docs/writing-rules.md explains each step.",
    ]
    send(lines, sys.stdout)
    return 0
