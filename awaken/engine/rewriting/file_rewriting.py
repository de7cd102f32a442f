"""Carries out all edits of one Python file: a pure function that can run in a worker."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from msgspec.structs import replace

from awaken.contract import (
    ChangeId,
    Edit,
    InsertStatements,
    Level,
    NeedImport,
    NodeEdit,
    Place,
    Problem,
    ReleaseImport,
    ReplaceStatements,
    Rewriter,
    Span,
    TextEdit,
)
from awaken.editing.comments import lost_comments
from awaken.editing.import_lines import joined_imports
from awaken.editing.outer_parentheses import without_pair
from awaken.engine.edits.edited_regions import edited_region
from awaken.engine.edits.file_slices import (
    Anchors,
    Misplaced,
    Region,
    SizeProblem,
    TooLarge,
    count_kinds,
    group_by_region,
    header_region,
    region_of,
    with_lines_above,
)
from awaken.engine.edits.insertions import Inserted, inserted_texts, insertion
from awaken.engine.edits.node_kinds import KINDS
from awaken.engine.edits.owned_edits import OVERLAP, OwnedEdit, of_kind
from awaken.engine.edits.splices import SpanMap, Splice, replaced_lines, splice
from awaken.engine.edits.style import (
    FileStyle,
    line_indent,
    outer_pair_of,
    style_of,
    surroundings_of,
    without_blank_lines,
)
from awaken.engine.edits.whole_statements import why_not_whole
from awaken.engine.formatting.aligned_lines import with_aligned_lines
from awaken.engine.formatting.long_lines import without_long_lines
from awaken.engine.imports.reconciling import ImportContext, reconcile
from awaken.engine.rewriting.pieces import Piece, assemble, shadowing_problems
from awaken.engine.rewriting.rewritten import FileContext, Rewriters, RewrittenFile
from awaken.engine.rewriting.slice_rewriting import (
    Job,
    Slice,
    SliceRejected,
    SliceTarget,
    rewrite_slice,
)
from awaken.project.source.lines.statement_lines import StatementLines
from awaken.project.source.modules import Module
from awaken.workspace.parsing import Unparsable, parse, too_deep_for_libcst
from awaken.workspace.sources import SourceFile

_LARGEST_SLICE = 100_000
"""Bytes that are rewritten as one: LibCST takes 0.1 s and 4 MB for a thousand. The largest in
superset, mlflow, ckan and prefect has 12,275."""
_PAGE = 256
"""The bytes of a file in which edits are looked for that touch each other."""


def rewrite_file(
    source: SourceFile,
    edits: Sequence[OwnedEdit[Edit]],
    rewriters: Rewriters,
    context: FileContext,
    parsed: Module | None,
) -> RewrittenFile:
    """Return ``source`` with all ``edits`` made (in the order of their changes) that can be.

    ``parsed`` is the file with its tree, where somebody has it.
    Each edit that cannot be made gives a problem that names its change; the caller leaves these
    changes out and calls again. Never raises for what a rule or a file does.
    """
    try:
        module = parsed or Module(source, parse(source), context.name)
    except Unparsable as error:
        place = Place(source.path, Span(0, 0))
        changes = tuple(dict.fromkeys(owned.change for owned in edits))
        return RewrittenFile(source, SpanMap(), (Problem(place, f"the file {error}", changes),))
    style = style_of(module, context.line_length, is_assumed=context.is_length_assumed)
    work = _Work(module, rewriters, style)
    pieces = work.pieces(edits)
    # The rest of a failed change would only get in the way of the others.
    rejected = {change for problem in work.problems for change in problem.changes}
    assembled = assemble(module, [item for item in pieces if not rejected.issuperset(item.changes)])
    needs = of_kind(edits, NeedImport)
    problems = [*work.problems, *assembled.problems, *shadowing_problems(assembled, needs)]
    # Imports come last: only the finished code shows which names it uses, and where first.
    aligned, moved = with_aligned_lines(module, assembled.module, assembled.moved)
    short, done = without_long_lines(module, aligned, moved, work.style, assembled.headers())
    imports = reconcile(
        short,
        needs,
        of_kind(edits, ReleaseImport),
        work.style,
        ImportContext(context.first_party, context.taken),
    )
    text, moved = splice(short.source.text, imports.splices)
    end = len(short.source.text)
    # A file that ended without a newline still does, unless an import was added at its very end.
    has_none = bool(source.text) and not _last_newline(source.text)
    if has_none and all(candidate.end < end for candidate in imports.splices):
        text = text.removesuffix(_last_newline(text))
    return RewrittenFile(source.with_text(text), done.then(moved), (*problems, *imports.problems))


_EDITED = "another change already edits this code"
_NO_FSTRING = "an f-string cannot hold the new code before Python 3.12"
_MARK = re.compile(rb"""[\n\r\\#'"]""")
"""What the code between the braces of an f-string may have since Python 3.12."""
_QUOTES = re.compile(rb"""[a-zA-Z]*('''|\"\"\"|'|\")""")


class _Work:
    """The edits of one file on their way to pieces of text; collects what goes wrong."""

    def __init__(self, module: Module, rewriters: Rewriters, style: FileStyle) -> None:
        self.problems: list[Problem] = []
        self._unsafe: set[ChangeId] = set()
        self._inserted: dict[ChangeId, str] = {}
        self._filled: set[int] = set()
        self._module = module
        self._rewriters = rewriters
        self.style = style

    def pieces(self, edits: Sequence[OwnedEdit[Any]]) -> list[Piece]:
        """Return the new texts for every edit that names a place; imports are not among them."""
        self._unsafe = {owned.change for owned in edits if owned.level is not Level.SAFE}
        jobs = self._jobs(of_kind(edits, NodeEdit))
        inserts = self._insertions(of_kind(edits, InsertStatements))
        self._filled = {piece.span.start for piece in inserts}
        # A comment may move from a rewritten place into what its change inserts elsewhere.
        for piece in inserts:
            for change in piece.changes:
                self._inserted[change] = self._inserted.get(change, "") + piece.text.decode()
        tokens = self._tokens(of_kind(edits, TextEdit))
        loose = [*tokens, *inserts]
        pieces: list[Piece] = []
        size = len(self._module.source.text)
        for region, nodes in group_by_region(self._regions(jobs)):
            # Made before LibCST sees the slice: afterwards their places would be gone.
            inner = [piece for piece in loose if _is_inside(piece, region, size)]
            loose = [piece for piece in loose if piece not in inner]
            for piece in [piece for piece in loose if piece.span.overlaps(region.span)]:
                self._reject(piece.span, "it crosses the edge of another rewrite", piece.changes)
                loose.remove(piece)
            pieces += self._rewrite(region, {node: jobs[node] for node in nodes}, inner)
        pieces = [*_without_holes(self._module.source.text, pieces, self._filled), *loose]
        return [*pieces, *self._statements(of_kind(edits, ReplaceStatements), pieces)]

    def _statements(
        self, edits: Sequence[OwnedEdit[ReplaceStatements]], others: Sequence[Piece]
    ) -> Iterator[Piece]:
        """Yield the lines that replace others, where nothing else is edited."""
        taken = list(others)
        if not edits:
            return
        statements = StatementLines(self._module.tree)
        for owned in edits:
            span, text = owned.edit.anchor, owned.edit.text.encode()
            why = why_not_whole(self._module, statements, span, text)
            clashing = [candidate for candidate in taken if _clash(candidate, span, owned.change)]
            if any(owned.change in candidate.changes for candidate in clashing):
                why = OVERLAP
            elif clashing:
                why = _EDITED
            if why is not None:
                self._reject(span, why, [owned.change])
                continue
            parts = replaced_lines(self._module.source.text, span, text)
            piece = Piece(span, text, (owned.change,), parts=parts)
            taken.append(piece)
            yield piece

    def _reject(self, span: Span, message: str, changes: Iterable[ChangeId]) -> None:
        place = Place(self._module.path, span)
        self.problems.append(Problem(place, message, tuple(dict.fromkeys(changes))))

    def _jobs(self, edits: Sequence[OwnedEdit[NodeEdit]]) -> dict[ast.AST, list[Job]]:
        """Return the rewriters to run on each node; one node belongs to one change."""
        anchors = Anchors(self._module, [owned.edit for owned in edits])
        jobs: dict[ast.AST, list[Job]] = {}
        for owned in edits:
            try:
                node, job = self._job(owned, anchors)
            except Misplaced as error:
                self._reject(owned.edit.anchor, str(error), [owned.change])
                continue
            others = jobs.setdefault(node, [])
            # Two changes on one node could only be made together, and each must be possible alone.
            if others and others[0].change != owned.change:
                what = "another change already rewrites this code"
                self._reject(owned.edit.anchor, what, [owned.change])
            else:
                others.append(job)
        return jobs

    def _job(self, owned: OwnedEdit[NodeEdit], anchors: Anchors) -> tuple[ast.AST, Job]:
        # Not in ``file_slices``: ``node_kinds`` loads LibCST, which not every run needs.
        if owned.edit.node not in KINDS:
            raise Misplaced(f"awaken cannot rewrite nodes of kind {owned.edit.node} alone")
        node = anchors.node_of(owned.edit)
        rewriter = self._rewriter(owned.rule, owned.edit.rewriter)
        around = surroundings_of(self._module, node, self.style)
        edit = owned.edit
        return node, Job(
            change=owned.change,
            rule=owned.rule,
            rewriter=rewriter,
            data=edit.data,
            surroundings=around,
            part=edit.part,
            lines_above=edit.lines_above,
            drops=edit.drops,
        )

    def _rewriter(self, rule: str, name: str) -> Rewriter:
        rewriter = self._rewriters.get(rule, {}).get(name)
        if rewriter is None:
            raise Misplaced(f"internal error in {rule}: it has no rewriter called {name}")
        return rewriter

    def _regions(self, jobs: Mapping[ast.AST, Sequence[Job]]) -> dict[ast.AST, Region]:
        regions: dict[ast.AST, Region] = {}
        for node, own in jobs.items():
            try:
                region = self._region(node, {job.part for job in own})
                lines = max(job.lines_above for job in own)
                regions[node] = with_lines_above(self._module, region, lines)
            except TooLarge as error:
                place = self._module.place(node)
                changes = tuple(dict.fromkeys(job.change for job in own))
                self.problems.append(SizeProblem(place, str(error), changes))
            except Misplaced as error:
                self._reject(self._module.span(node), str(error), [job.change for job in own])
        return regions

    def _region(self, node: ast.AST, parts: AbstractSet[str]) -> Region:
        choose = header_region if parts == {"header"} else region_of
        region = choose(self._module, node)
        size = region.span.end - region.span.start
        if size > _LARGEST_SLICE:
            raise TooLarge(
                f"it has {size // 1000} kB, and awaken rewrites no more than "
                f"{_LARGEST_SLICE // 1000} kB as one"
            )
        for part in region.parts():
            if too_deep := too_deep_for_libcst(part):
                raise TooLarge(too_deep)
        return region

    def _rewrite(
        self, region: Region, jobs: Mapping[ast.AST, Sequence[Job]], inner: Sequence[Piece]
    ) -> list[Piece]:
        """Return the new text of ``region``, in which the pieces ``inner`` are made first."""
        start = region.span.start
        old = self._module.source.text[start : region.span.end]
        moved = [Splice(p.span.start - start, p.span.end - start, p.text) for p in inner]
        text, _ = splice(old, moved)
        changes = [job.change for own in jobs.values() for job in own]
        changes += [change for piece in inner for change in piece.changes]
        try:
            new = self._rewritten(region, text, jobs, moved)
            _check_fstring(self._module, region, new)
        except SliceRejected as error:
            self._reject(region.span, error.message, error.changes or changes)
            return []
        except Misplaced as error:
            self._reject(region.span, str(error), changes)
            return []
        if new == old:
            return []
        owners = tuple(dict.fromkeys(changes))
        elsewhere = "".join(self._inserted.get(change, "") for change in owners)
        dropped = [comment for own in jobs.values() for job in own for comment in job.drops]
        kept = self.style.newline.join([new.decode(), elsewhere, *dropped])
        lost = lost_comments(old.decode(), kept)
        # An unsafe change says in its message what is lost; a safe one must lose nothing.
        if lost and self._unsafe.isdisjoint(owners):
            self._reject(region.span, f"it would lose the comment {lost[0]}", owners)
            return []
        header_of = region.roots[0] if region.stand_in else None
        piece = Piece(
            region.span, new, owners, is_expression=region.is_expression, header_of=header_of
        )
        return [self._without_parentheses(piece, region)]

    def _rewritten(
        self,
        region: Region,
        text: bytes,
        jobs: Mapping[ast.AST, Sequence[Job]],
        moved: Sequence[Splice],
    ) -> bytes:
        """Return what the rewriters make of the ``text`` of ``region``, ``moved`` made in it.

        Raises SliceRejected, and Misplaced where a node is not there any more.
        """
        # LibCST loses the last line end of a text whose lines end in a lone \r.
        end = b"" if region.is_expression or region.stand_in else _last_newline(text)
        code = text.removesuffix(end) + region.stand_in
        if moved:
            region, pairs = edited_region(self._module, region, code, moved, jobs)
            jobs = {pairs[node]: own for node, own in jobs.items()}
        new = rewrite_slice(self._slice(region, code.decode(), jobs)).encode()
        return new.removesuffix(region.stand_in) + end if new else b""

    def _without_parentheses(self, piece: Piece, region: Region) -> Piece:
        """Return ``piece`` with the parentheses around it, if these only held the lines before."""
        text = self._module.source.text
        pair = outer_pair_of(self._module, region.roots[0]) if region.is_expression else None
        if pair is None:
            return piece
        new = without_pair(text, pair, piece.text.decode(), self.style.line_length)
        if new is None:
            return piece
        return replace(piece, span=Span(pair.start, pair.end), text=new.encode())

    def _slice(self, region: Region, text: str, jobs: Mapping[ast.AST, Sequence[Job]]) -> Slice:
        kinds = {type(node).__name__ for node in jobs}
        counts, ordinals = count_kinds(region, kinds, jobs)
        targets = tuple(
            SliceTarget(type(node).__name__, ordinals[node], tuple(own))
            for node, own in jobs.items()
        )
        return Slice(
            text=text,
            is_expression=region.is_expression,
            counts=counts,
            targets=targets,
            newline=self.style.newline,
            indent=self.style.indent,
            fills_block=region.fills_block and region.span.start not in self._filled,
        )

    def _insertions(self, edits: Sequence[OwnedEdit[InsertStatements]]) -> list[Piece]:
        by_place: dict[int, list[tuple[ChangeId, Inserted]]] = {}
        for owned in edits:
            try:
                rewriter = self._rewriter(owned.rule, owned.edit.rewriter)
                new = insertion(self._module, owned, rewriter, self.style)
            except Misplaced as error:
                self._reject(owned.edit.at, str(error), [owned.change])
                continue
            held = by_place.setdefault(new.spot.at, [])
            if new.spot.end is not None and held and held[0][0] != owned.change:
                self._reject(owned.edit.at, _EDITED, [owned.change])
                continue
            held.append((owned.change, new))
        pieces: list[Piece] = []
        for at, held in by_place.items():
            parts = [part for _, part in held]
            texts = inserted_texts(self._module.source.text, parts, self.style.newline)
            for (change, part), text in zip(held, texts, strict=True):
                if text:
                    span = Span(at, at if part.spot.end is None else part.spot.end)
                    pieces.append(Piece(span, text.encode(), (change,)))
        return pieces

    def _tokens(self, edits: Sequence[OwnedEdit[TextEdit]]) -> list[Piece]:
        """Return the token edits; equal ones of several changes are one, clashing ones refused."""
        pieces: list[Piece] = []
        # Those on each page of the file: a file may have thousands.
        numbers: defaultdict[int, list[int]] = defaultdict(list)
        for owned in edits:
            span, text = owned.edit.anchor, owned.edit.text.encode()
            pages = range(span.start // _PAGE, span.end // _PAGE + 1)
            near = {n: pieces[n] for n in sorted({n for page in pages for n in numbers[page]})}
            equal = [n for n, p in near.items() if (p.span, p.text) == (span, text)]
            changes = pieces[equal[0]].changes if equal else ()
            # Two changes may want the same token, `async` before one def for instance.
            if owned.change in changes and span.start < span.end:
                continue  # two sites of one change replace the same code in the same way
            if _is_token_of_fstring(self._module, span, text):
                self._reject(span, _NO_FSTRING, [owned.change])
                continue
            if joined := self._joined_import(near, owned):
                pieces[joined[0]] = joined[1]
                continue
            if equal and owned.change not in changes and not _is_bracket(span, text):
                shared = (*changes, owned.change)
                pieces[equal[0]] = replace(pieces[equal[0]], changes=shared)
            elif clashing := [p for p in near.values() if _clash(p, span, owned.change)]:
                own = any(owned.change in piece.changes for piece in clashing)
                message = OVERLAP if own else _EDITED
                self._reject(span, message, [owned.change])
            else:
                for page in pages:
                    numbers[page].append(len(pieces))
                pieces.append(Piece(span, text, (owned.change,), is_token=True))
        return pieces

    def _joined_import(
        self, pieces: Mapping[int, Piece], owned: OwnedEdit[TextEdit]
    ) -> tuple[int, Piece] | None:
        """Return the piece of the same import and change by its number, with the names of both."""
        span = owned.edit.anchor
        for number, piece in pieces.items():
            if piece.span != span or span.start == span.end or owned.change not in piece.changes:
                continue
            style = self.style.of_imports(line_indent(self._module.source.text, span.start))
            text = joined_imports(piece.text.decode(), owned.edit.text, style)
            return None if text is None else (number, replace(piece, text=text.encode()))
        return None


def _without_holes(text: bytes, pieces: Sequence[Piece], filled: set[int]) -> Iterator[Piece]:
    """Yield ``pieces``, those that leave nothing with the blank lines that nobody wants then.

    Where ``filled``, other lines are put in their place, or below them.
    """
    waiting: list[Piece] = []
    for piece in pieces:
        between = text[waiting[-1].span.end : piece.span.start] if waiting else b""
        if waiting and (between.strip() or piece.text):
            yield from _closed_pieces(text, waiting, filled)
            waiting = []
        if piece.text or piece.is_expression:
            yield piece
        else:
            waiting.append(piece)
    yield from _closed_pieces(text, waiting, filled)


def _closed_pieces(text: bytes, pieces: Sequence[Piece], filled: set[int]) -> Iterator[Piece]:
    """Yield neighbours that all go, grown together and over blank lines around them."""
    if pieces:
        first = pieces[0].span.start
        whole = without_blank_lines(text, Span(first, pieces[-1].span.end))
        starts = [
            whole.start if filled.isdisjoint({first, whole.end}) else first,
            *(piece.span.start for piece in pieces[1:]),
        ]
        ends = [*starts[1:], whole.end]
        for piece, start, end in zip(pieces, starts, ends, strict=True):
            yield replace(piece, span=Span(start, end))


def _last_newline(text: bytes) -> bytes:
    match = re.search(rb"(\r\n|\n|\r)\Z", text)
    return match.group() if match else b""


def _clash(piece: Piece, span: Span, change: ChangeId) -> bool:
    """Whether two edits replace the same bytes, or two changes insert at the same place."""
    if piece.span.overlaps(span):
        return True
    return piece.span == span and span.start == span.end and change not in piece.changes


def _is_bracket(span: Span, text: bytes) -> bool:
    """Whether an insertion opens or closes something: two of them at one place are two pairs."""
    return span.start == span.end and any(bracket in text for bracket in b"()[]{}")


def _is_inside(piece: Piece, region: Region, size: int) -> bool:
    """Whether ``piece`` is in ``region``; of its edges, a token may start the first statement.

    It may end the last one, too, in a file of ``size`` bytes that ends without a newline.
    """
    span, whole = piece.span, region.span
    edges = {whole.start, whole.end}
    if piece.is_token and not region.is_expression:
        edges = {whole.end} - {size}
    return whole.contains(span) and not (span.start == span.end and span.start in edges)


def _check_fstring(module: Module, region: Region, new: bytes) -> None:
    """Refuse text that f-strings take only since Python 3.12."""
    if region.is_expression and _is_new_in_fstring(module, region.roots[0], region.span, new):
        raise SliceRejected(_NO_FSTRING)


def _is_token_of_fstring(module: Module, span: Span, new: bytes) -> bool:
    """Whether ``new`` is for the code of an f-string, which takes it only since Python 3.12."""
    # Few texts have a mark, and all f-strings of a file are many.
    values = module.nodes(ast.FormattedValue) if _MARK.search(new) else ()
    spans = ((node, module.span(node.value)) for node in values)
    return any(
        each.contains(span) and _is_new_in_fstring(module, node, each, new) for node, each in spans
    )


def _is_new_in_fstring(module: Module, node: ast.AST, span: Span, new: bytes) -> bool:
    """Whether ``new`` has what no code at ``span`` has, and its f-string takes since 3.12."""
    # Asked on every Python: the program may run on an older one than awaken does.
    strings = [above for above in module.ancestors(node) if isinstance(above, ast.JoinedStr)]
    if not strings:
        return False
    text = module.source.text
    whole = module.span(strings[-1])
    quotes = _QUOTES.match(text[whole.start : whole.end])
    # Between other quotes, a quote is text as any other.
    allowed = {b"'", b'"'} - {quotes[1][:1], text[whole.end - 1 : whole.end]} if quotes else set()
    allowed |= {b"\n", b"\r"} if quotes and len(quotes[1]) > 1 else set()
    old = text[span.start : span.end]
    return any(mark not in old and mark not in allowed for mark in _MARK.findall(new))
