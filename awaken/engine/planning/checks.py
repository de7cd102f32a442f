"""The checks of every changed file once all edits are made: it must still be a valid file.

Comments, names and untouched code are checked while a file is rewritten; this module checks the
finished text. A second plan may find nothing new. No file is run, and compiling one does not end
this process.
"""

from __future__ import annotations

import ast
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from awaken.contract import Change, ChangeId, Finding, Place, Problem, SiteId, Span
from awaken.engine.edits.splices import SpanMap
from awaken.engine.planning.in_memory import EditedSnapshot
from awaken.project.source.trees import CHILDLESS, children
from awaken.workspace.sources import (
    LINE_END_BYTES,
    Snapshot,
    SourceFile,
    Undecodable,
    decode,
    is_python,
)


def check(
    before: Snapshot,
    edited: EditedSnapshot,
    changes: Sequence[Change],
    lowest_python: tuple[int, int],
) -> Iterator[Problem]:
    """Yield what ``changes`` broke in the files of ``edited``.

    A problem names the changes that edit the broken statement; none if unknown. A file that was
    broken the same way before gives no problem.
    """
    for path in sorted({*edited.maps, *edited.created}):
        after = edited.snapshot[path]
        complaint = _unwritable(after)
        if complaint is None and path in edited.maps:
            complaint = _foreign_newline(before[path], after)
        if complaint is not None:
            yield Problem(Place(path, Span(0, 0)), complaint, _editing(changes, path))
        elif is_python(path):
            yield from _broken_code(before, edited, changes, path, lowest_python)


def _unwritable(after: SourceFile) -> str | None:
    try:
        raw = after.raw()
    except UnicodeEncodeError as error:
        bad = error.object[error.start : error.end]
        return f"the file's encoding {after.encoding} cannot hold {bad!r}"
    if is_python(after.path) and not _reads_the_same(after, raw):
        return f"the file would no longer be read as {after.encoding}"
    return None


def _reads_the_same(after: SourceFile, raw: bytes) -> bool:
    """Whether Python finds the same text: an edit above an encoding cookie disables it."""
    try:
        again = decode(after.path, raw)
    except Undecodable:
        return False
    return (again.text, again.encoding) == (after.text, after.encoding)


def _foreign_newline(before: SourceFile, after: SourceFile) -> str | None:
    old, new = set(LINE_END_BYTES.findall(before.text)), set(LINE_END_BYTES.findall(after.text))
    return "the new code has line ends of another kind than the file" if old and new - old else None


def _editing(changes: Sequence[Change], path: str) -> tuple[ChangeId, ...]:
    return tuple(
        change.id
        for change in changes
        if any(getattr(edit, "path", None) == path for edit in change.edits)
    )


def _broken_code(
    before: Snapshot,
    edited: EditedSnapshot,
    changes: Sequence[Change],
    path: str,
    lowest_python: tuple[int, int],
) -> Iterator[Problem]:
    after = edited.snapshot[path]
    error = why_no_program(after, lowest_python)
    if error is None:
        return
    # A file that did not compile before is no worse now: it may be for another Python.
    source = before.get(path)
    if source is not None and why_no_program(source, lowest_python) is not None:
        return
    line = error.lineno or 1
    message = f"the new code does not compile: {error.msg}"
    if source is None:
        yield Problem(Place(path, Span(0, 0)), message, _editing(changes, path))
        return
    span = edited.maps[path].to_before(_span_of_line(after.text, line))
    yield Problem(Place(path, span), message, _guilty(source, changes, path, span))


def _span_of_line(text: bytes, line: int) -> Span:
    ends = [0, *(match.end() for match in LINE_END_BYTES.finditer(text)), len(text)]
    line = min(line, len(ends) - 1)
    start = ends[line - 1]
    # Without its end, at which an edit of the next line may begin.
    return Span(start, start + len(text[start : ends[line]].rstrip(b"\r\n")))


def _guilty(
    source: SourceFile, changes: Sequence[Change], path: str, span: Span
) -> tuple[ChangeId, ...]:
    """Return the changes that edit the line, else those that edit its top-level statement."""
    change_ids = _touching(changes, path, span)
    if change_ids:
        return change_ids
    statements = _top_level(source)
    around = [statement for statement in statements if statement.overlaps(span)]
    return tuple(dict.fromkeys(item for held in around for item in _touching(changes, path, held)))


def _touching(changes: Sequence[Change], path: str, span: Span) -> tuple[ChangeId, ...]:
    return tuple(
        change.id
        for change in changes
        if any(
            getattr(edit, "path", None) == path
            and (anchor := getattr(edit, "anchor", getattr(edit, "at", None))) is not None
            and anchor.start <= span.end
            and span.start <= anchor.end
            for edit in change.edits
        )
    )


def _top_level(source: SourceFile) -> list[Span]:
    ends = [0, *(match.end() for match in LINE_END_BYTES.finditer(source.text)), len(source.text)]
    tree = ast.parse(source.text.decode(), filename="")
    return [Span(ends[node.lineno - 1], ends[node.end_lineno or 0]) for node in tree.body]


Maps = Sequence[Mapping[str, SpanMap]]
"""For each phase, how the files that it changed lead back to those before it."""


