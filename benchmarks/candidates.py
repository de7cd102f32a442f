"""Count every call of an attribute named `query` in unpacked packages, by plain `ast`.

Knows nothing of awaken and judges nothing: `x.query(...)` counts whatever `x` is, so that a tool
which fails to see a query cannot also fail to count it. Usage:

    python candidates.py [--list] NAME=DIRECTORY [NAME=DIRECTORY ...]

Prints totals per package or, with `--list`, one tab-separated row per call: package, file (relative
to the directory), line and column (both from 1, the column in characters, of the whole call).
"""

from __future__ import annotations

import argparse
import ast
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Call(NamedTuple):
    """One call `x.query(...)` and where it starts."""

    package: str
    file: str
    line: int
    column: int


def calls_in_file(package: str, root: Path, file: Path) -> Iterator[Call]:
    """Yield the calls of one file in source order; raises SyntaxError if it does not parse."""
    data = file.read_bytes()
    lines = data.split(b"\n")
    for node in ast.walk(ast.parse(data)):
        match node:
            case ast.Call(func=ast.Attribute(attr="query")):
                before = lines[node.lineno - 1][: node.col_offset].decode()
                name = file.relative_to(root).as_posix()
                yield Call(package, name, node.lineno, len(before) + 1)


def calls_in_package(package: str, root: Path) -> tuple[list[Call], int]:
    """All calls under `root`, sorted, and how many files did not parse."""
    found: list[Call] = []
    unparsed = 0
    for file in root.rglob("*.py"):
        try:
            found += calls_in_file(package, root, file)
        except (SyntaxError, ValueError) as error:
            unparsed += 1
            print(f"{file}: not parsed: {error}", file=sys.stderr)
    return sorted(found), unparsed


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="count calls of an attribute named `query`")
    parser.add_argument("--list", action="store_true", help="print every call, tab-separated")
    parser.add_argument("packages", nargs="+", metavar="NAME=DIRECTORY")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", SyntaxWarning)
    for argument in arguments.packages:
        package, _, directory = argument.partition("=")
        calls, unparsed = calls_in_package(package, Path(directory))
        if arguments.list:
            print(*("\t".join(map(str, call)) for call in calls), sep="\n")
        else:
            files = len({call.file for call in calls})
            print(f"{package}: {len(calls)} calls in {files} files, {unparsed} files not parsed")


if __name__ == "__main__":
    main()
