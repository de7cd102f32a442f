"""Draw places by a seed for reading by eye: rewritten, manual, and not a site.

From all five packages, with their first target: sites that awaken rewrites (safe or unsafe),
sites it leaves manual, and places that it does not call a site although an attribute named
`query` is called or read as part of something longer (`x.query.y`). For the last, calls come
first, since there are few. Prints Markdown: a
table with a column for the verdict, which is committed once it is filled in (sample.md), then each
place with its text, which is not (it is other people's source). A verdict of sample.md is filled in
again where the statement reads, before and after, as it did then. Usage:

    uv run python benchmarks/sample.py CORPUS [--seed 2] [--table-only]
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from awaken_runs import Awaken, Finding
from corpora import Package, copy, named
from statements import Source, read, rewrites, statement_at, text_of
from tables import table

REWRITTEN, MANUAL, NO_SITE = 60, 30, 30
MOST_CALLS = 20
"""How many of the places without a site are calls, if there are as many."""
UNSAFE = "--unsafe-fixes"
VERDICTS = Path(__file__).with_name("sample.md")
COLUMNS = 5
Chosen = TypeVar("Chosen", tuple[Package, Finding], tuple[Package, str, int])


class Place(NamedTuple):
    """One drawn place; `after` is empty if it is not rewritten."""

    package: str
    path: str
    line: int
    level: str
    message: str
    before: str
    after: str = ""

    @property
    def where(self) -> str:
        """Package, file and line."""
        return f"{self.package} {self.path}:{self.line}"

    @property
    def digest(self) -> str:
        """What changes if the level or the text, before or after, is another."""
        read = f"{self.level}\0{self.before}\0{self.after}"
        return hashlib.sha256(read.encode()).hexdigest()[:8]


class Drawn(NamedTuple):
    """What can be drawn from: findings, or files and bytes at which an expression starts."""

    rewritten: list[tuple[Package, Finding]]
    manual: list[tuple[Package, Finding]]
    calls: list[tuple[Package, str, int]]
    reads: list[tuple[Package, str, int]]


class Sampler:
    """Reads the packages before and after the migration; files are parsed once."""

    def __init__(self, corpus: Path, place: Path) -> None:
        self.corpus = corpus
        self.place = place
        self.awaken = Awaken(place / "home")
        self.sources: dict[Path, Source] = {}

    def candidates(self) -> Drawn:
        """Check every package and apply awaken to a copy of it."""
        drawn = Drawn([], [], [], [])
        for package in named([]):
            directory = package.directory(self.corpus)
            findings = self.awaken.check(directory, package.target()).findings
            copied = copy(directory, self.place / package.name)
            self.awaken.run(["apply", ".", UNSAFE, *package.target()], copied)
            for finding in findings:
                chosen = drawn.rewritten if finding.is_rewritten else drawn.manual
                chosen.append((package, finding))
            for path, start, is_called in self.without_site(directory, findings):
                (drawn.calls if is_called else drawn.reads).append((package, path, start))
        return drawn

    def without_site(
        self, directory: Path, findings: Sequence[Finding]
    ) -> Iterator[tuple[str, int, bool]]:
        """Yield file and byte of each `x.query()` or `x.query.y` without a site; True if called."""
        sites = {finding.place for finding in findings}
        for file in sorted(directory.rglob("*.py")):
            if b".query" not in file.read_bytes():
                continue
            path, source = file.relative_to(directory).as_posix(), self.source(file)
            for node, is_called in queries(source.tree):
                start = source.span(node)[0]
                if (path, *source.place(start)) not in sites:
                    yield path, start, is_called

    def source(self, file: Path) -> Source:
        """Return a parsed file."""
        if file not in self.sources:
            self.sources[file] = read(file.read_bytes())
        return self.sources[file]

    def site(self, package: Package, finding: Finding) -> Place:
        """Return a site with its statement, before and, if it is rewritten, after."""
        before = self.source(package.directory(self.corpus) / finding.path)
        statement = statement_at(before, before.start_of(finding))
        reason = (finding.reason or "").rpartition("/")[2]
        place = Place(
            package.name,
            finding.path,
            finding.line,
            f"{finding.level} {reason}".rstrip(),
            finding.message,
            text_of(before, statement),
        )
        if not finding.is_rewritten:
            return place
        after = self.source(self.place / package.name / finding.path)
        rewrite = rewrites([finding], before, after)[0]
        return place._replace(after=text_of(after, rewrite.after))

    def bare(self, package: Package, path: str, start: int, kind: str) -> Place:
        """Return a place that is not a site with its statement."""
        source = self.source(package.directory(self.corpus) / path)
        statement = statement_at(source, start)
        line, _ = source.place(start)
        return Place(package.name, path, line, "no site", kind, text_of(source, statement))


def queries(tree: ast.Module) -> Iterator[tuple[ast.Attribute, bool]]:
    """Yield every `x.query` that is called, and every one of which an attribute is taken."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="query") as query):
                yield query, True
            case ast.Attribute(value=ast.Attribute(attr="query") as query):
                yield query, False


