"""Takes what the project's formatter makes of the edited statements, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence

from awaken.contract import Span
from awaken.engine.edits.splices import SpanMap, Splice, line_splices, lines_with_ends, splice
from awaken.engine.formatting.formatter import Formatter
from awaken.project.source.lines.statement_lines import lines_of
from awaken.workspace.sources import Snapshot, SourceFile, is_python


def format_edited(
    before: Snapshot, files: Mapping[str, SourceFile], maps: Mapping[str, SpanMap], tool: Formatter
) -> dict[str, tuple[SourceFile, SpanMap]]:
    """Return the files that the project's formatter changes, each with its longer map.

    A file counts only if the formatter would have left it alone before, and only if all that it
    now changes are lines of edited statements; else it stays as the rewriters made it.
    """
    paths = [path for path in files if path in maps and is_python(path)]
    # Only files that the formatter would have left alone: in others it would rewrite foreign lines.
    first = tool.format({path: before[path].text for path in paths})
    clean = [path for path in first if first[path] == before[path].text]
    formatted = tool.format({path: files[path].text for path in clean})
    result: dict[str, tuple[SourceFile, SpanMap]] = {}
    for path, new in formatted.items():
        source, moved = files[path], maps[path]
        hunks = list(line_splices(source.text, new))
        if hunks and _only_edited(source.text, hunks, moved.new_regions()):
            text, further = splice(source.text, hunks)
            result[path] = source.with_text(text), moved.then(further)
    return result


def _only_edited(text: bytes, hunks: Sequence[Splice], regions: Sequence[Span]) -> bool:
    """Whether every hunk lies in statements that hold, or touch, an edited region.

    One hunk may cover several of them directly below each other.
    """
    allowed = list(_joined_spans(_edited_lines(text, regions)))
    return all(any(held.contains(Span(hunk.start, hunk.end)) for held in allowed) for hunk in hunks)


def _joined_spans(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield the spans, with those that touch as one."""
    first, *others = sorted(spans) or [Span(0, 0)]
    for span in others:
        if span.start > first.end:
            yield first
            first = span
        else:
            first = Span(first.start, max(first.end, span.end))
    yield first


def _edited_lines(text: bytes, regions: Sequence[Span]) -> Iterator[Span]:
    """Yield the lines of the innermost statements around each region, and the region's own."""
    starts = [0]
    for line in lines_with_ends(text):
        starts.append(starts[-1] + len(line))
    statements = [
        Span(starts[lines_of(node).start], starts[_header_end(node)])
        for node in ast.walk(ast.parse(text.decode(), filename=""))
        if isinstance(node, ast.stmt)
    ]
    for region in regions:
        yield region
        yield from (held for held in statements if held.overlaps(region) or held == region)


def _header_end(node: ast.stmt) -> int:
    """Return the last line of a statement without the blocks that it opens."""
    body = getattr(node, "body", None)
    if isinstance(body, list) and body and lines_of(body[0]).start >= node.lineno:
        return lines_of(body[0]).start
    return node.end_lineno or node.lineno
