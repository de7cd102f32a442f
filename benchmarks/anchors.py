"""Compare what is found with triggers and anchors, and without, on real programs.

Rules say what a program with a site of theirs holds (`Rule.triggers`, `Rule.anchors`); where it is
missing they are not planned. This plans them all the same and prints every difference. Usage:

    uv run python benchmarks/anchors.py PROGRAM [PROGRAM ...]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from unittest import mock

from awaken import api
from awaken.contract import Finding
from awaken.engine.planning import rule_planning


def found(program: Path) -> set[Finding]:
    """Return the findings of all default rules in ``program``."""
    report = api.run([program], api.Options(use_cache=False))
    return {finding for root in report.roots for finding in root.findings}


def main() -> None:
    """Read the command line, and print a line for each program and for each difference."""
    parser = argparse.ArgumentParser(description="what triggers and anchors hide")
    parser.add_argument("programs", type=Path, nargs="+")
    for program in parser.parse_args().programs:
        narrowed = found(program)
        with mock.patch.object(rule_planning, "may_have_sites", return_value=True):
            everywhere = found(program)
        print(f"{program.name}: {len(narrowed)} findings, {len(everywhere)} without anchors")
        for one in sorted(everywhere ^ narrowed, key=lambda finding: finding.place):
            sign = "hidden" if one in everywhere else "only with anchors"
            print(f"  {sign}: {one.rule} {one.place.path}:{one.place.span.start} {one.message}")


if __name__ == "__main__":
    main()
