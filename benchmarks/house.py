"""Figures of awaken's own source: folders, functions, circles of imports, words, equal names.

    uv run python benchmarks/house.py [PACKAGE DIRECTORY] [--check]

Prints Markdown. Counts code with the standard ``ast``; a circle counts imports for typing as well.
With ``--check`` it fails where a figure is worse than its limit in ``house.toml``: a limit only
falls, and a commit that raises one says why.
"""

from __future__ import annotations

import ast
import statistics
import sys
import tokenize
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SMALL = 12
"""Modules that one folder may hold and still be read at a glance."""
LIMITS = Path(__file__).with_name("house.toml")
BARE = frozenset(tomllib.loads(LIMITS.read_text("utf-8"))["bare_names"])
"""Participles and prepositions that name no thing: not the whole name of a function."""
QUESTIONS = {"Which", "What", "Whether", "Who", "How", "Where"}


def imports_of(path: Path, tree: ast.Module, known: set[str], root: Path) -> Iterator[str]:
    """Yield the modules of the package that a file imports, for typing or at run time."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full in known:
                    yield full
                elif node.module in known:
                    yield node.module
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise SystemExit(f"{path.relative_to(root)}: relative import")


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that reach each other (Tarjan, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups = []
    for start, imported in graph.items():
        if start in index:
            continue
        work = [(start, iter(sorted(imported)))]
        index[start] = low[start] = len(index)
        stack.append(start)
        while work:
            node, rest = work[-1]
            after = next((one for one in rest if one not in index or one in stack), None)
            if after is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    group = stack[stack.index(node) :]
                    del stack[stack.index(node) :]
                    groups.append(group)
            elif after in index:
                low[node] = min(low[node], index[after])
            else:
                index[after] = low[after] = len(index)
                stack.append(after)
                work.append((after, iter(sorted(graph[after]))))
    return [group for group in groups if len(group) > 1]


def parts_in_circles(graph: dict[str, set[str]], room: str) -> int:
    """Return how many files and folders directly in the package ``room`` are in a circle."""
    inside = f"{room}."

    def part(name: str) -> str:
        return name.removeprefix(inside).partition(".")[0] if name.startswith(inside) else ""

    parts: dict[str, set[str]] = {}
    for name, imported in graph.items():
        if part(name):
            parts.setdefault(part(name), set()).update(map(part, imported))
    for name, imported in parts.items():
        imported -= {"", name}
    return sum(map(len, circles(parts)))


class House(NamedTuple):
    """What the source of one package holds: sizes by folder, and figures by name."""

    folders: dict[str, list[int]]
    figures: dict[str, float]


def measured(package: Path) -> House:
    """Return the figures of a package directory. Raises SystemExit for a relative import."""
    root = package.parent
    files = sorted(package.rglob("*.py"))
    names = {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for path in files
    }
    folders: dict[str, list[int]] = defaultdict(list)
    lengths: list[int] = []
    assigned: Counter[str] = Counter()
    comments = questions = bare = 0
    graph: dict[str, set[str]] = {}
    rooms: dict[str, set[str]] = defaultdict(set)
    for name, path in names.items():
        tree = ast.parse(path.read_bytes())
        folders[path.parent.relative_to(root).as_posix()].append(path.read_bytes().count(b"\n"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                bare += is_bare(node.name)
                lengths.append((node.end_lineno or node.lineno) - node.lineno + 1)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                assigned[node.id] += 1
        comments += comments_of(path)
        first = (ast.get_docstring(tree) or "").partition("\n")[0]
        questions += first.split(" ", 1)[0] in QUESTIONS
        graph[name] = set(imports_of(path, tree, set(names), root)) - {name}
    for name, imported in graph.items():
        if name.endswith("__main__"):
            continue  # nothing imports it, so no circle of folders leads through it
        room = names[name].parent
        others = {names[module].parent for module in imported}
        # A package and a folder in it import each other; ``parts in circles`` looks inside.
        rooms[str(room)] |= {
            str(other)
            for other in others
            if not other.is_relative_to(room) and not room.is_relative_to(other)
        }
    lines = sum(sum(sizes) for sizes in folders.values())
    doubled = {name for name, count in Counter(p.name for p in files).items() if count > 1}
    packages = {name.rpartition(".")[0] for name in names} - {""}
    quantiles = statistics.quantiles(lengths, n=10)
    everything = sum(assigned.values()) or 1
    figures = {
        "modules": len(files),
        "lines": lines,
        "modules of the largest folder": max(len(sizes) for sizes in folders.values()),
        f"folders with more than {SMALL} modules": sum(
            len(sizes) > SMALL for sizes in folders.values()
        ),
        "lines of a function, median": statistics.median(lengths),
        "lines of a function, p90": quantiles[8],
        "lines of a function, longest": max(lengths),
        "files in circles": sum(len(group) for group in circles(graph)),
        "folders in circles": sum(len(group) for group in circles(dict(rooms))),
        "parts in circles": sum(parts_in_circles(graph, room) for room in packages),
        "comments per 100 lines": round(100 * comments / lines, 2),
        "module docstrings that are questions": questions,
        "file names that exist twice": len(doubled - {"__init__.py"}),
        "functions with a bare name, percent": round(100 * bare / len(lengths), 2),
        "names `one`, percent of assignments": round(100 * assigned["one"] / everything, 2),
        "names `found`, percent of assignments": round(100 * assigned["found"] / everything, 2),
    }
    return House(folders, figures)


def comments_of(path: Path) -> int:
    """Return how many comments a file has, those for tools aside."""
    with path.open("rb") as file:
        return sum(
            token.type == tokenize.COMMENT
            and not token.string.startswith(("# noqa", "# type:", "# fmt"))
            for token in tokenize.tokenize(file.readline)
        )


def is_bare(name: str) -> bool:
    """Return whether the name of a function is one participle or preposition: `_given`, `of`."""
    word = name.strip("_")
    return word in BARE or (word.endswith("ed") and not word.endswith("eed") and "_" not in word)


def broken(figures: dict[str, float], limits: dict[str, dict[str, float]]) -> list[str]:
    """Return a sentence for each figure above ``at_most`` or below ``at_least``."""
    above = [
        f"{name}: {figures[name]:g}, and at most {limit:g} are allowed"
        for name, limit in limits["at_most"].items()
        if figures[name] > limit
    ]
    below = [
        f"{name}: {figures[name]:g}, and at least {limit:g} are needed"
        for name, limit in limits["at_least"].items()
        if figures[name] < limit
    ]
    return above + below


def main() -> None:
    """Print the tables, or check the limits."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    house = measured(Path(arguments[0] if arguments else "awaken").resolve())
    if "--check" in sys.argv:
        sentences = broken(house.figures, tomllib.loads(LIMITS.read_text("utf-8")))
        print("\n".join(sentences) or "The house is within its limits.")
        sys.exit(bool(sentences))
    print("| folder | modules | lines |\n|---|---:|---:|")
    for folder, sizes in sorted(house.folders.items()):
        print(f"| {folder} | {len(sizes)} | {sum(sizes)} |")
    print("\n| | |\n|---|---:|")
    for name, figure in house.figures.items():
        print(f"| {name} | {figure:g} |")


if __name__ == "__main__":
    main()
