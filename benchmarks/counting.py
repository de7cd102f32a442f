"""Run awaken once, in this process alone, and count its work: the same in every run.

    python -I benchmarks/counting.py planning|recalling FILE ARGUMENT ...

Runs `awaken ARGUMENT ...` and writes the counts to FILE, as JSON. `planning` counts what rules cost
and keeps awaken from starting processes, each of which would work out shared facts by itself;
`recalling` touches nothing, and counts modules and files.
"""

# ruff: noqa: PLC0415  what is counted is imported after the counters are in place
from __future__ import annotations

import json
import math
import sys
from collections import Counter
from pathlib import Path
from typing import Any

_OF_PYTHON = (".pyc", ".so", ".pth")


class Opened:
    """Counts the files that are opened, but for those that Python imports."""

    def __init__(self) -> None:
        self.paths: Counter[str] = Counter()

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note one event of the audit."""
        if event == "open" and isinstance(arguments[0], str):
            self.paths[arguments[0]] += 1

    def count(self) -> int:
        """Return how many files were opened, those of imports not counted.

        Settings that are looked for above the program do not count: how many directories there are
        depends on where the corpus is.
        """
        files = {getattr(module, "__file__", None) for module in sys.modules.values()}
        above = set(Path.cwd().parents)
        return sum(
            number
            for path, number in self.paths.items()
            if not path.endswith(_OF_PYTHON)
            and path not in files
            and Path(path).parent not in above
        )


def planning(arguments: list[str]) -> dict[str, int]:
    """Return the work of one run that plans."""
    from awaken import cli
    from awaken.engine import run
    from awaken.engine.machine import workers
    from awaken.workspace.work import WORK

    workers.SECONDS_WORTH_A_POOL = math.inf
    evidence: list[tuple[int, int]] = []
    keep = run.evidence_for

    def evidence_for(*given: Any) -> Any:
        looked_at = given[-1]
        # A part of one file is neither a whole file nor a search of all.
        parts = sum(search.kind == "facts" for search in looked_at.told)
        searches = len(looked_at.searched) + len(looked_at.told) - parts
        evidence.append((len(looked_at.read), searches))
        return keep(*given)

    run.evidence_for = evidence_for
    plans = _plans()
    cli.main(arguments)
    return {
        "files": len(WORK.texts),
        "parses": WORK.parses,
        "parsed-bytes": WORK.parsed_bytes,
        "searches": WORK.searches,
        "questions": WORK.questions,
        "evidence-files": sum(files for files, _ in evidence),
        "evidence-searches": sum(searches for _, searches in evidence),
        "plans": plans["made"],
    }


def _plans() -> Counter[str]:
    """Return a counter of the plans that rules are asked for from now on."""
    from awaken.engine.planning.rule_discovery import all_rules

    counted: Counter[str] = Counter()
    for kind in {type(rule) for rule in all_rules()}:
        plan = kind.plan

        def counting(*given: Any, plan: Any = plan) -> Any:
            # A rule that extends another one's plan makes one plan.
            counted["made"] += not counted["open"]
            counted["open"] += 1
            try:
                return plan(*given)
            finally:
                counted["open"] -= 1

        kind.plan = counting  # type: ignore[method-assign]
    return counted


def recalling(arguments: list[str]) -> dict[str, int]:
    """Return what a run imports and opens."""
    before = len(sys.modules)
    opened = Opened()
    sys.addaudithook(opened.hear)
    from awaken import cli

    cli.main(arguments)
    return {"modules": len(sys.modules) - before, "opened": opened.count()}


if __name__ == "__main__":
    how, file, *words = sys.argv[1:]
    Path(file).write_text(json.dumps({"planning": planning, "recalling": recalling}[how](words)))
