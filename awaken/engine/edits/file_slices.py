"""Finds the smallest piece of a file around each edited node that can be parsed alone.

For an expression that is its own text, for a statement its lines, for the header of a compound
statement the lines above its body. Nested edits, of whichever change or rule, share the outermost
piece.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, structs

from awaken.contract import NodeEdit, Problem, Span
from awaken.engine.edits.style import line_above, line_end, line_start
from awaken.project.source.f_strings import is_placed
from awaken.project.source.lines.statement_lines import lines_of, statements_of_line
from awaken.project.source.modules import Module
from awaken.project.source.trees import children, walk
from awaken.workspace.parsing import children_by_field


class Misplaced(ValueError):
    """An edit names a place where it cannot be made; ``str()`` is the whole sentence."""


class TooLarge(Misplaced):
    """The code of an edit is too large, or nested too deeply, to be rewritten."""


class SizeProblem(Problem, frozen=True):
    """A change that is not made because of the size of the code: no failure of a check."""


class Region(Struct, frozen=True):
    """A piece of a file that is rewritten as one: an expression, or whole lines of statements.

    ``roots`` are its nodes in the order of the source; ``fills_block`` says that they are all
    there is in their block. Of a header the one root is its whole statement, and ``stand_in`` is
    what must follow the lines in place of the blocks, so that they can be parsed.
    """

    span: Span
    roots: tuple[ast.AST, ...]
    is_expression: bool
    fills_block: bool = False
    stand_in: bytes = b""

    def nodes(self) -> Iterator[ast.AST]:
        """Yield the nodes of the region in the order of the source."""
        if self.stand_in:
            yield from self.roots
        for part in self.parts():
            yield from walk(part)

    def parts(self) -> Sequence[ast.AST]:
        """Return the nodes in the region with all that is below them."""
        return header_parts(self.roots[0]) if self.stand_in else self.roots


def nodes_on_lines(
    tree: ast.Module,
    lines: Collection[int],
    below: Callable[[ast.AST], Iterable[ast.AST]] = children_by_field,
) -> Iterator[ast.AST]:
    """Yield every node that may be on one of ``lines``, skipping statements on other lines.

    ``below`` says what of a node is looked at.
    """
    ordered = sorted(lines)
    if not ordered:
        return
    yield tree
    # A file may have thousands of statements, and is asked once for each edit.
    start = bisect_left(tree.body, ordered[0], key=lambda node: lines_of(node).end)
    end = bisect_left(tree.body, ordered[-1], key=lambda node: lines_of(node).start)
    waiting: list[ast.AST] = [*tree.body[start:end]]
    while waiting:
        node = waiting.pop()
        # Only statements are skipped: parts of an f-string have positions of their own before 3.12.
        if isinstance(node, ast.stmt):
            span = lines_of(node)
            index = bisect_left(ordered, span.start + 1)
            if index == len(ordered) or ordered[index] > span.end:
                continue
        yield node
        waiting += below(node)


def nodes_near_word(module: Module, word: str) -> Iterator[ast.AST]:
    """Yield every node of the statements with ``word`` on their lines."""
    # \b takes no byte of a letter beyond ASCII for one.
    edge = r"[A-Za-z0-9_\x80-\xff]"
    pattern = f"(?<!{edge})".encode("latin-1") + re.escape(word.encode())
    matches = re.finditer(pattern + f"(?!{edge})".encode("latin-1"), module.source.text)
    lines = {module.line_column(Span(match.start(), match.end()))[0] for match in matches}
    return nodes_on_lines(module.tree, lines)


def binds(module: Module, name: str) -> bool:
    """Whether anything in the file, in whatever scope, gives ``name`` a value."""
    return any(name in _names_bound(node) for node in nodes_near_word(module, name))


def _names_bound(node: ast.AST) -> tuple[str | None, ...]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            return (name,)
        case ast.alias(name=name, asname=alias):
            return (alias or name.partition(".")[0],)
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return tuple(names)
        case _:
            # definitions, handlers, patterns and type parameters
            return getattr(node, "name", None), getattr(node, "rest", None)


class Anchors:
    """The nodes of a file's anchors in its tree: one walk for all of them."""

    def __init__(self, module: Module, edits: Iterable[NodeEdit]) -> None:
        self._module = module
        self._found: dict[tuple[str, Span], list[ast.AST]] = {}
        wanted = {(edit.node, module.line_column(edit.anchor)[0]) for edit in edits}
        for node in nodes_on_lines(module.tree, {line for _, line in wanted}):
            kind = type(node).__name__
            if (kind, getattr(node, "lineno", 1)) in wanted:
                self._found.setdefault((kind, module.span(node)), []).append(node)

    def node_of(self, edit: NodeEdit) -> ast.AST:
        """Return the one node that ``edit`` names. Raises Misplaced."""
        nodes = self._found.get((edit.node, edit.anchor), [])
        # Before Python 3.12 the parts of an f-string may share a span. To guess would be to rewrite
        # the wrong one.
        if len(nodes) != 1:
            how_many = f"{len(nodes)} nodes" if nodes else "no node"
            raise Misplaced(f"{how_many} of kind {edit.node} found at the place of an edit")
        node = nodes[0]
        if isinstance(node, ast.expr) and not is_placed(self._module, node):
            raise Misplaced(
                "it is inside an f-string, which awaken can edit only on Python 3.12 or "
                "newer; run awaken with a newer Python, or move the expression out"
            )
        return node


