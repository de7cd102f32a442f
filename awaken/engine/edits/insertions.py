"""Renders new statements and finds the line where they go."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import libcst as cst
from msgspec import Struct

from awaken.contract import InsertStatements, Rewriter, Span, Surroundings
from awaken.editing.statements import as_statements
from awaken.engine.edits.file_slices import (
    Misplaced,
    is_elif,
    line_of_statement,
    nodes_on_lines,
)
from awaken.engine.edits.owned_edits import OwnedEdit
from awaken.engine.edits.style import (
    FileStyle,
    blank_lines_around,
    line_above,
    line_end,
    line_indent,
)
from awaken.project.source.lines.statement_lines import statements_of_line
from awaken.project.source.modules import Module
from awaken.workspace.parsing import deep_recursion
from awaken.workspace.sources import LINE_END_BYTES

_COOKIE_LINES = 2  # PEP 263
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Spot(Struct, frozen=True):
    """The byte where a line starts that new statements push down, and their indentation.

    ``opens_block`` says that no other statement precedes it in its block. Between two statements of
    one line they replace what is there up to ``end``: each gets lines of its own.
    """

    at: int
    indent: str
    opens_block: bool = False
    end: int | None = None


class Inserted(Struct, frozen=True):
    """New lines for a spot, and how many blank lines they want around them."""

    spot: Spot
    text: str
    blank_before: int
    blank_after: int


def insertion(
    module: Module, owned: OwnedEdit[InsertStatements], rewriter: Rewriter, style: FileStyle
) -> Inserted:
    """Return where the statements go and their text. Raises Misplaced."""
    spot = _spot(module, owned.edit)
    around = Surroundings(
        newline=style.newline,
        indent=style.indent,
        line_indent=spot.indent,
        column=len(spot.indent),
        line_length=style.line_length,
    )
    try:
        statements = as_statements(rewriter(None, owned.edit.data, around))
        text = _render(statements, spot.indent, style) if statements else ""
    except Exception as error:  # a rule may fail in any way; the run goes on
        raise Misplaced(
            f"internal error in {owned.rule}: {type(error).__name__}: {error}"
        ) from error
    if not statements:
        raise Misplaced(f"internal error in {owned.rule}: no statements to insert")
    beside_imports = owned.edit.where == "after-imports"
    first, last = statements[0], statements[-1]
    above: Sequence[cst.EmptyLine] = getattr(first, "leading_lines", ())
    # The rewriter may bring blank lines of its own; they count instead of those of PEP 8.
    has_blank = bool(above) and above[0].comment is None
    before = 0 if has_blank else _blank(first, spot, beside_imports)
    return Inserted(spot, text, before, _blank(last, spot, beside_imports))


def _blank(statement: cst.BaseStatement, spot: Spot, beside_imports: bool) -> int:
    """Return how many blank lines a statement wants around it: PEP 8, "Blank Lines"."""
    if isinstance(statement, cst.FunctionDef | cst.ClassDef):
        return 1 if spot.indent else 2
    return int(beside_imports)


def inserted_texts(text: bytes, parts: Sequence[Inserted], newline: str) -> list[str]:
    """Return what to insert for each of ``parts``, which all go to one place, in their order."""
    at, end = parts[0].spot.at, parts[0].spot.end
    if end is not None:
        lines = newline + "".join(part.text for part in parts) + parts[0].spot.indent
        return [lines, *("" for _ in parts[1:])]
    above, below = blank_lines_around(text, at)
    # At the end of a file without a last newline the new lines begin with one and end without.
    unfinished = at > 0 and LINE_END_BYTES.fullmatch(text[at - 1 : at]) is None
    is_first = at == 0 or parts[0].spot.opens_block
    result = []
    wanted = 0
    for index, part in enumerate(parts):
        blank = max(wanted, part.blank_before)
        if index == 0:
            blank = 0 if is_first else max(0, blank - above)
        lines = newline * blank + part.text
        result.append(newline + lines.removesuffix(newline) if unfinished else lines)
        wanted = part.blank_after
    if text[at:].strip():
        result[-1] += newline * max(0, wanted - below)
    return result


def _render(statements: Sequence[cst.BaseStatement], indent: str, style: FileStyle) -> str:
    body: Any = statements
    if indent:
        # LibCST indents statements in a block only, so they get one, whose header is cut off.
        header = f"if 1:{style.newline}"
        body = [cst.If(cst.Integer("1"), cst.IndentedBlock(body, indent=indent))]
    module = cst.Module(body, default_newline=style.newline, default_indent=style.indent)
    with deep_recursion():
        code: str = module.code
    return code.removeprefix(header) if indent else code


def _spot(module: Module, edit: InsertStatements) -> Spot:
    if edit.where == "after-imports":
        return Spot(end_of_imports(module), "")
    statement = _statement_at(module, edit.at)
    if edit.where == "body-start":
        return _body_start(module, statement)
    # For ast an elif is an If like any other, and its block has no lines.
    if is_elif(module, statement):
        raise Misplaced("new statements cannot be inserted next to an elif")
    spot_of = _spot_after if edit.where == "after" else _spot_before
    return spot_of(module, statement)


def _spot_before(module: Module, statement: ast.stmt) -> Spot:
    line = statements_of_line(module, statement)
    if line[0] is not statement:
        return _spot_between(module, line[line.index(statement) - 1], statement)
    start, indent = _line_of(module, statement)
    opens = module.block_of(statement)[0] is statement and bool(indent)
    return Spot(above_comments(module.source.text, start), indent, opens)


def _spot_after(module: Module, statement: ast.stmt) -> Spot:
    line = statements_of_line(module, statement)
    if line[-1] is not statement:
        return _spot_between(module, statement, line[line.index(statement) + 1])
    _, indent = _line_of(module, line[0])
    return Spot(line_end(module.source.text, module.span(statement).end), indent)


def _spot_between(module: Module, statement: ast.stmt, following: ast.stmt) -> Spot:
    _, indent = _line_of(module, statements_of_line(module, statement)[0])
    return Spot(module.span(statement).end, indent, end=module.span(following).start)


def _statement_at(module: Module, at: Span) -> ast.stmt:
    line, _ = module.line_column(at)
    for node in nodes_on_lines(module.tree, {line}):
        if isinstance(node, ast.stmt) and module.span(node) == at:
            return node
    raise Misplaced("no statement found at the place of an insertion")


def _line_of(module: Module, statement: ast.stmt) -> tuple[int, str]:
    """Return where the line of a statement starts, and its indentation. Raises Misplaced."""
    start = line_of_statement(module, statement)
    if start is None:
        raise Misplaced("new statements cannot be inserted next to one that shares its line")
    return start, line_indent(module.source.text, start).decode()


def _body_start(module: Module, definition: ast.stmt) -> Spot:
    if not isinstance(definition, _DEFINITIONS):
        raise Misplaced("the place of an insertion is not a definition")
    first = definition.body[0]
    # A docstring is one only while it comes first.
    return _spot_after(module, first) if is_docstring(first) else _spot_before(module, first)


def is_docstring(statement: ast.stmt) -> bool:
    """Whether ``statement`` is a string standing alone."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def above_comments(text: bytes, start: int) -> int:
    """Return where the comment lines directly above the line ``start`` begin.

    Those at the very top of a file, and those below its shebang or encoding cookie, are its
    header and stay there.
    """
    indent, at, top = line_indent(text, start), start, _machine_lines_end(text)
    while at > top:
        above = line_above(text, at)
        line = text[above:at].rstrip()
        # A comment with another indentation belongs to another block.
        if not line.startswith(indent + b"#"):
            return at
        at = above
    return start


