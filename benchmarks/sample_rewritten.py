"""Draw rewritten sites by a seed, of every kind and of every program, for reading by eye.

From the thirteen programs of issue 4, with their targets and `--unsafe-fixes`; without a formatter,
since that is where the layout is awaken's own. Each site draws its lot by its own name; each
program first gives its FROM_EACH lowest lots, then each kind is filled up to its share. Prints
the list with the verdicts of data/rewritten_read.md, each taken over where the text reads, before
and after, as it did then; with `--text` also the changed lines (other people's source: not
committed). Usage:

    uv run python benchmarks/sample_rewritten.py CORPUS [--seed 4] [--text]
"""

from __future__ import annotations

import argparse
import ast
import difflib
import hashlib
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from awaken_runs import Awaken, Finding
from corpora import HOMEASSISTANT, PACKAGES, PROGRAMS, copy
from statements import Source, read, statement_at
from tables import table

KINDS = {
    "kept": 42,
    "set operation": 12,
    "bulk": 22,
    "get": 10,
    "count": 12,
    "class": 22,
    "chain": 30,
}
"""The kinds of sites in the order in which they are asked for, and how many of each are read."""
FROM_EACH = 4
CONTEXT = 2
"""How many unchanged lines are shown around changed ones."""
OPERATIONS = frozenset({"union", "union_all", "intersect", "intersect_all", "except_"})
LEFT_OUT = frozenset({"optuna", "sqlalchemy_mptt", "barbican"})
VERDICTS = Path(__file__).parent / "data" / "rewritten_read.md"
COLUMNS = 7


class Tree(NamedTuple):
    """One program: where it is unpacked, and awaken's options that name its versions."""

    name: str
    directory: Path
    target: tuple[str, ...]


class Site(NamedTuple):
    """One rewritten site; `path` is relative to its program."""

    tree: Tree
    finding: Finding
    kind: str

    @property
    def where(self) -> str:
        """Program, file and line."""
        return f"{self.tree.name} {self.finding.path}:{self.finding.line}"

    def lot(self, seed: int) -> bytes:
        """What depends on the seed and on where the site is, and on nothing else."""
        return hashlib.sha256(f"{seed} {self.tree.name} {self.finding.place}".encode()).digest()


def trees(corpus: Path) -> Iterator[Tree]:
    """Yield the thirteen programs."""
    for package in [*PACKAGES, HOMEASSISTANT]:
        if package.name not in LEFT_OUT:
            yield Tree(package.name, package.directory(corpus), tuple(package.target()))
    for program in PROGRAMS:
        if program.repository not in LEFT_OUT:
            yield Tree(program.name, program.directory(corpus), program.target)


def kind_of(node: ast.expr, finding: Finding) -> str:
    """Return what kind of site a finding about `node` is, by its message and its own code."""
    called = [*methods(node)]
    ended = re.match(r"`query\(\.\.\.\)\.(\w+)", finding.message)
    last = ended[1] if ended else ""
    if any(name in OPERATIONS for name in called):
        return "set operation"
    if last in {"update", "delete"}:
        return "bulk"
    if last in {"get", "get_or_404"}:
        return "get"
    if finding.message.startswith("the query "):
        return "kept"
    if last == "count":
        return "count"
    return "chain" if "query" in called else "class"


Starts = dict[int, list[tuple[int, ast.expr]]]
"""The expressions of a file by the byte they start at, each with the byte behind it."""


def starts_of(source: Source) -> Starts:
    """Return the expressions of a file by where they start."""
    found: Starts = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.expr):
            first, last = source.span(node)
            found.setdefault(first, []).append((last, node))
    return found


def node_of(source: Source, starts: Starts, finding: Finding) -> ast.expr:
    """Return the longest expression in a finding that starts where it does."""
    end = (finding.end_line, finding.end_column)
    inside = starts[source.start_of(finding)]
    within = [(last, node) for last, node in inside if source.place(last) <= end]
    return max(within, key=lambda item: item[0])[1]


def methods(node: ast.expr) -> Iterator[str]:
    """Yield the names of a chain's methods and of what it starts with, the last one first."""
    while isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Call):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else ""
            node = node.func
        else:
            node = node.value


