"""One file from standard input, as an editor or a hook pipes it: ``-`` as the only path."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from awaken.cli.options.declaring import bad_parameter

STDIN = Path("-")


def overlay(
    paths: Sequence[Path], filename: Path | None
) -> tuple[Sequence[Path], Mapping[Path, bytes]]:
    """Return the paths of a run, and the bytes that replace a file on disk.

    Raises BadParameter where ``-`` is not the only path, or nobody says which file it is.
    """
    if STDIN not in paths:
        if filename is not None:
            raise bad_parameter("needs - as the only path", param_hint="--stdin-filename")
        return paths, {}
    if len(paths) > 1:
        raise bad_parameter("- must be the only path", param_hint="PATHS")
    if filename is None:
        raise bad_parameter(
            "- needs --stdin-filename, the path in the project of the file on stdin",
            param_hint="PATHS",
        )
    return [filename], {Path(os.path.realpath(filename)): sys.stdin.buffer.read()}