def standing(decided: Sequence[Finding], maps: Maps) -> dict[Finding, Place]:
    """Return the places, after all phases, of sites that were left as they are.

    Those inside rewritten code are missing: they have no place of their own now.
    """
    places = ((finding, _where_now(finding.place, maps)) for finding in decided)
    return {finding: place for finding, place in places if place is not None}


def rewritten_places(maps: Maps) -> frozenset[Place]:
    """Return the places that changes wrote, in the files after all phases."""
    joined: dict[str, SpanMap] = {}
    for step in maps:
        for path, known in step.items():
            joined[path] = joined[path].then(known) if path in joined else known
    return frozenset(
        Place(path, span) for path, known in joined.items() for span in known.new_regions()
    )


def _where_now(place: Place, maps: Maps) -> Place | None:
    span = place.span
    for step in maps:
        known = step.get(place.path)
        if known is None:
            continue
        after = known.to_after(span)
        # A span inside a replacement maps to the whole of it, so the way back is longer.
        if known.to_before(after) != span:
            return None
        if any(region.contains(after) for region in known.new_regions()):
            return None
        span = after
    return Place(place.path, span)


def seen_before(
    found: Sequence[Finding], decided: Sequence[Finding], standing: Mapping[Finding, Place]
) -> frozenset[SiteId]:
    """Return which of ``found``, placed on disk, are ``decided``; each of these counts for one.

    A rewrite changes the identity of what is nested in it, and of its equals; and a site inside
    a rewritten one leads back to the whole of that, which then contains the decided place.
    """
    # Counted, not collected: two sites of one rule may share a span, and each needs its own match.
    places = Counter((finding.rule, finding.place.path, finding.place.span) for finding in decided)
    seen: set[SiteId] = set()
    for finding in found:
        place = (finding.rule, finding.place.path, finding.place.span)
        if places[place] and finding.site not in seen:
            places[place] -= 1
            seen.add(finding.site)
    inside: dict[tuple[str, str], list[Span]] = {}
    # Only what the exact places left unmatched may be matched by containment.
    for finding in decided:
        place = (finding.rule, finding.place.path, finding.place.span)
        if finding not in standing and places[place]:
            places[place] -= 1
            inside.setdefault(place[:2], []).append(finding.place.span)
    for finding in found:
        spans = inside.get((finding.rule, finding.place.path), []) if inside else []
        match = next((span for span in spans if finding.place.span.contains(span)), None)
        if match is not None and finding.site not in seen:
            spans.remove(match)
            seen.add(finding.site)
    return frozenset(seen)


MAX_BLOCKS = 15
"""Blocks inside each other that the compiler is given. Python itself refuses more than 20, but
3.12 and 3.13 crash on 18 comprehensions with ``async for``, and on 20 or 22 of other kinds
(cpython issues 118544 and 156091)."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def why_no_program(source: SourceFile, lowest_python: tuple[int, int]) -> SyntaxError | None:
    """Return why ``source`` is no program for this Python or for the lowest one it must run on."""
    text = source.text.decode()
    try:
        with warnings.catch_warnings(action="ignore"):
            is_older = lowest_python < sys.version_info[:2]
            tree = _tree(text, lowest_python) if is_older else None
            # Up to 3.11 the compiler refuses such code with an exception.
            if sys.version_info >= (3, 12):
                _protect_compiler(tree or ast.parse(text, filename=""))
            compile(text, "", "exec", dont_inherit=True)
            if is_older and tree is None:
                # Errors of every Python version were reported before.
                ast.parse(text, filename="", feature_version=lowest_python)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return SyntaxError(str(error) or type(error).__name__)
    return None


def _tree(text: str, lowest_python: tuple[int, int]) -> ast.Module | None:
    """Return the tree of ``text``; None if the lowest Python has none for it.

    Best effort, as the documentation of ast says: some newer syntax passes.
    """
    try:
        return ast.parse(text, filename="", feature_version=lowest_python)
    except (SyntaxError, ValueError):
        return None


def _protect_compiler(tree: ast.Module) -> None:
    if blocks(tree) > MAX_BLOCKS:
        raise SyntaxError(f"more than {MAX_BLOCKS} nested blocks could crash Python")


def blocks(tree: ast.Module) -> int:
    """Return how many blocks are inside each other at most, as the compiler counts or more.

    Loops, ``with`` items, ``try`` and comprehensions are blocks; a function starts at 0.
    """
    deepest = 0
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, outside = waiting.pop()
        # The compiler counts the blocks of each function separately.
        inside = 0 if isinstance(node, _FUNCTIONS) else outside + _opened_number(node)
        deepest = max(deepest, inside)
        waiting += [(child, inside) for child in children(node) if type(child) not in CHILDLESS]
    return deepest


_OPENED: dict[type[ast.AST], Callable[[Any], int]] = {
    **dict.fromkeys((ast.For, ast.AsyncFor, ast.While), lambda _: 1),
    **dict.fromkeys((ast.With, ast.AsyncWith), lambda node: len(node.items)),
    **dict.fromkeys(
        (ast.Try, ast.TryStar), lambda node: 1 + bool(node.handlers and node.finalbody)
    ),
    ast.ExceptHandler: lambda node: 1 + bool(node.name),
    **dict.fromkeys(
        (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
        lambda node: len(node.generators),
    ),
}
"""How many blocks a node opens, for those that open some."""


def _opened_number(node: ast.AST) -> int:
    opened = _OPENED.get(type(node))
    return 0 if opened is None else opened(node)
