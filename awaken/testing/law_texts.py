"""The texts that laws compare: lines of sites, differences, and the meaning of a file."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from pathlib import Path

from awaken.testing.running import (
    CaseResult,
    difference,
    line_number,
    require,
)

__tracebackhide__ = True  # as in running

_INDENT = re.compile(rb"^(?:    )+", re.MULTILINE)


def python_files(files: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield the Python files, with their paths."""
    return ((path, content) for path, content in files.items() if path.endswith(".py"))


def comments_of(content: bytes) -> Counter[str]:
    """Return the comments of a file, with their numbers."""
    tokens = tokenize.tokenize(io.BytesIO(content).readline)
    return Counter(token.string for token in tokens if token.type == tokenize.COMMENT)


def lines_of_sites(result: CaseResult, path: str, before: bytes) -> frozenset[int]:
    """Return the 0-based lines of the innermost statements that hold a rewritten site.

    Comments directly above them are theirs. The related places of its finding are rewritten with
    it.
    """
    lines: set[int] = set()
    text = before.splitlines()
    changed = {site for change in result.report.changes for site in change.sites}
    statements = [
        (min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]), node)
        for node in ast.walk(ast.parse(before))
        if isinstance(node, ast.stmt)
    ]
    places = [
        place
        for finding in result.report.findings
        if finding.site in changed
        for place in (finding.place, *finding.related)
        if place.path == path
    ]
    for place in places:
        line = line_number(before, place.span.start)
        column = place.span.start - (before.rfind(b"\n", 0, place.span.start) + 1)
        # The body of ``def f(): ...`` is on its line, and after its name.
        around = [
            (first, node.end_lineno or first)
            for first, node in statements
            if node.lineno != line or node.col_offset <= column
        ]
        around = [(first, last) for first, last in around if first <= line <= last]
        # The innermost statement starts last and ends first.
        first, last = max(around, key=lambda ends: (ends[0], -ends[1]))
        while text[first - 2].lstrip().startswith(b"#") and first > 1:
            first -= 1
        lines.update(range(first - 1, last))
    return frozenset(lines)


def import_lines(text: bytes) -> frozenset[int]:
    """Return the 0-based lines of import statements, and the empty lines."""
    lines = {number for number, line in enumerate(text.splitlines()) if not line.strip()}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            lines.update(range(node.lineno - 1, node.end_lineno or node.lineno))
    return frozenset(lines)


def differences(
    before: bytes, after: bytes, ours: frozenset[int]
) -> Iterator[list[tuple[int, int, int, int]]]:
    """Yield 0-based line ranges that differ: from, to (before), from, to (after).

    In three ways: empty lines and closing brackets are alike everywhere and may pair what does not
    belong together, but sometimes nothing else pairs what does; and what moved up may be paired
    with lines that are ``ours``.
    """
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    others = [b"" if number in ours else line for number, line in enumerate(old)]
    for junk, lines in (
        (None, old),
        (lambda line: not line.strip(b" \t)\r\n"), old),
        (None, others),
    ):
        # `autojunk` gives up on lines that are frequent in long files.
        matcher = SequenceMatcher(junk, lines, new, autojunk=False)
        yield [tuple(ends) for tag, *ends in matcher.get_opcodes() if tag != "equal"]  # type: ignore[misc]


def require_meaning(path: str, wanted: bytes, made: bytes) -> None:
    """Raise AssertionError where two texts of a file differ in trees or comments."""
    require(
        meaning_of(made) == meaning_of(wanted),
        f"{path} gives another result in this variant:\n{difference(wanted, made)}",
    )


def with_tabs(content: bytes) -> bytes:
    """Return the text with a tab for four spaces of indentation."""
    return _INDENT.sub(lambda match: b"\t" * (len(match[0]) // 4), content)


def meaning_of(content: bytes) -> tuple[str, Counter[str]]:
    """Return the tree and the comments of a file."""
    # The tree alone would not see a lost comment.
    return ast.dump(ast.parse(content)), comments_of(content)


def on_disk(root: Path) -> dict[str, bytes]:
    """Return all files below a directory."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def require_files(wanted: Mapping[str, bytes], made: Mapping[str, bytes], what: str) -> None:
    """Raise AssertionError, which names ``what`` was tried, unless both have the same files."""
    for path in sorted({*wanted, *made}):
        texts = wanted.get(path), made.get(path)
        why = f"{what}: something else is changed in {path}:\n{difference(*texts)}"
        require(texts[0] == texts[1], why)


def require_same(result: CaseResult, other: CaseResult, what: str) -> None:
    """Raise AssertionError, which names ``what`` was tried, unless two runs find the same."""
    require_files(result.files, other.files, what)
    pair = result.report.findings, other.report.findings
    rows = ("".join(f"{finding}\n" for finding in findings).encode() for findings in pair)
    require(pair[0] == pair[1], f"{what}: something else is found:\n{difference(*rows)}")
