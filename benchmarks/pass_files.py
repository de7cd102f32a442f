"""What a codemod of LibCST, and a script of Bowler, make of files of every kind, run by awaken.

    uv run python benchmarks/pass_files.py [PYTHON...]

Each file holds the name ``old``, which both rename. They are applied on disk, and what is there
afterwards is compared with the bytes that a careful person would have written. Each PYTHON has
awaken and Bowler installed; without one it is this one. Prints ``pass_files.md`` from the table on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

DEEP = 60
"""Blocks in each other, and brackets: Python itself takes 100 and 200."""
CODEMOD = """
import libcst as cst
from libcst.codemod import VisitorBasedCodemodCommand


class RenameCommand(VisitorBasedCodemodCommand):
    DESCRIPTION = "Renames old to new."

    def leave_Name(self, original_node, updated_node):
        is_old = original_node.value == "old"
        return updated_node.with_changes(value="new") if is_old else updated_node
"""
SCRIPT = """
from bowler import Query


def rename(node, capture, filename):
    for leaf in node.leaves():
        if leaf.type == 1 and leaf.value == "old":
            leaf.value = "new"
            leaf.changed()


def main():
    Query(["program"]).select_root().modify(rename).write()
"""


def nested_blocks() -> str:
    rows = [f"{'  ' * level}if x:\n" for level in range(DEEP)]
    return "".join(rows) + f"{'  ' * DEEP}old\n"


# ruff: noqa: E501  a file a line
FILES: dict[str, tuple[str, bytes]] = {
    "utf_8": ("UTF-8, letters of two and four bytes", "old = 'é 😀'\n".encode()),
    "bom": ("UTF-8 with a byte order mark", b"\xef\xbb\xbfold = 1\n"),
    "latin_1": ("Latin-1, named in the first line", "# coding: latin-1\nold = 'é'\n".encode("latin-1")),
    "cp1252": ("Windows-1252, named in the second line", "#!/bin/python\n# -*- coding: cp1252 -*-\nold = '€'\n".encode("cp1252")),
    "utf_16": ("UTF-16", "old = 1\n".encode("utf-16")),
    "no_utf_8": ("Latin-1, and nothing says so", "old = 'é'\n".encode("latin-1")),
    "crlf": ("lines end in CRLF", b"old = 1\r\nif old:\r\n    old\r\n"),
    "cr": ("lines end in CR alone", b"old = 1\rif old:\r    old\r"),
    "mixed": ("lines end in CRLF, LF and CR", b"old = 1\r\nx = old\ny = old\rz = old\n"),
    "form_feed": ("a form feed between functions", b"old = 1\n\x0c\ndef f():\n    return old\n"),
    "form_feed_first": ("a form feed in front of a statement", b"x = 1\n\x0cold = 1\n"),
    "no_newline": ("no newline at the end", b"x = 1\nold = 1"),
    "newlines": ("several blank lines at the end", b"old = 1\n\n\n\n"),
    "tabs": ("tabs", b"if old:\n\tif old:\n\t\told\n"),
    "tabs_and_blanks": ("blocks of tabs and others of blanks", b"if old:\n\told\nif old:\n    old\n"),
    "trailing": ("blanks at the ends of lines", b"old = 1   \nx = [\n    old,   \n]\n"),
    "continued": ("a line that goes on behind a backslash", b"x = 1 + \\\n    old\n"),
    "empty": ("empty", b""),
    "comments": ("comments only", b"# old\n# and older\n"),
    "strings": ("the name in strings and comments only", b"x = 'old'  # old\n"),
    "match": ("match", b"match old:\n    case [old, *_]:\n        pass\n"),
    "pep_570": ("positional-only parameters (PEP 570)", b"def f(old, /, x):\n    return old\n"),
    "pep_604": ("X | None (PEP 604)", b"def f(old: int | None) -> int | None:\n    return old\n"),
    "pep_617": ("with in brackets (PEP 617)", b"with (open(old) as a, open(old) as b):\n    pass\n"),
    "pep_646": ("*Ts in brackets (PEP 646)", b"def f(*old: *tuple[int, ...]) -> A[*old]:\n    pass\n"),
    "pep_654": ("except* (PEP 654)", b"try:\n    old\nexcept* ValueError as old:\n    pass\n"),
    "pep_695": ("type parameters (PEP 695)", b"type old[T] = list[T]\ndef f[T](x: T) -> old[T]: ...\n"),
    "pep_696": ("their defaults (PEP 696)", b"class A[T = int]:\n    old = 1\n"),
    "pep_701": ("quotes within f-strings (PEP 701)", b"""x = f"{old["a"]}"\n"""),
    "pep_750": ("template strings (PEP 750)", b"x = t'{old}'\n"),
    "f_strings": ("f-strings", b"x = f'{old!r:>{old}} old {old=}'\n"),
    "async": ("async, await", b"async def f():\n    async with old as x:\n        return [y async for y in old]\n"),
    "async_name": ("async as a name", b"async = old\n"),
    "print": ("print as a statement", b"print old\n"),
    "long_line": ("a line of 20,000 characters", b"x = [" + b"old, " * 4_000 + b"]\n"),
    "deep": (f"{DEEP} blocks in each other", nested_blocks().encode()),
    "brackets": (f"{DEEP} brackets in each other", b"x = " + b"(" * DEEP + b"old" + b")" * DEEP + b"\n"),
    "null": ("a null byte", b"old = 1\x00\n"),
    "large": ("4,000 statements", b"".join(b"x%d = old\n" % n if n % 10 == 0 else b"x%d = 1\n" % n for n in range(4_000))),
    "executable": ("executable", b"#!/usr/bin/env python\nold = 1\n"),
    "read_only": ("read only", b"old = 1\n"),
}  # fmt: skip
STRINGS = {("f_strings", "Bowler"), ("pep_701", "Bowler"), ("pep_750", "Bowler")}
MODES = {"executable": 0o755, "read_only": 0o444}
LINKS = {"link": ("a link to another file of the project", "utf_8.py")}


PASSES = {
    "LibCST": ["--libcst", "renaming.RenameCommand"],
    "Bowler": ["--bowler", "rename.py"],
}


def expected(name: str, content: bytes, library: str) -> bytes:
    """Return what a careful person would write: the name is another one, and nothing else."""
    # To Bowler an f-string is a string.
    if name in {"comments", "strings", "utf_16", "null"} or (name, library) in STRINGS:
        return content
    if name == "f_strings":
        # `{old=}` prints the name, which is the codemod's business.
        return content.replace(b"{old", b"{new")
    return content.replace(b"old", b"new")


def written(program: Path, *, read_only: bool = False) -> None:
    """Write a program of all files but the one that is read only, or of that one."""
    program.mkdir()
    (program / "pyproject.toml").write_text('[project]\nname = "program"\nversion = "1"\n')
    for name, (_, content) in FILES.items():
        if (name == "read_only") is not read_only:
            continue
        path = program / f"{name}.py"
        path.write_bytes(content)
        path.chmod(MODES.get(name, 0o644))
    for name, (_, target) in () if read_only else LINKS.items():
        (program / f"{name}.py").symlink_to(target)


def outcomes(python: str, library: str) -> dict[str, str]:
    """Return what becomes of each file, in words."""
    # awaken writes all files of a run or none.
    return {
        **_outcomes(python, library, read_only=False),
        **_outcomes(python, library, read_only=True),
    }


def _outcomes(python: str, library: str, *, read_only: bool) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        program = place / "program"
        written(program, read_only=read_only)
        (place / "renaming.py").write_text(CODEMOD)
        (place / "rename.py").write_text(SCRIPT)
        environment = {**os.environ, "AWAKEN_STATE_DIR": str(place / "state")}

        def awaken(command: str, *more: str) -> str:
            line = [
                python,
                "-m",
                "awaken",
                command,
                *PASSES[library],
                "--unsafe-fixes",
                *more,
                "program",
            ]
            done = subprocess.run(
                line, cwd=place, env=environment, capture_output=True, text=True, check=False
            )
            return done.stderr if command == "apply" else done.stdout

        said = json.loads(awaken("check", "--output-format", "json"))
        applied = awaken("apply")
        if read_only:
            refused = "nothing was written: read_only.py is read-only" in applied
            return {"read_only": "nothing is written, and says so" if refused else "**written**"}
        reasons: dict[str, str] = {}
        for one in said["findings"]:
            if one["level"] == "manual":
                reasons[Path(one["path"]).stem] = f"manual, {one['reason'].partition('/')[2]}"
        for one in said["diagnostics"]:
            reasons[Path(one["path"]).stem] = f"not read: {one['message'].partition(';')[0]}"
        return {
            **{
                name: _outcome(program, name, library, reasons.get(name, ""))
                for name in FILES
                if name != "read_only"
            },
            **{name: _of_link(program, name) for name in LINKS},
        }


def _outcome(program: Path, name: str, library: str, reason: str) -> str:
    path, before = program / f"{name}.py", FILES[name][1]
    after = path.read_bytes()
    if path.stat().st_mode & 0o777 != MODES.get(name, 0o644):
        return "**another mode**"
    if after == before:
        nothing = expected(name, before, library) == before and not reason
        return reason or ("nothing to do" if nothing else "**left alone without a word**")
    return (
        "rewritten"
        if after == expected(name, before, library)
        else f"**otherwise**: {after[:60]!r}"
    )


def _of_link(program: Path, name: str) -> str:
    path = program / f"{name}.py"
    return "still a link" if path.is_symlink() else "**no link any more**"


def main(pythons: list[str]) -> None:
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    versions = []
    for given in pythons or [sys.executable]:
        # Not resolved: a virtual environment is a link.
        python = os.path.abspath(given)  # noqa: PTH100
        line = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        version = subprocess.run(line, capture_output=True, text=True, check=True).stdout.strip()
        versions.append(version)
        for library in PASSES:
            for name, outcome in outcomes(python, library).items():
                found.setdefault((name, library), {}).setdefault(outcome, []).append(version)
    print(f"| file | {' | '.join(PASSES)} |\n|---|---|---|")
    for name, (what, _) in {**FILES, **LINKS}.items():
        cells = [_cell(found[name, library], versions) for library in PASSES]
        print(f"| {_escaped(what)} | {' | '.join(map(_escaped, cells))} |")


def _escaped(text: str) -> str:
    return text.replace("|", r"\|")


def _cell(outcomes: dict[str, list[str]], versions: list[str]) -> str:
    if list(outcomes.values()) == [versions]:
        return next(iter(outcomes))
    return "; ".join(f"{', '.join(where)}: {what}" for what, where in outcomes.items())


if __name__ == "__main__":
    main(sys.argv[1:])
