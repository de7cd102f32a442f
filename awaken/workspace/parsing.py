"""Parsing that cannot take the run down: every failure is a line and one sentence."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from itertools import accumulate
from typing import Any

from awaken.workspace.sources import LINE_END_BYTES, SourceFile, TextError
from awaken.workspace.work import WORK

MAX_DEPTH = 400
"""Levels of a tree that awaken reads. Of 7,400 files of the standard library and large programs
none has more than 90; Python compiles 400 of any kind within its default recursion limit."""

LIBCST_DEPTH = 300
"""Levels that LibCST may be given, what a rewriter adds not counted: it survives 400 of any kind
in the 2 MB stack that Windows gives, but not 1,000."""

NEWEST_PYTHON = (3, 15)
"""The newest release (October 2026): what that one cannot read, no other can either."""

_RECURSION = 10_000
"""Calls inside each other: ten for each of ``MAX_DEPTH`` levels, and room for those around them."""
_PYTHON_2 = re.compile(
    r"\s*(?:print|exec)\s+[^\s(=.,:\[]"
    r"|\s*raise\s+[\w.]+\s*,"
    r"|\s*except\s+[\w.]+\s*,\s*[a-z_]\w*\s*:"  # Python 3.14 allows except OSError, ValueError:
)


class Unparsable(TextError):
    """The file is not Python that this interpreter reads; says why in a clause.

    If it ``never_runs``, no other Python 3 reads it either: importing it raises.
    """

    def __init__(self, message: str, line: int = 0, *, never_runs: bool = False) -> None:
        super().__init__(message, line)
        self.never_runs = never_runs


def parse(source: SourceFile) -> ast.Module:
    """Return the tree of ``source``, at most ``MAX_DEPTH`` levels deep. Raises Unparsable."""
    return parse_text(source.text)


def parse_text(text: bytes) -> ast.Module:
    """Return the tree of UTF-8 ``text``, at most ``MAX_DEPTH`` levels deep. Raises Unparsable.

    CPython 3.11 to 3.13 refuse hostile nesting with an exception (32 shapes, up to 100,000
    levels), so the parser needs no guard before it; what walks the tree does.
    """
    tree = _parse(text)
    deep = _deep_statement(text, tree)
    if deep:
        raise Unparsable(f"is nested more than {MAX_DEPTH} levels deep", deep)
    return tree


def parse_again(source: SourceFile) -> ast.Module:
    """Return the tree of a file that ``parse`` took before: how deep it is need not be measured."""
    return _parse(source.text)


def _parse(text: bytes) -> ast.Module:
    WORK.texts.add(hash(text))
    WORK.parses += 1
    WORK.parsed_bytes += len(text)
    try:
        with warnings.catch_warnings(action="ignore"):
            # As str: as bytes, a coding cookie would decode our UTF-8 a second time. Without a
            # name: to show the line of a SyntaxError, Python opens the file of that name, and
            # "<unknown>" in the current directory may be a pipe.
            return ast.parse(text.decode(), filename="")
    except SyntaxError as error:
        never_runs = _never_runs(text, error)
        raise Unparsable(_explain(text, error), error.lineno or 0, never_runs=never_runs) from None
    except (RecursionError, MemoryError):
        raise Unparsable("is nested too deeply for Python's own parser") from None
    except (ValueError, OverflowError) as error:
        raise Unparsable(f"cannot be parsed: {error}") from None


# Syntax that no newer Python accepts either.
_WRONG_EVERYWHERE = re.compile(
    r"too many|Exceeds|\(unicode error\)|inconsistent use|unindent|unexpected indent"
    r"|'.' was never closed|unmatched|closing parenthesis|expected an indented block"
    r"|expected ':'|unterminated (triple-quoted )?string|parameter without a default"
    r"|non-default argument"
)
_F_STRING = re.compile(rb"\b[rR]?[fFtT][rR]?[\"']")
_FREE_F_STRINGS = (3, 12)
"""The Python from which on an f-string may hold any quotes and lines."""
_NEWER = (
    (re.compile(rb"^\s*type\s+\w+\s*(\[.*)?=|^\s*(async\s+)?(def|class)\s+\w+\["), "3.12"),
    (re.compile(rb"^\s*except\s+\w[\w.]*\s*,|\bt[\"']"), "3.14"),
)
"""How lines begin that only newer Pythons take, and from which one on."""


def _never_runs(text: bytes, error: SyntaxError) -> bool:
    is_whole = sys.version_info[:2] >= _FREE_F_STRINGS or not _F_STRING.search(text)
    return is_whole and _WRONG_EVERYWHERE.match(error.msg) is not None


def _explain(text: bytes, error: SyntaxError) -> str:
    lines = LINE_END_BYTES.split(text)
    number = error.lineno or 0
    line = lines[number - 1] if 0 < number <= len(lines) else b""
    if _PYTHON_2.match(line.decode()) or error.msg.startswith("leading zeros"):
        return f"{error.msg}; this looks like Python 2, which awaken does not read"
    # Lines inside of its braces end a string for an older Python.
    is_cut = error.msg.startswith("unterminated string") and _F_STRING.search(line) is not None
    is_free = is_cut or error.msg.startswith("f-string")
    is_free = is_free and sys.version_info[:2] < _FREE_F_STRINGS
    if _WRONG_EVERYWHERE.match(error.msg) and not is_free:
        return error.msg.partition(";")[0]  # what follows is for programmers of Python
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    message = f"{error.msg} for Python {running}"
    if sys.version_info[:2] >= NEWEST_PYTHON:
        return message
    since = next((python for form, python in _NEWER if form.match(line)), "")
    if since:
        return (
            f"{message}; run awaken with Python {since} or newer, which has this: {_install(since)}"
        )
    newest = ".".join(map(str, _FREE_F_STRINGS if is_free else NEWEST_PYTHON))
    return f"{message}; if the file is for a newer Python, run awaken with it: {_install(newest)}"


def _install(python: str) -> str:
    """Return the command that installs awaken for another Python."""
    return f"`uv tool install --force --python {python} .` in the clone of awaken"


_STATEMENTS = (ast.stmt, ast.excepthandler)


def _deep_statement(text: bytes, tree: ast.Module) -> int:
    """Return the line of a statement nested too deeply, 0 if there is none.

    A level needs a byte, so only long nodes are looked into: a twentieth of a walk's time.
    """
    # A list instead of recursion: this is the check that recursion is safe afterwards.
    measure = _Extents(text)
    waiting: list[tuple[ast.AST, int, int]] = [(tree, 0, 1)]
    while waiting:
        node, level, line = waiting.pop()
        if level > MAX_DEPTH:
            return line
        for child in children_by_field(node):
            if not measure.holds(child, MAX_DEPTH - level):
                continue
            here = child.lineno if isinstance(child, _STATEMENTS) else line
            # Before Python 3.12 the places inside of f-strings are wrong.
            if not isinstance(child, ast.JoinedStr):
                waiting.append((child, level + 1, here))
            elif level + depth(child, MAX_DEPTH) > MAX_DEPTH:
                return here
    return 0


def children_by_field(node: ast.AST) -> list[ast.AST]:
    """Return what ``ast.iter_child_nodes`` yields, in half its time: whole programs are walked."""
    nodes: list[ast.AST] = []
    for name in node._fields:
        # Nodes that awaken makes itself may lack optional fields.
        value = getattr(node, name, None)
        if type(value) is list:
            nodes += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            nodes.append(value)
    return nodes


class _Extents:
    """How many bytes nodes take."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._starts: list[int] = []

    def holds(self, node: ast.AST, levels: int) -> bool:
        """Whether a node, with its decorators, is long enough for so many levels."""
        begin: Any = (getattr(node, "decorator_list", None) or [node])[0]
        try:
            first, last = begin.lineno, node.end_lineno  # type: ignore[attr-defined]
            width = node.end_col_offset - begin.col_offset  # type: ignore[attr-defined]
        except AttributeError:
            # The parameters of a function together have no position, and each of them has.
            return levels < 1 or any(
                self.holds(child, levels - 1) for child in children_by_field(node)
            )
        if first != last:
            self._starts = self._starts or list(
                accumulate(map(len, self._text.splitlines(keepends=True)), initial=0)
            )
            width += self._starts[last - 1] - self._starts[first - 1]
        # the innermost byte has a few levels: an expression, a name, its context
        return bool(width + 10 > levels)


def depth(node: ast.AST, limit: int) -> int:
    """Return the levels of the tree below and including ``node``, at most ``limit + 1``.

    Goes level by level, so no depth can exhaust the stack.
    """
    level, result = [node], 0
    while level and result <= limit:
        result += 1
        level = [child for part in level for child in children_by_field(part)]
    return result


def too_deep_for_libcst(node: ast.AST) -> str | None:
    """Return why the source of ``node`` is not given to LibCST, as a clause; None if it can be."""
    if depth(node, LIBCST_DEPTH) <= LIBCST_DEPTH:
        return None
    return f"it is nested more than {LIBCST_DEPTH} levels deep, and LibCST could crash on it"


class deep_recursion:  # noqa: N801  in the place of a function, which costs four calls more
    """Lets recursive code (LibCST, a visitor) go ``MAX_DEPTH`` levels deep, ten calls a level.

    Calls between Python functions take no C stack since Python 3.11, so only the limit stops them.
    """

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = sys.getrecursionlimit()
        # Never lower than it was: the caller may be deep already.
        sys.setrecursionlimit(max(self._before, _RECURSION))

    def __exit__(self, *_: object) -> None:
        sys.setrecursionlimit(self._before)