def draw(sampler: Sampler, seed: int) -> list[Place]:
    """Return the drawn places: rewritten, manual, not a site, each in the order of the packages."""
    drawn = sampler.candidates()
    rewritten = pick(seed, drawn.rewritten, REWRITTEN)
    manual = pick(seed, drawn.manual, MANUAL)
    calls = pick(seed, drawn.calls, MOST_CALLS)
    reads = pick(seed, drawn.reads, NO_SITE - len(calls))
    return [
        *(sampler.site(*chosen) for chosen in [*rewritten, *manual]),
        *(sampler.bare(*chosen, "called") for chosen in calls),
        *(sampler.bare(*chosen, "read") for chosen in reads),
    ]


def pick(seed: int, population: Sequence[Chosen], wanted: int) -> list[Chosen]:
    """Return that many at most, in the order of the population.

    Each place draws its lot by its own name, so that a site more or less in the population does
    not change all others: what was read once need not be read again.
    """
    lots = sorted((lot(seed, *chosen), number) for number, chosen in enumerate(population))
    return [population[number] for number in sorted(number for _, number in lots[:wanted])]


def lot(seed: int, package: Package, *where: Finding | str | int) -> bytes:
    """Return what depends on the seed and on where a place is, and on nothing else."""
    names = [place.place if isinstance(place, Finding) else place for place in where]
    return hashlib.sha256(f"{seed} {package.name} {names}".encode()).digest()


def verdicts() -> dict[tuple[str, str], str]:
    """Return the verdicts of sample.md by place and digest."""
    lines = VERDICTS.read_text(encoding="utf-8").splitlines() if VERDICTS.exists() else []
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]
    return {(row[1], row[-2]): row[-1] for row in rows if len(row) == COLUMNS}


def shown(number: int, place: Place) -> str:
    """Return one place for reading."""
    blocks = [f"### {number}. {place.where} — {place.level}", place.message]
    blocks += [f"```python\n{text.rstrip()}\n```" for text in (place.before, place.after) if text]
    return "\n\n".join(blocks)


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="draw places for reading by eye")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--table-only", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        places = draw(Sampler(arguments.corpus, Path(directory)), arguments.seed)
    numbered = list(enumerate(places, 1))
    known = verdicts()
    rows = [
        [
            str(number),
            place.where,
            place.level,
            place.digest,
            known.get((place.where, place.digest), ""),
        ]
        for number, place in numbered
    ]
    print(f"Seed {arguments.seed}.\n")
    print(table(["", "place", "level", "text", "verdict"], rows, words=COLUMNS))
    if not arguments.table_only:
        print("", *(shown(number, place) for number, place in numbered), sep="\n\n")


if __name__ == "__main__":
    main()
