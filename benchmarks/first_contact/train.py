"""Count what keeps the programs of training.toml, or of LIST, synchronous; run no test of theirs.

As `measure.py` does, but without environments, two programs at once and 180 seconds for a command:
`awaken migrate async-sessions --commit` with the first answer that it prints. Then the step of
sessions is read once more, so that what is left counts in a whole program, too. Usage:

    uv run python benchmarks/first_contact/train.py CORPUS RESULT [NAME ...] [--list LIST]

CORPUS is that of `measure.py`. RESULT has a table for each program; what awaken said stays in
`CORPUS/said/NAME`, and each finding that is left in `CORPUS/left/NAME`.
"""

from __future__ import annotations

import argparse
import subprocess
import tomllib
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import tomlkit
from measure import SYNCHRONOUS, Program

LIST = Path(__file__).with_name("training.toml")
LONGEST = 180
INTERNAL = ("internal error", "Traceback")
WAITING = "session-to-async/beside-another"
"""The reason of a function that waits for another cause."""


def train(name: str, entry: Mapping[str, Any], corpus: Path) -> dict[str, Any]:
    """Migrate one program and return its row."""
    program = Program(name, entry, corpus, longest=LONGEST)
    program.begin()
    try:
        migrated = program.migrate()
        left = program.left()
    except subprocess.TimeoutExpired:
        return {"result": "no end"}
    (corpus / "said" / name).write_text(migrated.said)
    (corpus / "left" / name).write_text(
        "".join(f"{each.path}:{each.line} {each.reason} {each.message}\n" for each in left)
    )
    said = migrated.said
    result = "stopped" if migrated.code or SYNCHRONOUS in said else "whole"
    row: dict[str, Any] = {
        "result": "internal error" if any(sign in said for sign in INTERNAL) else result,
        "cpu": round(migrated.seconds, 1),
        "answers": [line.strip() for each in migrated.answers for line in each.splitlines()],
        "written": program.functions_written(),
        "synchronous": sum(each.reason == WAITING for each in left),
    }
    causes = Counter(each.reason or "" for each in left if each.reason != WAITING)
    return row | {"causes": dict(causes.most_common())}


def main() -> None:
    """Read the command line and count."""
    parser = argparse.ArgumentParser(description="count what keeps programs synchronous")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--list", type=Path, default=LIST)
    arguments = parser.parse_args()
    corpus = arguments.corpus.absolute()
    for folder in ("said", "left"):
        (corpus / folder).mkdir(exist_ok=True)
    rows = tomllib.loads(arguments.result.read_text()) if arguments.result.exists() else {}
    with ProcessPoolExecutor(2) as pool:
        entries = tomllib.loads(arguments.list.read_text())
        names = arguments.names or list(entries)
        tables = pool.map(train, names, map(entries.get, names), [corpus] * len(names))
        for name, rows[name] in zip(names, tables, strict=True):
            print(name, rows[name], flush=True)
            arguments.result.write_text(tomlkit.dumps(rows))


if __name__ == "__main__":
    main()
