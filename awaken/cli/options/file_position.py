"""``FILE:LINE:COLUMN`` as people type and paste it."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from awaken.cli.options.declaring import bad_parameter

_NUMBERS = re.compile(r"(?P<file>.+?):(?P<line>\d{1,9})(?::(?P<column>\d{1,9}))?:?", re.DOTALL)
_AFTER_COLON = re.compile(r":[^:/\\]*$")
_LINE_ONLY = re.compile(r"(?P<file>.+):(?P<line>\d{1,9}):?", re.DOTALL)


class FilePlace(Struct, frozen=True):
    """A file, a line, and perhaps a column, both counted from 1."""

    file: Path
    line: int
    column: int | None = None


def parse_place(text: str) -> FilePlace:
    r"""Return the place that ``text`` names; raises BadParameter if it names none.

    A drive (``C:\app.py:12``) and other colons belong to the file. Where ``a:1:2`` can be read in
    two ways, the file that exists decides.
    """
    match = _NUMBERS.fullmatch(text)
    if match is None:
        file = Path(_AFTER_COLON.sub("", text) or "app.py")
        # The example must name a file, also where a directory was typed.
        file = file / "app.py" if file.is_dir() else file
        raise bad_parameter(
            f"{text!r} names no line; write FILE:LINE, for instance {file}:12",
            param_hint="FILE:LINE",
        )
    # `a:1:2` may also be line 2 of a file named `a:1`.
    shorter = _LINE_ONLY.fullmatch(text)
    if match["column"] and shorter and not Path(match["file"]).is_file():
        named = Path(shorter["file"])
        match = shorter if named.is_file() else match
    return _counted_place(match)


def _counted_place(match: re.Match[str]) -> FilePlace:
    result = match.groupdict()
    line, column = int(result["line"]), result.get("column")
    if line < 1 or (column is not None and int(column) < 1):
        raise bad_parameter("lines and columns count from 1", param_hint="FILE:LINE")
    return FilePlace(Path(result["file"]), line, None if column is None else int(column))
