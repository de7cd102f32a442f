"""Figures of awaken's own source: folders, functions, circles of imports, comments, equal names.

    uv run python benchmarks/house.py [PACKAGE DIRECTORY]

Prints Markdown. Counts code with the standard ``ast``; a circle counts imports for typing as well.
"""

from __future__ import annotations

import ast
import statistics
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

SMALL = 12
"""Modules that one folder may hold and still be read at a glance."""


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
    found = []
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
                    found.append(group)
            elif after in index:
                low[node] = min(low[node], index[after])
            else:
                index[after] = low[after] = len(index)
                stack.append(after)
                work.append((after, iter(sorted(graph[after]))))
    return [group for group in found if len(group) > 1]


def main() -> None:
    """Print the tables."""
    package = Path(sys.argv[1] if len(sys.argv) > 1 else "awaken").resolve()
    root = package.parent
    files = sorted(package.rglob("*.py"))
    names = {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for path in files
    }
    folders: dict[str, list[int]] = defaultdict(list)
    lengths: list[int] = []
    comments = questions = 0
    graph: dict[str, set[str]] = {}
    for name, path in names.items():
        text = path.read_text("utf-8")
        tree = ast.parse(text)
        folders[path.parent.relative_to(root).as_posix()].append(text.count("\n"))
        lengths += [
            (node.end_lineno or node.lineno) - node.lineno + 1
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        with path.open("rb") as file:
            comments += sum(
                token.type == tokenize.COMMENT
                and not token.string.startswith(("# noqa", "# type:", "# fmt"))
                for token in tokenize.tokenize(file.readline)
            )
        first = (ast.get_docstring(tree) or "").partition("\n")[0]
        questions += first.split(" ", 1)[0] in {"Which", "What", "Whether", "Who", "How", "Where"}
        graph[name] = set(imports_of(path, tree, set(names), root)) - {name}
    lines = sum(sum(one) for one in folders.values())
    print("| folder | modules | lines |\n|---|---:|---:|")
    for folder, sizes in sorted(folders.items()):
        print(f"| {folder} | {len(sizes)} | {sum(sizes)} |")
    largest = max(folders, key=lambda one: len(folders[one]))
    over = [one for one, sizes in folders.items() if len(sizes) > SMALL]
    doubled = [name for name, count in Counter(p.name for p in files).items() if count > 1]
    quantiles = statistics.quantiles(lengths, n=10)
    rows = {
        "modules, lines": f"{len(files)}, {lines}",
        "largest folder": f"{largest}, {len(folders[largest])} modules",
        f"folders with more than {SMALL} modules": len(over),
        "functions: median / p90 / longest": (
            f"{statistics.median(lengths):g} / {quantiles[8]:g} / {max(lengths)} lines"
        ),
        "circles of files, imports for typing counted": (
            ", ".join(str(len(group)) for group in circles(graph)) or "none"
        ),
        "comments per 100 lines": f"{100 * comments / lines:.1f}",
        "module docstrings that are questions": questions,
        "file names that exist twice, __init__ aside": len(set(doubled) - {"__init__.py"}),
    }
    print("\n| | |\n|---|---|")
    for what, figure in rows.items():
        print(f"| {what} | {figure} |")


if __name__ == "__main__":
    main()
