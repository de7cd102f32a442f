"""Apply rules to the programs of a list, each alone, and run their tests before and after.

`measure.py` says what CORPUS and LIST are. Each rule is applied to a fresh copy as its page says,
once with its safe rewrites only and once with all of them. Usage:

    uv run python benchmarks/first_contact/rules.py CORPUS LIST RESULT [NAME ...]

RESULT is TOML, a table for each program, with one for each command that wrote something. What
awaken printed stays in `CORPUS/said/NAME.RULE`.
"""

from __future__ import annotations

import argparse
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import tomlkit
from measure import Document, Outcomes, Program, tally

SYNCHRONOUS = ("--config", "rules.expire-on-commit.sync = true")
RULES = {
    "query-to-select": (),
    "eager-load": (),
    "lazy-raise": (),
    "expire-on-commit": SYNCHRONOUS,
}
"""What selects the sites of each rule; synchronous sessions have to be asked for."""
UNSAFE = "--unsafe-fixes"


class Checkout(Program):
    """A program that single rules rewrite."""

    def sites(self, options: Sequence[str]) -> tuple[Counter[str], Counter[str]]:
        """Count the sites by level, and those that stay by reason."""
        done, _ = self._awaken("check", *options, "--output-format", "json")
        findings = msgspec.json.decode(done.stdout, type=Document).findings
        reasons = Counter(finding.reason or "" for finding in findings if finding.level == "manual")
        return Counter(finding.level for finding in findings), reasons

    def apply(self, options: Sequence[str], said: Path) -> list[str]:
        """Apply rules to a fresh copy, and return the lines of the diff."""
        self.begin()
        done, _ = self._awaken("apply", *options)
        said.write_text(done.stdout + done.stderr)
        self._commit("after") if (written := self._git("status", "--short").stdout) else None
        return self._git("diff", "HEAD~1").stdout.splitlines() if written else []


def measure(program: Checkout, said: Path) -> dict[str, Any]:
    """Apply each rule to one program and return its row."""
    said.mkdir(parents=True, exist_ok=True)
    program.begin()
    before = program.tests()
    row: dict[str, Any] = {"before": tally(before)}
    for rule, more in RULES.items():
        options = ["--select", rule, *more]
        program.begin()
        levels, reasons = program.sites(options)
        row[rule] = {"sites": dict(levels), "reasons": dict(reasons.most_common())}
        for flags in ([], [UNSAFE]):
            if difference := program.apply([*options, *flags], said / f"{program.name}.{rule}"):
                name = " ".join(["apply", *flags])
                row[rule][name] = compare(before, program.tests(), difference)
    return row


def compare(before: Outcomes, after: Outcomes, difference: Sequence[str]) -> dict[str, Any]:
    """Return what a rewrite changed in the files and in the outcomes of the tests."""
    files = sum(line.startswith("+++ ") for line in difference)
    lost = sorted(test for test, was in before.items() if was == "passed" != after.get(test))
    return {"files": files, "after": tally(after), "lost": lost}


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description="apply rules to the programs of a list")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("list", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    corpus = arguments.corpus.absolute()
    rows = tomllib.loads(arguments.result.read_text()) if arguments.result.exists() else {}
    for name, entry in tomllib.loads(arguments.list.read_text()).items():
        if not arguments.names or name in arguments.names:
            rows[name] = measure(Checkout(name, entry, corpus), corpus / "said")
            print(name, rows[name], flush=True)
            arguments.result.write_text(tomlkit.dumps(rows))


if __name__ == "__main__":
    main()
