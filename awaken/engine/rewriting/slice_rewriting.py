"""Rewrites one slice of a file: LibCST parses it, the rules' rewriters run on it, it is printed.

The unmodified slice must come back byte for byte, its nodes must pair with those of the ``ast``
by order, and the result must read back as the tree that the rewriters made. Anything else
refuses the slice, never guesses.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import libcst as cst
from msgspec import Struct, structs

from awaken.contract import ChangeId, Rewriter, Surroundings
from awaken.editing.parentheses import needs_parentheses, parenthesise
from awaken.editing.shapes import LAYOUT_TYPES, shape
from awaken.editing.statements import as_statements, in_place_of_line
from awaken.engine.edits.node_kinds import KINDS, is_name_only
from awaken.workspace.parsing import deep_recursion

_HEADER = "if 1:"
_BLOCKS = ("body", "orelse")
"""Fields of the blocks of all statements that have a header."""


class SliceRejected(Exception):
    """A slice cannot be rewritten; ``changes`` are guilty, all of the slice's if empty."""

    def __init__(self, message: str, changes: Iterable[ChangeId] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.changes = tuple(changes)


class Job(Struct, frozen=True):
    """One rewriter to run on one node; the last three are those of its edit."""

    change: ChangeId
    rule: str
    rewriter: Rewriter
    data: Any
    surroundings: Surroundings
    part: Literal["whole", "header"] = "whole"
    lines_above: int = 0
    drops: tuple[str, ...] = ()


class SliceTarget(Struct, frozen=True):
    """A node to rewrite: the ``index``-th of its kind in the slice, counted from 0."""

    kind: str
    index: int
    jobs: tuple[Job, ...]


class Slice(Struct, frozen=True):
    """The text of an expression, or of whole lines of statements, and how its file is written.

    ``counts`` says how many nodes of each wanted kind the ``ast`` has in it; ``fills_block`` that
    its block has no other statement, so that an empty block needs ``pass``.
    """

    text: str
    is_expression: bool
    counts: Mapping[str, int]
    targets: tuple[SliceTarget, ...]
    newline: str = "\n"
    indent: str = "    "
    fills_block: bool = False

    @property
    def is_indented(self) -> bool:
        """Whether the lines are in a block, which the text alone does not open."""
        return not self.is_expression and self.text[:1] in {" ", "\t"}


def rewrite_slice(part: Slice) -> str:
    """Return the text of ``part`` after its rewriters ran, innermost first.

    Raises SliceRejected.
    """
    before, after = _wrapping(part)
    text = f"{before}{part.text}{after}"
    with deep_recursion():
        module = _parse(text, "LibCST does not parse this code")
        # Without this round trip nothing that LibCST prints could be trusted.
        if module.code != text:
            raise SliceRejected("LibCST does not give this code back byte for byte")
        rewriting = _Rewriting(part, module)
        changed, code = _visit(module, rewriting, part)
        _check_counts(part, rewriting.counts)
        # A block without statements is printed as `pass`, which only an empty block needs.
        if _is_empty(part, changed):
            return ""
        _check_reading(changed, code)
    return code[len(before) : len(code) - len(after)]


def _visit(module: cst.Module, rewriting: _Rewriting, part: Slice) -> tuple[cst.Module, str]:
    """Return the changed tree and its text."""
    try:
        changed = module.visit(rewriting).with_changes(
            default_newline=part.newline, default_indent=part.indent
        )
        code: str = changed.code
    except SliceRejected:
        raise
    except Exception as error:  # LibCST checks each node that is made around a new one
        message = f"LibCST cannot write the new code: {type(error).__name__}: {error}"
        raise SliceRejected(message) from error
    return changed, code


def _wrapping(part: Slice) -> tuple[str, str]:
    """Return what makes the slice a module when put around it."""
    if part.is_expression:
        return "(", ")"
    return (f"{_HEADER}{part.newline}", "") if part.is_indented else ("", "")


def _parse(text: str, complaint: str) -> cst.Module:
    try:
        return cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise SliceRejected(f"{complaint}: {error.message}") from None


def _check_counts(part: Slice, found: Mapping[str, int]) -> None:
    for kind, expected in part.counts.items():
        if found[kind] != expected:
            raise SliceRejected(
                f"Python sees {expected} nodes of kind {kind} where LibCST sees {found[kind]}"
            )


def _is_empty(part: Slice, changed: cst.Module) -> bool:
    if part.is_expression or part.fills_block:
        return False
    block: Any = changed.body[0].body if part.is_indented else changed
    return not block.body


def _check_reading(changed: cst.Module, code: str) -> None:
    """Refuse a result that reads as other code than the rewriters meant."""
    again = _parse(code, "the rewritten code does not parse")
    if shape(changed) != shape(again):
        raise SliceRejected("the rewritten code reads back differently from what was meant")


class _Rewriting(cst.CSTTransformer):
    """Counts the wanted kinds on the way down and runs the rewriters on the way up."""

    def __init__(self, part: Slice, module: cst.Module) -> None:
        super().__init__()
        # The header that opens an indented slice's block is an ``if`` that is not counted.
        self.counts: Counter[str] = Counter({"If": -1} if part.is_indented else {})
        self._kinds: dict[type[cst.CSTNode], list[str]] = {}
        for kind in part.counts:
            self._kinds.setdefault(KINDS[kind][0], []).append(kind)
        self._targets = {(target.kind, target.index): target for target in part.targets}
        self._style = _Style(part, module)
        self._is_expression = part.is_expression
        self._names_only = 0
        self._waiting: dict[int, tuple[SliceTarget, int]] = {}
        self._results: list[cst.CSTNode] = []
        self._replaced: dict[int, cst.BaseExpression] = {}
        self._for_line: list[cst.BaseStatement] | None = None

    def on_visit_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        self._names_only += is_name_only(node, attribute)

    def on_leave_attribute(self, original_node: cst.CSTNode, attribute: str) -> None:
        self._names_only -= is_name_only(original_node, attribute)

    def on_visit(self, node: cst.CSTNode) -> bool:
        # In a field that is a plain string for ast nothing may be counted. LibCST makes each node
        # again that it visits, and most of them are white space.
        if self._names_only or (self._style.is_the_file_s and type(node) in LAYOUT_TYPES):
            return False
        for kind in self._kinds.get(type(node), ()):
            if KINDS[kind][1](node):
                target = self._targets.get((kind, self.counts[kind]))
                self.counts[kind] += 1
                if target is not None:
                    self._waiting[id(node)] = target, len(self._results)
        return True

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        if self._style.is_the_file_s and type(original_node) in LAYOUT_TYPES:
            return updated_node
        node = self._style.spell_out(self._parenthesise_replaced(updated_node))
        if self._for_line is not None and isinstance(
            node, cst.SimpleStatementLine | cst.SimpleStatementSuite
        ):
            return self._replace_line(node)
        if id(original_node) not in self._waiting:
            return node
        target, before = self._waiting.pop(id(original_node))
        # The results after ``before`` were made inside this node; they must still be in it.
        for job in target.jobs:
            inner = self._results[before:]
            node = (
                self._run(job, node, inner)
                if self._for_line is None
                else self._rewrite_last(job, node)
            )
        if self._for_line is not None:
            self._results[before:] = self._for_line
        elif isinstance(node, cst.CSTNode):
            self._results[before:] = [node]
        return node

    def _parenthesise_replaced(self, node: Any) -> Any:
        if not self._replaced or not isinstance(node, cst.CSTNode):
            return node
        changes = {}
        for field in dataclasses.fields(node):
            value = getattr(node, field.name)
            if id(value) in self._replaced and needs_parentheses(node, field.name, value):
                changes[field.name] = parenthesise(value)
        return node.with_changes(**changes) if changes else node

    def _run(self, job: Job, node: Any, inner: Sequence[cst.CSTNode]) -> Any:
        bare, lpar, rpar = _without_parentheses(node)
        around = job.surroundings
        if self._is_expression:  # no block is around it
            around = structs.replace(around, block_indent="")
        try:
            result = job.rewriter(bare, job.data, around)
        except Exception as error:  # a rule may fail in any way; the run goes on
            raise _internal_error(job, f"{type(error).__name__}: {error}") from error
        if isinstance(node, cst.BaseSmallStatement | cst.BaseStatement):
            return self._statement_result(job, node, result, inner)
        wanted = cst.BaseExpression if isinstance(node, cst.BaseExpression) else type(node)
        if not isinstance(result, wanted):
            raise _internal_error(job, f"a {type(result).__name__} cannot replace this node")
        _check_kept(job, [result], inner)
        if isinstance(result, cst.BaseExpression):
            if lpar:
                result = result.with_changes(lpar=[*lpar, *result.lpar], rpar=[*result.rpar, *rpar])
            self._replaced[id(result)] = result
        return result

    def _rewrite_last(self, job: Job, node: Any) -> Any:
        """Run one more job on a small statement of which an earlier job made several lines.

        It gets the last of them, which is of the same kind.
        """
        *before, last = self._for_line or []
        small = last.body if isinstance(last, cst.SimpleStatementLine) else ()
        if len(small) != 1 or type(small[0]) is not type(node):
            raise SliceRejected("two rewrites of this statement exclude each other", [job.change])
        self._for_line = []
        result = self._run(job, small[0], ())
        self._for_line = [*before, *(self._for_line or [last.with_changes(body=[result])])]
        return node

    def _statement_result(
        self, job: Job, node: cst.CSTNode, result: Any, inner: Sequence[cst.CSTNode]
    ) -> Any:
        if isinstance(result, cst.BaseSmallStatement | cst.RemovalSentinel) and isinstance(
            node, cst.BaseSmallStatement
        ):
            _check_kept(job, [result] if isinstance(result, cst.CSTNode) else [], inner)
            return result
        statements = as_statements(result)
        if statements is None:
            raise _internal_error(job, f"a {type(result).__name__} cannot replace this statement")
        _check_kept(job, statements, inner)
        if job.part == "header" and not _has_blocks_of(node, statements):
            raise _internal_error(job, "it changes more than the header")
        if isinstance(node, cst.BaseSmallStatement):
            # LibCST lets a small statement become small ones only: the line around it is replaced
            # when it is left.
            self._for_line = statements
            return node
        return statements[0] if len(statements) == 1 else cst.FlattenSentinel(statements)

    def _replace_line(self, line: cst.SimpleStatementLine | cst.SimpleStatementSuite) -> Any:
        statements, self._for_line = self._for_line or [], None
        if isinstance(line, cst.SimpleStatementSuite) or len(line.body) != 1:
            raise SliceRejected("the statement to replace shares its line with another one")
        return cst.FlattenSentinel(in_place_of_line(statements, line))


class _Style:
    """The slice's own defaults, spelled out, because the result uses those of its file."""

    def __init__(self, part: Slice, module: cst.Module) -> None:
        self._newline = None if module.default_newline == part.newline else module.default_newline
        self._indent = None if module.default_indent == part.indent else module.default_indent
        self.is_the_file_s = self._newline is None and self._indent is None

    def spell_out(self, node: Any) -> Any:
        if self.is_the_file_s:  # of most slices
            return node
        if isinstance(node, cst.Newline) and node.value is None and self._newline is not None:
            return node.with_changes(value=self._newline)
        if isinstance(node, cst.IndentedBlock) and node.indent is None and self._indent is not None:
            return node.with_changes(indent=self._indent)
        return node


def _without_parentheses(node: Any) -> tuple[Any, Sequence[Any], Sequence[Any]]:
    """Return ``node`` without its parentheses, and these; a generator keeps the pair it needs."""
    if not isinstance(node, cst.BaseExpression) or not node.lpar:
        return node, (), ()
    keep = 1 if isinstance(node, cst.GeneratorExp) else 0
    outer = len(node.lpar) - keep
    bare = node.with_changes(lpar=node.lpar[outer:], rpar=node.rpar[:keep])
    return bare, node.lpar[:outer], node.rpar[keep:]


def _internal_error(job: Job, what: str) -> SliceRejected:
    return SliceRejected(f"internal error in {job.rule}: {what}", [job.change])


def _has_blocks_of(node: cst.CSTNode, statements: Sequence[cst.CSTNode]) -> bool:
    """Whether the one of ``statements`` is of the kind of ``node``, with the very same blocks."""
    return [type(statement) for statement in statements] == [type(node)] and all(
        getattr(statements[0], name, None) is getattr(node, name, None) for name in _BLOCKS
    )


def _check_kept(job: Job, result: Iterable[cst.CSTNode], inner: Sequence[cst.CSTNode]) -> None:
    """Refuse a rewriter that dropped what other edits made inside its node."""
    if not inner:
        return
    # By text, for a rewriter may copy what it was given, with other white space and brackets.
    code = "".join(_compact(node) for node in result)
    if not all(_compact(part) in code for node in inner for part in _parts(node)):
        raise SliceRejected("it drops another rewrite made inside this code", [job.change])


def _parts(node: cst.CSTNode) -> list[cst.CSTNode]:
    """Return what of ``node`` a rewriter has to keep: the value of a ``return``, else the code.

    Lines above it do not count: an ``if`` alone may be ``elif`` in place.
    """
    match node:
        case cst.SimpleStatementLine(body=[cst.Return(value=cst.BaseExpression() as value)]):
            return [value]
    return [node.with_changes(leading_lines=[]) if hasattr(node, "leading_lines") else node]


def _compact(node: cst.CSTNode) -> str:
    code = cst.Module([]).code_for_node(node)
    return "".join(char for char in code if not char.isspace() and char not in "(),")
