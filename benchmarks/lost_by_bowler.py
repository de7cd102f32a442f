"""Let Bowler and awaken rename a function in files of every kind, and say what came of each.

Bowler is run by itself (`bowler run`, every hunk written) on one file at a time. Prints Markdown.
Usage: `uv run python benchmarks/lost_by_bowler.py`
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tables import row, table

HERE = Path(__file__).parent.absolute()
SCRIPT = HERE.parent / "tests" / "passes" / "scripts" / "documented" / "rename_function.py"
AWAKEN = Path(sys.executable).with_name("awaken")
CASES = {
    "plain": b"x = 1\nold()\n",
    "carriage returns and line feeds": b"x = 1\r\nold()\r\n",
    "both kinds of line ends": b"x = 1\r\nold()\ny = 2\n",
    "carriage returns only": b"x = 1\rold()\r",
    "byte order mark": b"\xef\xbb\xbfold()\n",
    "no last line end": b"x = 1\nold()",
    "form feed": b"x = 1\n\x0c\nold()\n",
    "vertical tab in a comment": b"x = 1  # \x0b\nold()\n",
    "file separator in a text": b"x = '\x1c'\nold()\n",
    "next line in a text": "x = '\x85'\nold()\n".encode(),
    "line separator in a text": "x = '\u2028'\nold()\n".encode(),
    "latin-1 with its cookie": "# coding: latin-1\nx = '\xe9'\nold()\n".encode("latin-1"),
    "utf-8 without a cookie": "x = '\xe9'\nold()\n".encode(),
    "tabs": b"if x:\n\told()\n",
    "print as a statement's name": b"print(old(), file=x)\n",
    "match": b"match old():\n    case 1:\n        pass\n",
    "match elsewhere in the file": b"old()\nmatch x:\n    case 1:\n        pass\n",
    "positional-only parameters": b"def f(a, /):\n    old()\n",
    "except*": b"try:\n    old()\nexcept* ValueError:\n    pass\n",
    "with in parentheses": b"with (old() as a, old() as b):\n    pass\n",
    "type parameters": b"def f[T](a: T):\n    old()\n",
    "type statement": b"type A = int\nold()\n",
    "quotes within an f-string": b'x = f"{old("a")}"\n',
    "walrus": b"if (x := old()):\n    pass\n",
    "decorator of any form": b"@a[0].b\ndef f():\n    old()\n",
    "unpacked subscript": b"x[*a] = old()\n",
    "return of an unpacked tuple": b"def f():\n    return *a, old()\n",
    "empty": b"",
}


def by_bowler(directory: Path) -> tuple[bytes, str]:
    """Return what Bowler leaves in the file, and how it ends."""
    words = [sys.executable, HERE / "peers" / "bowler_write.py", SCRIPT, "old", "new"]
    done = subprocess.run(words, cwd=directory, capture_output=True, text=True, check=False)
    said = [one for one in (done.stdout + done.stderr).splitlines() if one.strip()]
    word = "failed to apply" if "failed to apply patch" in done.stderr else "nothing"
    if "Traceback" in done.stderr and word == "nothing":
        word = said[-1].partition(":")[0]
    elif "Skipping" in done.stderr or "parse" in done.stderr:
        word = "cannot parse"
    return (directory / "a.py").read_bytes(), f"{word}, exit {done.returncode}"


def by_awaken(directory: Path) -> tuple[bytes, str]:
    """Return what awaken leaves in the file, and what it says."""
    words = ["apply", "--unsafe-fixes", "--allow-dirty", "--no-cache", "--output-format", "json"]
    done = subprocess.run(
        [AWAKEN, *words, "--bowler", SCRIPT, ".", "--", "old", "new"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "AWAKEN_STATE_DIR": str(directory.parent / "state")},
    )
    document = json.loads(done.stdout)
    reasons = [one["reason"] for one in document["findings"] if one["reason"]]
    problems = [one["message"] for one in document["diagnostics"]]
    return (directory / "a.py").read_bytes(), ", ".join([*reasons, *problems]) or "nothing"


def outcome(before: bytes, after: bytes) -> str:
    """Return what became of a file, in a word."""
    wanted = before.replace(b"old", b"new")
    if after == wanted:
        return "right" if wanted != before else "as it was"
    if after == before:
        return "not changed"
    plain = wanted.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return "other line ends" if after == plain else "other bytes"


def main() -> None:
    """Print a row for each file."""
    columns = ("file", "Bowler", "it says", "awaken", "it says")
    print(table(columns, (), words=5))
    for name, content in CASES.items():
        found: list[str] = []
        for run in (by_bowler, by_awaken):
            with tempfile.TemporaryDirectory() as home:
                directory = Path(home) / "project"
                directory.mkdir()
                (directory / "a.py").write_bytes(content)
                after, said = run(directory)
                found += [outcome(content, after), said]
        print(row((name, *found)), flush=True)


if __name__ == "__main__":
    main()