def region_of(module: Module, node: ast.AST) -> Region:
    """Return the smallest piece around ``node`` that can be parsed alone."""
    if isinstance(node, ast.Module):
        return Region(module.span(node), (node,), is_expression=False)
    below: ast.AST | None = None
    while not isinstance(node, ast.expr | ast.stmt) or _needs_its_parent(module, node):
        above = module.parent(node)
        if above is None:
            raise Misplaced(f"a {type(node).__name__} is outside every statement")
        below, node = node, above
    if isinstance(node, ast.expr):
        return Region(module.span(node), (node,), is_expression=True)
    if below is not None and below in header_parts(node):
        return header_region(module, node)
    return _statement_region(module, node)


def header_region(module: Module, statement: ast.AST) -> Region:
    """Return the lines of ``statement`` above its body; all of it if they cannot be alone."""
    whole = region_of(module, statement)
    # An elif and a body after the colon share their lines with others.
    if not isinstance(statement, _WITH_HEADER) or is_elif(module, statement):
        return whole
    text, first = module.source.text, statement.body[0]
    start, body = line_of_statement(module, statement), line_of_statement(module, first)
    if start is None or body is None:
        return whole
    stand_in = text[body : _first_byte(module, first)] + b"pass"
    end = line_start(text, body)
    # Comments above the body are the body's; a line of a string may look like one.
    last = max(_ends(module, statement))
    while (above := line_above(text, end)) > last and text[above:end].strip()[:1] in {b"", b"#"}:
        end = above
    return Region(Span(start, end), (statement,), is_expression=False, stand_in=stand_in)


_WITH_HEADER = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
)
"""Statements that have a header which says more than their keyword."""


def header_parts(statement: ast.AST) -> list[ast.AST]:
    """Return the nodes directly below ``statement`` that are in none of its blocks."""
    blocks = ast.stmt | ast.excepthandler | ast.match_case
    return [part for part in children(statement) if not isinstance(part, blocks)]


def _ends(module: Module, statement: ast.stmt) -> Iterator[int]:
    """Yield where the parts of the header end, and where ``statement`` starts."""
    yield module.span(statement).start
    for part in header_parts(statement):
        # ast gives no place to the parameters as a whole, nor to an item of a `with`.
        placed = [part] if hasattr(part, "lineno") else children(part)
        yield from (module.span(node).end for node in placed)


def _needs_its_parent(module: Module, node: ast.AST) -> bool:
    if isinstance(node, ast.Tuple):  # x[1:2, 3]
        return any(isinstance(element, ast.Slice) for element in node.elts)
    in_pattern = isinstance(module.parent(node), ast.pattern)
    return in_pattern or isinstance(node, ast.Starred | ast.Slice | ast.FormattedValue)


