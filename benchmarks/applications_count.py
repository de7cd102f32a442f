"""Count by plain text search what registers startup and shutdown handlers, without awaken.

`python benchmarks/applications_count.py DIRECTORY...` prints one Markdown row per program: its
Python files, its registrations (outside tests, documentation and examples) and their forms, those
inside tests, the calls that make an application or include a router, and its test files. A list
handed to a constructor counts as one registration, whatever its length.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

FORMS = {
    "decorator": re.compile(r"^\s*@[\w.]*\b(?:app|api|application)\.on_event\("),
    "router": re.compile(r"^\s*@[\w.]*router\w*\.on_event\("),
    "add_event_handler": re.compile(r"\.add_event_handler\("),
    "list": re.compile(r"\bon_(?:startup|shutdown)\s*=\s*\["),
    "list method": re.compile(r"\.on_(?:startup|shutdown)\.(?:append|insert|extend)\("),
}
ANY = re.compile(r"\.on_event\(")
APART = re.compile(r"(?:^|/)(?:docs?|docs_src|examples?|node_modules)/")
TEST = re.compile(r"(?:^|/)tests?/|(?:^|/)(?:test_|conftest)[^/]*$|_test\.py$")
MAKER = re.compile(r"\b(?:FastAPI|Starlette)\(")
INCLUDE = re.compile(r"\.include_router\(")


def form_of(line: str) -> str | None:
    """The form of the registration that `line` holds, if it holds one."""
    if line.lstrip().startswith("#"):
        return None
    for form, pattern in FORMS.items():
        if pattern.search(line):
            return form
    return "other" if ANY.search(line) else None


def row(root: Path) -> str:
    """One Markdown row for the program below `root`."""
    outside: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    makers = includes = tests = files = 0
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if not path.is_file() or APART.search(name):
            continue
        files += 1
        tests += TEST.search(name) is not None
        for line in path.read_text("utf-8", "replace").splitlines():
            form = form_of(line)
            if form is not None:
                (inside if TEST.search(name) else outside)[form] += 1
            elif not TEST.search(name):
                makers += MAKER.search(line) is not None and not line.lstrip().startswith("#")
                includes += INCLUDE.search(line) is not None
    forms = ", ".join(f"{form} {count}" for form, count in outside.items()) or "none"
    cells = (
        root.name.replace("+", "/"),
        str(files),
        str(outside.total()),
        forms,
        str(inside.total()),
        str(makers),
        str(includes),
        str(tests),
    )
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    for directory in sys.argv[1:]:
        print(row(Path(directory)))
