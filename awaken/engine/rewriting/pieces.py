"""Puts the rewritten pieces of one file together, and checks that they see what they import."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from awaken.contract import ChangeId, NeedImport, Place, Problem, Span
from awaken.engine.edits.comparison import Comparison, around_alone, extent, misread, syntax_alone
from awaken.engine.edits.file_slices import binds, nodes_on_lines
from awaken.engine.edits.owned_edits import OwnedEdit
from awaken.engine.edits.splices import SpanMap, Splice, splice
from awaken.project.source.modules import Module
from awaken.project.source.trees import statements_below
from awaken.workspace.parsing import Unparsable, deep_recursion, parse_text


class Piece(Struct, frozen=True):
    """New text for a span of a file, and the changes that it comes from.

    ``is_expression`` says that the text must parse as the same single expression in its place and
    alone; ``is_token`` that it is one of several edits in a statement that only make sense
    together; ``header_of`` is the statement whose header the text is, and whose blocks stay.
    ``parts`` are smaller splices that come to the same, where only some lines of the span are
    others.
    """

    span: Span
    text: bytes
    changes: tuple[ChangeId, ...]
    is_expression: bool = False
    is_token: bool = False
    header_of: ast.AST | None = None
    wrapped: bool = False
    parts: tuple[Splice, ...] = ()

    def splices(self) -> tuple[Splice, ...]:
        """Return the replacements of bytes."""
        text = b"(" + self.text + b")" if self.wrapped else self.text
        return self.parts or (Splice(self.span.start, self.span.end, text),)


class Assembled(Struct, frozen=True):
    """A file with all pieces in place, its tree, and the way back."""

    module: Module
    moved: SpanMap
    pieces: tuple[Piece, ...]
    problems: tuple[Problem, ...] = ()

    def headers(self) -> Mapping[Span, ast.AST]:
        """Return the statements whose headers are rewritten, by the old places of these."""
        return {piece.span: piece.header_of for piece in self.pieces if piece.header_of is not None}


def assemble(module: Module, pieces: Sequence[Piece]) -> Assembled:
    """Return the file with every piece in place that can be, and a problem for each other one.

    Expressions are wrapped in parentheses where they would read differently without.
    """
    # The first attempt nearly always succeeds; changes are parsed one by one only where the whole
    # file fails.
    attempt = _attempt(module, pieces)
    if attempt is not None and attempt.misread:
        wrong = attempt.misread
        attempt = _attempt(module, [_wrap(item) if item in wrong else item for item in pieces])
    if attempt is not None and not attempt.misread:
        return _checked_result(module, attempt)
    return _assemble_apart(module, pieces)


def _assemble_apart(module: Module, pieces: Sequence[Piece]) -> Assembled:
    """Do the same, but find out for each piece and each change alone whether it fits."""
    problems: list[Problem] = []
    pieces = [_fitted_piece(module, piece) for piece in pieces]
    for change in dict.fromkeys(change for piece in pieces for change in piece.changes):
        own = [piece for piece in pieces if change in piece.changes]
        attempt = _attempt(module, own)
        if attempt is None or attempt.misread:
            what = "the rewritten code does not fit into its place"
            problems.append(Problem(Place(module.path, own[0].span), what, (change,)))
    if problems:
        return Assembled(module, SpanMap(), (), tuple(problems))
    attempt = _attempt(module, pieces)
    if attempt is None or attempt.misread:
        what = "the rewritten code does not fit together"
        place = Place(module.path, pieces[0].span)
        return Assembled(module, SpanMap(), (), (Problem(place, what),))
    return _checked_result(module, attempt)


class _Attempt(Struct, frozen=True):
    module: Module
    moved: SpanMap
    pieces: tuple[Piece, ...]
    misread: tuple[Piece, ...]


def _attempt(module: Module, pieces: Sequence[Piece]) -> _Attempt | None:
    """Return the file with ``pieces`` in place; None if it does not parse."""
    text, moved = splice(module.source.text, [part for piece in pieces for part in piece.splices()])
    try:
        tree = parse_text(text)
    except Unparsable:
        return None
    after = Module(module.source.with_text(text), tree, module.name)
    standing: dict[Span, Piece] = {}
    expected: dict[Span, str] = {}
    for piece in pieces:
        if piece.is_expression:
            alone = syntax_alone(piece.text)
            if alone is None:
                return None
            span = _place_inside(moved.to_after(piece.span), piece)
            standing[span], expected[span] = piece, alone
    wrong = tuple(standing[span] for span in misread(after, expected))
    return _Attempt(after, moved, tuple(pieces), wrong)


def _place_inside(span: Span, piece: Piece) -> Span:
    """Return the place of the expression itself: parentheses around it are no part of it."""
    before, behind = around_alone(piece.text)
    return Span(span.start + before + piece.wrapped, span.end - behind - piece.wrapped)


def _fitted_piece(module: Module, piece: Piece) -> Piece:
    """Return the piece, in parentheses if it does not fit into its place without."""
    if not piece.is_expression:
        return piece
    attempt = _attempt(module, [piece])
    if attempt is not None and not attempt.misread:
        return piece
    return _wrap(piece)


def _wrap(piece: Piece) -> Piece:
    return msgspec.structs.replace(piece, wrapped=True)


def _checked_result(before: Module, attempt: _Attempt) -> Assembled:
    """Return the result with a problem for every statement that changed without being named."""
    inside = {
        piece.span: piece.header_of or _owner(before, piece.span)
        for piece in attempt.pieces
        if piece.is_token or piece.header_of is not None
    }
    regions = [piece.span for piece in attempt.pieces if piece.span not in inside]
    comparison = Comparison(before, attempt.module, attempt.moved, regions, inside)
    with deep_recursion():
        differing = list(comparison.differences())
    problems = tuple(
        Problem(
            Place(before.path, span),
            "the rewrite changes how code around it reads",
            _changes_in(span, attempt.pieces),
        )
        for span in differing
    )
    return Assembled(attempt.module, attempt.moved, attempt.pieces, problems)


def _changes_in(span: Span, pieces: Sequence[Piece]) -> tuple[ChangeId, ...]:
    inside = [piece for piece in pieces if span.contains(piece.span)]
    return tuple(dict.fromkeys(change for piece in inside for change in piece.changes))


def _owner(module: Module, span: Span) -> ast.AST:
    """Return the innermost statement, handler or case that holds ``span``, else the module."""
    line, _ = module.line_column(span)
    owner: ast.AST = module.tree
    size = len(module.source.text)
    for node in nodes_on_lines(module.tree, {line}, statements_below):
        if isinstance(node, ast.stmt | ast.excepthandler):
            held = extent(module, node)
            if held is not None and held.contains(span) and held.end - held.start <= size:
                owner, size = node, held.end - held.start
    # A case has no position of its own: its pattern and its guard precede its block.
    for case in owner.cases if isinstance(owner, ast.Match) else ():
        head = Span(module.span(case.pattern).start, module.span(case.body[0]).start)
        if head.contains(span):
            return case
    return owner


def shadowing_problems(
    assembled: Assembled, needs: Sequence[OwnedEdit[NeedImport]]
) -> Iterator[Problem]:
    """Yield a problem for each new name that a scope around the new code binds differently."""
    module = assembled.module
    # The import itself is not in the text yet, so any binding is another one.
    bound = {name for name in {_bound_name(need.edit) for need in needs} if binds(module, name)}
    for piece in assembled.pieces if bound else ():
        own = [owned for owned in needs if owned.change in piece.changes]
        names = {
            _bound_name(owned.edit): owned for owned in own if _bound_name(owned.edit) in bound
        }
        if not names:
            continue
        span = assembled.moved.to_after(piece.span)
        for node in _names_in(module, span):
            owned = names.get(node.id)
            if owned is not None and _means_another(module, node, owned.edit):
                what = f"the name {node.id} means something else where the new code needs it"
                place = Place(module.path, piece.span)
                yield Problem(place, what, (owned.change,))


def _bound_name(edit: NeedImport) -> str:
    return edit.alias or edit.name or edit.module.partition(".")[0]


def _names_in(module: Module, span: Span) -> Iterator[ast.Name]:
    first, _ = module.line_column(span)
    last, _ = module.line_column(Span(span.end, span.end))
    for node in nodes_on_lines(module.tree, range(first, last + 1)):
        if isinstance(node, ast.Name) and span.contains(module.span(node)):
            yield node


def _means_another(module: Module, node: ast.Name, edit: NeedImport) -> bool:
    scopes = module.scopes
    if not scopes.is_shadowed(node.id, node):
        return False
    return not all(
        isinstance(binding.node, ast.alias)
        and _imports_the_same(module.parent(binding.node), binding.node, edit)
        and module.span(binding.node).end <= module.span(node).start  # bound before it is used
        for binding in scopes.bindings_of(node)
    )


def _imports_the_same(statement: ast.AST | None, alias: ast.alias, edit: NeedImport) -> bool:
    if isinstance(statement, ast.ImportFrom):
        return (statement.module, alias.name) == (edit.module, edit.name) and not statement.level
    return edit.name is None and alias.name == edit.module
