"""Account for every labelled call of `query`: what awaken does with it, and why not more.

Joins `awaken check` with the labels of data/query_sites.tsv by file, line and column, and prints
Markdown. A site may start earlier than its label, at the parenthesis of `(s.query(A)).all()`: a
label without a site at its place gets the smallest site around it that no other label has. What
is left is "no site", or "inside" if it stands within the rewritten site of another. Usage:

    uv run python benchmarks/account.py CORPUS [PACKAGE ...]
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from awaken_runs import Awaken, Diagnostic, Finding
from corpora import LATER, Label, Package, labels, named
from tables import percent, table

OUTCOMES = ("safe", "unsafe", "manual", "inside", "no site")


class Judged(NamedTuple):
    """One label with what awaken made of it; `finding` is None where there is no site."""

    label: Label
    finding: Finding | None
    outcome: str


class Account(NamedTuple):
    """One run over one package; `extra` are the sites that are not in the labels."""

    package: str
    target: str
    judged: list[Judged]
    extra: list[Finding]
    diagnostics: list[Diagnostic]

    def outcomes(self, wanted: Callable[[Label], bool]) -> Counter[str]:
        """Count the outcomes of the labels that are wanted."""
        return Counter(item.outcome for item in self.judged if wanted(item.label))


def account_for(awaken: Awaken, corpus: Path, package: Package, sqlalchemy: str) -> Account:
    """Run awaken on one package for one SQLAlchemy version and join it with the labels."""
    document = awaken.check(package.directory(corpus), package.target(sqlalchemy))
    judged, extra = join(labels(package.name), document.findings)
    target = f"{package.python}, SQLAlchemy {sqlalchemy}"
    return Account(package.name, target, judged, extra, document.diagnostics)


def join(known: list[Label], findings: list[Finding]) -> tuple[list[Judged], list[Finding]]:
    """Give every label its site, and return the sites that are left."""
    sites = {finding.place: finding for finding in findings}
    judged: list[Judged] = []
    free = dict(sites)
    for label in known:
        free.pop(label.place, None)
    for label in known:
        finding = sites.get(label.place) or smallest_around(label, free.values())
        if finding:
            free.pop(finding.place, None)
            judged.append(Judged(label, finding, finding.level))
        else:
            around = smallest_around(label, (site for site in findings if site.is_rewritten))
            judged.append(Judged(label, around, "inside" if around else "no site"))
    return judged, list(free.values())


def smallest_around(label: Label, findings: Iterable[Finding]) -> Finding | None:
    """Return the site that a label stands in, the innermost of several."""
    around = [finding for finding in findings if finding.contains(label.place)]
    return max(around, key=lambda finding: (finding.line, finding.column), default=None)


def is_counted(label: Label) -> bool:
    """Whether a query starts and ends in one expression: the denominator."""
    return label.is_query and label.one_expression


def is_now(label: Label) -> bool:
    """The same without bulk writes and slices."""
    return is_counted(label) and label.note not in LATER


def shares(accounts: Iterable[Account], wanted: Callable[[Label], bool]) -> str:
    """Return the table of what was rewritten, per package and for the first target of all."""
    rows: list[list[object]] = []
    total: Counter[str] = Counter()
    seen: set[str] = set()
    for account in accounts:
        counts = account.outcomes(wanted)
        rows.append([account.package, account.target, *share_cells(counts)])
        if account.package not in seen:
            total += counts
        seen.add(account.package)
    rows.append(["all (first target)", "", *share_cells(total)])
    columns = ["package", "target", "queries", *OUTCOMES, "rewritten", "safe"]
    return table(columns, rows, words=2)


def share_cells(counts: Counter[str]) -> list[object]:
    """The numbers of one row: all, each outcome, and the two shares."""
    rewritten, whole = counts["safe"] + counts["unsafe"], counts.total()
    shown = [counts[outcome] for outcome in OUTCOMES]
    return [whole, *shown, percent(rewritten, whole), percent(counts["safe"], whole)]


def every_call(accounts: Iterable[Account]) -> str:
    """Return the table of all labelled calls by kind, so that none is left unaccounted for."""
    kinds: dict[str, Callable[[Label], bool]] = {
        "one expression": is_counted,
        "over statements": lambda label: label.is_query and not label.one_expression,
        "not a query": lambda label: not label.is_query,
    }
    rows: list[list[object]] = []
    for account in accounts:
        for kind, wanted in kinds.items():
            counts = account.outcomes(wanted)
            shown = [counts[outcome] for outcome in OUTCOMES]
            rows.append([account.package, kind, counts.total(), *shown])
    return table(["package", "calls", "labelled", *OUTCOMES], rows, words=2)


def reasons(accounts: Iterable[Account], wanted: Callable[[Label], bool]) -> str:
    """Return why queries stay manual, the most frequent reason first, with one example each."""
    found: dict[str, list[str]] = defaultdict(list)
    messages: dict[str, str] = {}
    for account in accounts:
        for label, finding, outcome in account.judged:
            if finding and outcome == "manual" and wanted(label):
                reason = finding.reason or "no reason"
                found[reason].append(f"{account.package} {label.file}:{label.line}")
                messages.setdefault(reason, finding.message)
    ordered = sorted(found.items(), key=lambda item: -len(item[1]))
    rows = [[reason, places[0], messages[reason], len(places)] for reason, places in ordered]
    return table(["reason", "for example", "message there", "queries"], rows, words=3)


def places(title: str, lines: Iterable[str]) -> str:
    """Return a list with its length in the title."""
    items = [f"- {line}" for line in lines]
    return "\n".join([f"### {title}: {len(items)}", "", *items, ""])


def label_line(item: Judged) -> str:
    """One label as a line of a list."""
    reason = f" ({item.finding.reason})" if item.finding and item.finding.reason else ""
    label = item.label
    where = f"{label.package} {label.file}:{label.line}:{label.column}"
    return f"{where} {label.note}: {item.outcome}{reason}"


def surprises(accounts: list[Account]) -> str:
    """Return every place where awaken and the labels see different things."""
    judged = [item for account in accounts for item in account.judged]
    missed = [i for i in judged if is_counted(i.label) and i.outcome in {"inside", "no site"}]
    spread = [i for i in judged if i.label.is_query and not i.label.one_expression]
    claimed = [i for i in judged if not i.label.is_query and i.outcome != "no site"]
    rewritten = [i for i in spread if i.outcome in {"safe", "unsafe", "inside"}]
    extra = [
        f"{account.package} {finding.path}:{finding.line}:{finding.column}: {finding.level}"
        f" {finding.reason or finding.message}"
        for account in accounts
        for finding in account.extra
    ]
    broken = [
        f"{account.package} {problem.path}:{problem.line}: {problem.message}"
        for account in accounts
        for problem in account.diagnostics
    ]
    return "\n".join(
        [
            places("One-expression queries without a site of their own", map(label_line, missed)),
            places("Labelled `not a query`, but a site", map(label_line, claimed)),
            places("Queries over statements that are rewritten", map(label_line, rewritten)),
            places("Sites that are not in the labels", extra),
            places("Diagnostics", broken),
        ]
    )


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="account for every labelled call of `query`")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("packages", nargs="*", metavar="PACKAGE")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        awaken = Awaken(Path(home))
        accounts = [
            account_for(awaken, arguments.corpus, package, sqlalchemy)
            for package in named(arguments.packages)
            for sqlalchemy in filter(None, (package.sqlalchemy, package.also))
        ]
    first = list({account.package: account for account in reversed(accounts)}.values())[::-1]
    print("## Queries that start and end in one expression\n")
    print(shares(accounts, is_counted))
    print("\n## The same without bulk writes and slices\n")
    print(shares(accounts, is_now))
    print("\n## Every labelled call (first target)\n")
    print(every_call(first))
    print("\n## Why one-expression queries stay manual (first target)\n")
    print(reasons(first, is_counted))
    print("\n## Why queries over statements stay manual (first target)\n")
    print(reasons(first, lambda label: label.is_query and not label.one_expression))
    print("\n## Where awaken and the labels differ (first target)\n")
    print(surprises(first))


if __name__ == "__main__":
    main()