def end_of_imports(module: Module) -> int:
    """Return where the line after the file's leading imports starts.

    The docstring, ``if TYPE_CHECKING:`` blocks and ``try`` blocks that import count among them;
    without any of these it is the line after the header comments.
    """
    text, end = module.source.text, None
    for statement in module.tree.body:
        # A string below an import is no docstring, and ends the imports.
        if not (is_docstring(statement) and end is None) and not _imports(statement):
            break
        end = line_end(text, module.span(statement).end)
    return header_end(text) if end is None else end


def _imports(statement: ast.stmt) -> bool:
    """Whether a statement imports, or holds nothing but imports and at least one of them."""
    if not isinstance(statement, ast.If | ast.Try):
        return isinstance(statement, ast.Import | ast.ImportFrom)
    handlers = getattr(statement, "handlers", [])
    blocks = [statement.body, statement.orelse, *(handler.body for handler in handlers)]
    # `except ImportError: pass` is part of an import that may fail.
    inside = [item for block in blocks for item in block if not isinstance(item, ast.Pass)]
    return bool(inside) and all(_imports(candidate) for candidate in inside)


def header_end(text: bytes) -> int:
    """Return where the line after a file's header comments starts: shebang, cookie, licence.

    A comment that touches the first statement belongs to that statement, unless it is a shebang
    or an encoding cookie.
    """
    at = kept = _machine_lines_end(text)
    while text.startswith(b"#", at):
        at = line_end(text, at)
    blank = at == len(text) or LINE_END_BYTES.match(text, at) is not None
    return at if blank else kept


def _machine_lines_end(text: bytes) -> int:
    """Return where the line after the shebang and the encoding cookie starts, 0 without them.

    The cookie may stand in line 2 below a blank line; a line put above would disable it.
    """
    at = end = 0
    for _ in range(_COOKIE_LINES):
        start, at = at, line_end(text, at)
        line = text[start:at].strip()
        if line.startswith(b"#!") or (line.startswith(b"#") and b"coding" in line):
            end = at
        elif line and not line.startswith(b"#"):
            break
    return end
