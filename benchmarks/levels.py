"""Count sites by level, per program and rule, and hold them against `yield.toml`.

The programs are those of `yield_programs.toml`. CORPUS has their wheels as `NAME-VERSION` and their
checkouts as `repos/NAME`; wheels that are missing are downloaded there with `--download`. A program
without a directory is named and passed over, unless it was asked for by name. Usage:

    uv run python benchmarks/levels.py CORPUS [--quick] [--download] [--write] [NAME ...]

Some programs need Python 3.13: `uv run --isolated --python 3.13 python benchmarks/levels.py ...`.
Prints each row that differs, and ends with 1 where fewer sites are safe, or more are manual, than
`yield.toml` says. `--write` writes what was counted; the commit lists the sites that were lost.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import msgspec
import tomlkit
from awaken_runs import Document
from measured_programs import Program, directory_in, parsed, parser, programs

HELD = Path(__file__).parent / "yield.toml"
LEVELS = ("safe", "unsafe", "manual")
ALSO = ("--extend-select", "gather-to-taskgroup")
"""What is counted with the rules that run by themselves: all of its sites are unsafe."""

_NEWER_PYTHON = "run awaken with Python"

Yield = dict[str, dict[str, int]]
"""Sites of one program by level, for each rule."""


def counted(program: Program, directory: Path) -> Yield | str:
    """Return the sites of a program by rule and level, from one cold run in JSON.

    Where a newer Python has to parse it, return what awaken says. Ends the script with what awaken
    printed where it gives no report.
    """
    with tempfile.TemporaryDirectory() as state:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("awaken")),
                *("check", "--no-cache", "--output-format", "json", *program.options()),
                *(*(ALSO if program.rules == "default" else ()), "."),
            ],
            cwd=directory,
            env={**os.environ, "AWAKEN_STATE_DIR": state, "NO_COLOR": "1"},
            capture_output=True,
            check=False,
        )
    try:
        report = msgspec.json.decode(done.stdout, type=Document)
    except msgspec.MsgspecError:
        sys.exit(f"{directory.name}: awaken ended with {done.returncode}:\n{done.stderr.decode()}")
    for problem in report.diagnostics:
        if _NEWER_PYTHON in problem.message:
            return f"{problem.path}: {problem.message}"
    levels = Counter((finding.rule, finding.level) for finding in report.findings)
    rules = sorted({rule for rule, level in levels if level in LEVELS})
    return {rule: {level: levels[rule, level] for level in LEVELS} for rule in rules}


def compare(name: str, held: Yield, now: Yield) -> bool:
    """Print the rows of a program that differ; return whether safe sites were lost."""
    lost = False
    none = dict.fromkeys(LEVELS, 0)
    for rule in sorted(held.keys() | now.keys()):
        before, after = held.get(rule, none), now.get(rule, none)
        if before == after:
            continue
        worse = after["safe"] < before["safe"] or after["manual"] > before["manual"]
        lost |= worse
        rows = [" / ".join(str(side[level]) for level in LEVELS) for side in (before, after)]
        print(f"{name}: {rule}: {rows[0]} -> {rows[1]}{'  LOST' if worse else ''}")
    return lost


def main() -> None:
    """Read the command line, count, compare, and write where that is asked for."""
    listed = programs()
    arguments = parsed(parser("hold sites by level against yield.toml", HELD.name), listed)
    document = tomlkit.parse(HELD.read_text())
    held = document.unwrap()
    lost, measured = False, 0
    for name in arguments.names or listed:
        program = listed[name]
        if arguments.quick and not program.quick:
            continue
        is_wheel = arguments.download and bool(program.package)
        is_there = is_wheel or program.directory(arguments.corpus, name).is_dir()
        if not is_there and not arguments.names and not arguments.quick:
            print(f"{name}: not in the corpus")
            continue
        directory = directory_in(arguments.corpus, name, downloads=arguments.download)
        now = counted(program, directory)
        if isinstance(now, str):
            print(f"{name}: not measured: {now}")
            continue
        measured += 1
        lost |= compare(name, held.get(name, {}), now)
        if arguments.write:
            document[name] = _table(now)
            HELD.write_text(tomlkit.dumps(document))
    print(f"{measured} programs measured")
    sys.exit(lost and not arguments.write)


def _table(levels: Yield) -> tomlkit.items.Table:
    """Return the table of a program: a line for each rule."""
    table = tomlkit.table()
    for rule, sites in levels.items():
        row = tomlkit.inline_table()
        row.update(sites)
        table[rule] = row
    return table


if __name__ == "__main__":
    main()