def _statement_region(module: Module, statement: ast.stmt) -> Region:
    while True:
        # `a; b; c`: LibCST sees one line, so all of it is one slice.
        block, line = module.block_of(statement), statements_of_line(module, statement)
        start = line_of_statement(module, line[0])
        if start is not None and not is_elif(module, statement):
            break
        # `if x: y` on one line, and an elif, can only be parsed with the surrounding code.
        statement = _statement_above(module, statement)
    end = line_end(module.source.text, module.span(line[-1]).end)
    whole = len(line) == len(block) and module.parent(statement) is not module.tree
    return Region(Span(start, end), tuple(line), is_expression=False, fills_block=whole)


def with_lines_above(module: Module, region: Region, lines: int) -> Region:
    """Return ``region``, if it is one of statements, with so many ``lines`` above it."""
    if region.is_expression:
        return region
    text, start = module.source.text, region.span.start
    for _ in range(lines):
        start = line_above(text, start)
    return structs.replace(region, span=Span(start, region.span.end))


def line_of_statement(module: Module, statement: ast.stmt) -> int | None:
    """Return where the statement's first line starts, decorators included.

    None if other code is before it on that line. A form feed at the start of the line belongs to
    the line before: Python counts columns after it.
    """
    text, at = module.source.text, _first_byte(module, statement)
    start = line_start(text, at)
    if text[start:at].strip(b" \t\f"):
        return None
    return max(start, text.rfind(b"\f", 0, at) + 1)


def _first_byte(module: Module, statement: ast.stmt) -> int:
    """Return where ``statement`` starts, its decorators included."""
    decorators = getattr(statement, "decorator_list", None)
    if not decorators:
        return module.span(statement).start
    return module.source.text.rfind(b"@", 0, module.span(decorators[0]).start)


def is_elif(module: Module, statement: ast.stmt) -> bool:
    """Whether ``statement`` is an ``elif``, which needs its ``if``."""
    text = module.source.text
    return isinstance(statement, ast.If) and text.startswith(b"elif", module.span(statement).start)


def _statement_above(module: Module, statement: ast.stmt) -> ast.stmt:
    for above in module.ancestors(statement):
        if isinstance(above, ast.stmt):
            return above
    raise Misplaced("the statement follows something that awaken does not know")


def outermost(regions: Iterable[Region]) -> list[Region]:
    """Return the regions that no other one contains, in the order of the source."""
    result: list[Region] = []
    # Of those that start together the longest comes first, and contains the others.
    for region in sorted(regions, key=lambda item: (item.span.start, -item.span.end)):
        if not result or not result[-1].span.contains(region.span):
            result.append(region)
    return result


def count_kinds(
    region: Region, kinds: Iterable[str], wanted: Iterable[ast.AST]
) -> tuple[Mapping[str, int], Mapping[ast.AST, int]]:
    """Return how many nodes of each kind ``region`` holds, and the ordinals of ``wanted`` ones.

    Both are counted in the order of the source, the ordinals from 0.
    """
    counts: Counter[str] = Counter(dict.fromkeys(kinds, 0))
    looked_for = set(wanted)
    ordinals: dict[ast.AST, int] = {}
    for node in region.nodes():
        kind = type(node).__name__
        if kind in counts:
            if node in looked_for:
                ordinals[node] = counts[kind]
            counts[kind] += 1
    return counts, ordinals


def group_by_region(regions: Mapping[ast.AST, Region]) -> list[tuple[Region, list[ast.AST]]]:
    """Return the outermost of the ``regions``, each with all nodes whose own lie in it."""
    groups: list[tuple[Region, list[ast.AST]]] = [
        (region, []) for region in outermost(regions.values())
    ]
    starts = [region.span.start for region, _ in groups]
    for node, region in regions.items():
        groups[bisect_right(starts, region.span.start) - 1][1].append(node)
    return groups
