"""Count what query-to-select does with the sites of the thirty packages of issue 13.

Per package the sites by level, and what is left by reason; totals of the ten packages that the
issue names and of the twenty that were drawn. CORPUS holds them unpacked as `NAME-VERSION`. With
`--keep` every site is written to a directory, a file of JSON lines per package, so that two
states can be compared site by site. Usage:

    uv run python benchmarks/thirty.py CORPUS [--keep DIRECTORY] [PACKAGE ...]
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec
from awaken_runs import Awaken, Finding
from corpora import TEN, TWENTY, Package, named
from tables import percent, row, table

LEVELS = ("safe", "unsafe", "manual")


def sites(awaken: Awaken, corpus: Path, package: Package) -> list[Finding]:
    """Return the sites of one package, and print its row."""
    document = awaken.check(package.directory(corpus), package.target())
    print(row([package.name, *cells(document.findings)]), flush=True)
    for problem in document.diagnostics:
        print(f"{package.name} {problem.path}:{problem.line}: {problem.message}")
    return document.findings


def cells(findings: Iterable[Finding]) -> list[object]:
    """The numbers of one row: all sites, each level, and the two shares."""
    counts = Counter(finding.level for finding in findings)
    rewritten, whole = counts["safe"] + counts["unsafe"], counts.total()
    shown = [counts[level] for level in LEVELS]
    return [whole, *shown, percent(rewritten, whole), percent(counts["safe"], rewritten)]


def reasons(found: dict[str, list[Finding]]) -> str:
    """Return why sites stay manual, the most frequent reason first, with one example each."""
    manual: dict[str, list[tuple[str, Finding]]] = {}
    for name, findings in found.items():
        for finding in findings:
            if finding.level == "manual":
                manual.setdefault(finding.reason or "no reason", []).append((name, finding))
    rows: list[list[object]] = []
    for reason, held in sorted(manual.items(), key=lambda item: -len(item[1])):
        packages = Counter(name for name, _ in held)
        name, finding = held[0]
        most = ", ".join(f"{package} {count}" for package, count in packages.most_common(3))
        example = f"{name} {finding.path}:{finding.line}"
        rows.append([reason, most, example, finding.message, len(packages), len(held)])
    columns = ["reason", "most in", "for example", "message there", "packages", "sites"]
    return table(columns, rows, words=4)


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="count the query sites of thirty packages")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("packages", nargs="*", metavar="PACKAGE")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY")
    arguments = parser.parse_args()
    wanted = named(arguments.packages) if arguments.packages else [*TEN, *TWENTY]
    columns = ["package", "sites", *LEVELS, "rewritten", "safe of these"]
    print(table(columns, []), flush=True)
    with tempfile.TemporaryDirectory() as home:
        awaken = Awaken(Path(home))
        found = {package.name: sites(awaken, arguments.corpus, package) for package in wanted}
    for title, group in (("the ten", TEN), ("the twenty", TWENTY)):
        together = [finding for package in group for finding in found.get(package.name, [])]
        print(row([title, *cells(together)]))
    print("\n## Why sites stay manual\n")
    print(reasons(found))
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
        for name, findings in found.items():
            lines = msgspec.json.Encoder().encode_lines(findings)
            (arguments.keep / f"{name}.jsonl").write_bytes(lines)


if __name__ == "__main__":
    main()