class Reader:
    """Runs awaken on copies of the programs; files are parsed once."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.awaken = Awaken(place / "home")
        self.awaken.environment["PATH"] = "/usr/bin:/bin"
        self.sources: dict[Path, Source] = {}
        self.starts: dict[Path, Starts] = {}

    def sites(self, tree: Tree) -> list[Site]:
        """Return the rewritten sites of a program, and rewrite its copy."""
        copied = copy(tree.directory, self.place / tree.name)
        findings = self.awaken.check(copied, ["--unsafe-fixes", *tree.target]).findings
        self.awaken.run(["apply", ".", "--unsafe-fixes", *tree.target], copied)
        return [
            Site(tree, finding, self.kind(tree.directory / finding.path, finding))
            for finding in findings
            if finding.is_rewritten
        ]

    def kind(self, file: Path, finding: Finding) -> str:
        """Return what kind of site a finding is."""
        source = self.source(file)
        if file not in self.starts:
            self.starts[file] = starts_of(source)
        return kind_of(node_of(source, self.starts[file], finding), finding)

    def source(self, file: Path) -> Source:
        """Return a parsed file."""
        if file not in self.sources:
            self.sources[file] = read(file.read_bytes())
        return self.sources[file]

    def changed(self, site: Site) -> str:
        """Return the changed lines of the statement, or of the function a query is kept in."""
        old, new = (
            (root / site.finding.path).read_text(encoding="utf-8").splitlines()
            for root in (site.tree.directory, self.place / site.tree.name)
        )
        first, last = self.around(site)
        shown: list[str] = []
        for group in difflib.SequenceMatcher(None, old, new, False).get_grouped_opcodes(CONTEXT):
            if group[0][1] < last and group[-1][2] >= first:
                shown.append(f"@ {group[0][1] + 1}")
                for tag, start, end, start_new, end_new in group:
                    if tag == "equal":
                        shown += [f"  {line}" for line in old[start:end]]
                    else:
                        shown += [f"- {line}" for line in old[start:end]]
                        shown += [f"+ {line}" for line in new[start_new:end_new]]
        return "\n".join(shown)

    def around(self, site: Site) -> tuple[int, int]:
        """Return the first line, from 0, and the line behind what belongs to a site."""
        source = self.source(site.tree.directory / site.finding.path)
        statement: ast.stmt = statement_at(source, source.start_of(site.finding))
        if site.kind == "kept":
            for node in ast.walk(source.tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
                    node.lineno <= statement.lineno <= (node.end_lineno or 0)
                ):
                    statement = node
        return statement.lineno - 1, statement.end_lineno or statement.lineno


def draw(sites: list[Site], seed: int) -> list[Site]:
    """Return the drawn sites in the order of programs, files and lines."""
    lots = sorted(sites, key=lambda site: site.lot(seed))
    drawn: list[Site] = []
    for name in dict.fromkeys(site.tree.name for site in sites):
        drawn += [site for site in lots if site.tree.name == name][:FROM_EACH]
    for kind, wanted in KINDS.items():
        missing = wanted - sum(site.kind == kind for site in drawn)
        rest = [site for site in lots if site.kind == kind and site not in drawn]
        drawn += rest[: max(0, missing)]
    rest = [site for site in lots if site not in drawn]
    drawn += rest[: sum(KINDS.values()) - len(drawn)]
    return [site for site in sites if site in drawn]


def verdicts() -> dict[tuple[str, str], list[str]]:
    """Return verdict and line of what was read, by place and digest."""
    lines = VERDICTS.read_text(encoding="utf-8").splitlines() if VERDICTS.exists() else []
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]
    return {(row[1], row[4]): row[5:] for row in rows if len(row) == COLUMNS}


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="draw rewritten sites for reading by eye")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--text", action="store_true")
    arguments = parser.parse_args()
    known, rows, texts = verdicts(), [], []
    with tempfile.TemporaryDirectory() as directory:
        reader = Reader(Path(directory))
        sites = [site for tree in trees(arguments.corpus) for site in reader.sites(tree)]
        for number, site in enumerate(draw(sites, arguments.seed), 1):
            text = reader.changed(site)
            level = site.finding.level
            digest = hashlib.sha256(f"{level}\0{text}".encode()).hexdigest()[:8]
            verdict = known.get((site.where, digest), ["", ""])
            rows.append([str(number), site.where, site.kind, level, digest, *verdict])
            title = f"### {number}. {site.where} ({site.kind}, {level})"
            texts.append(f"{title}\n{site.finding.message}\n{text}")
    population = Counter(site.kind for site in sites)
    print(f"Seed {arguments.seed}; {len(sites)} rewritten sites: {dict(population)}.\n")
    print(table(["", "place", "kind", "level", "text", "verdict", "why"], rows, words=COLUMNS))
    if arguments.text:
        print("", *texts, sep="\n\n")


if __name__ == "__main__":
    main()
