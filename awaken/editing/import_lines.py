"""Adds names to, and removes them from, the text of one import statement, keeping its style."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence

from awaken.contract import Surroundings
from awaken.workspace.sources import LINE_END

SortKey = Callable[[str], tuple[int, str]]


def by_type(name: str) -> tuple[int, str]:
    """Sort constants first, then classes, then the rest: the default of ruff and isort."""
    if name.isupper() and len(name) > 1:
        return 0, name.lower()
    return (1 if name[:1].isupper() else 2), name.lower()


def _ignoring_case(name: str) -> tuple[int, str]:
    return 0, name.lower()


def _as_text(name: str) -> tuple[int, str]:
    return 0, name


def sort_key(names: Sequence[str]) -> SortKey | None:
    """Return the order that ``names`` are in; None for no order that awaken knows."""
    # The tools' default first: few names are in several orders.
    for key in (by_type, _ignoring_case, _as_text):
        keys = [key(name) for name in names]
        if keys == sorted(keys):
            return key
    return None


def new_import(module: str, names: Sequence[str], style: Surroundings) -> str:
    """Return ``from module import names`` without a newline at its end.

    One name to a line, in parentheses, if it would be longer than a line.
    """
    ordered = sorted(names, key=by_type)
    line = f"from {module} import {', '.join(ordered)}"
    if len(style.line_indent) + len(line) <= style.line_length:
        return line
    return f"from {module} import {_exploded_text(ordered, style)}"


def _exploded_text(names: Sequence[str], style: Surroundings) -> str:
    inside = style.line_indent + style.indent
    lines = [f"{inside}{name}," for name in names]
    return style.newline.join(["(", *lines, f"{style.line_indent})"])


def add_name(statement: str, name: str, style: Surroundings) -> str:
    """Return the ``from`` import ``statement`` with ``name`` (``a`` or ``a as b``) added.

    The name goes to its place if the names are sorted, else to the end.
    """
    aliases = _aliases(statement)
    texts = [statement[start:end] for start, end in aliases]
    key = sort_key([_name(text) for text in texts])
    place = len(texts)
    if key is not None:
        wanted = key(_name(name))
        place = sum(key(_name(text)) <= wanted for text in texts)
    added = _insert(statement, aliases, place, name, style)
    if LINE_END.search(added) or len(style.line_indent) + len(added) <= style.line_length:
        return added
    head = statement[: aliases[0][0]].rstrip().removesuffix("(").rstrip()
    return f"{head} {_exploded_text([*texts[:place], name, *texts[place:]], style)}"


def joined_imports(first: str, second: str, style: Surroundings) -> str | None:
    """Return the import ``first`` with the names of ``second`` added; None for other code.

    Both replace the same ``from`` import.
    """
    try:
        bodies = [ast.parse(text, filename="").body for text in (first, second)]
    except SyntaxError:
        return None
    match bodies:
        case [[ast.ImportFrom(names=known)], [ast.ImportFrom(names=more)]]:
            names = {*map(ast.unparse, known)}
            for name in map(ast.unparse, more):
                first = first if name in names else add_name(first, name, style)
            return first
    return None


def _name(alias: str) -> str:
    return alias.split(maxsplit=1)[0]


def _insert(
    statement: str, aliases: list[tuple[int, int]], place: int, name: str, style: Surroundings
) -> str:
    joined = _insert_on_shared_line(statement, aliases, place, name)
    if joined is not None and _fits(joined, style):
        return joined
    # A line of its own only where the others have one.
    if place < len(aliases):
        at = aliases[place][0]
        between = (
            f",{style.newline}{_line_white(statement, at)}" if _starts_line(statement, at) else ", "
        )
        return f"{statement[:at]}{name}{between}{statement[at:]}"
    last_start, last_end = aliases[-1]
    if not _starts_line(statement, last_start):
        return f"{statement[:last_end]}, {name}{statement[last_end:]}"
    white = _line_white(statement, last_start)
    comma = re.compile(r"\s*,").match(statement, last_end)
    after = comma.end() if comma else last_end
    match = LINE_END.search(statement, after)
    if match is None:  # the closing parenthesis is on the line of the last name
        return f"{statement[:last_end]},{style.newline}{white}{name}{statement[last_end:]}"
    line = f"{white}{name}{',' if comma else ''}"
    kept = statement[:after] if comma else f"{statement[:last_end]},"
    return f"{kept}{statement[after : match.end()]}{line}{style.newline}{statement[match.end() :]}"


def _insert_on_shared_line(
    statement: str, aliases: list[tuple[int, int]], place: int, name: str
) -> str | None:
    """Return the statement with ``name`` on a line of others; None if each has a line of its own.

    That is the line of the name that it comes in front of, or of the last one.
    """
    lines = [_line_start(statement, start) for start, _ in aliases]
    if len(set(lines)) in {1, len(lines)}:
        return None
    if place < len(aliases):
        at = aliases[place][0]
        return f"{statement[:at]}{name}, {statement[at:]}"
    end = aliases[-1][1]
    return f"{statement[:end]}, {name}{statement[end:]}"


def _fits(statement: str, style: Surroundings) -> bool:
    first, *others = LINE_END.split(statement)
    widths = [len(style.line_indent) + len(first), *map(len, others)]
    return max(widths) <= style.line_length


def remove_name(statement: str, bound: str) -> str | None:
    """Return the import ``statement`` without the alias that binds ``bound``.

    None if that would lose a comment, "" if no name would be left.
    """
    aliases = _aliases(statement)
    nodes = _parse(statement).names
    index = next(i for i, node in enumerate(nodes) if (node.asname or node.name) == bound)
    if len(aliases) == 1:
        return None if "#" in statement else ""
    start, end = _removed_pair(statement, aliases, index)
    return None if "#" in statement[start:end] else statement[:start] + statement[end:]


def _removed_pair(statement: str, aliases: list[tuple[int, int]], index: int) -> tuple[int, int]:
    """Return what goes with an alias: its comma, and its line if it has one of its own."""
    start, end = aliases[index]
    rest = re.compile(r"[ \t]*,?[ \t]*(#[^\r\n]*)?(\r\n|\n|\r)").match(statement, end)
    if _starts_line(statement, start) and rest is not None:
        return start - len(_line_white(statement, start)), rest.end()
    if index + 1 < len(aliases):
        if LINE_END.search(statement, end, aliases[index + 1][0]) is None:
            return start, aliases[index + 1][0]
        comma = statement.index(",", end) + 1
        return (aliases[index - 1][1], comma - 1) if index else (start, comma)
    return aliases[index - 1][1], end


def _starts_line(statement: str, at: int) -> bool:
    """Whether the alias at ``at`` starts a line inside parentheses."""
    line = _line_white(statement, at)
    begins = at == _line_start(statement, at) + len(line)
    return begins and bool(_line_start(statement, at)) and "(" in statement[:at]


def _line_start(statement: str, at: int) -> int:
    return max(statement.rfind("\n", 0, at), statement.rfind("\r", 0, at)) + 1


def _line_white(statement: str, at: int) -> str:
    match = re.compile(r"[ \t]*").match(statement, _line_start(statement, at))
    return match.group() if match else ""


def _parse(statement: str) -> ast.Import | ast.ImportFrom:
    node = ast.parse(statement, filename="").body[0]
    if not isinstance(node, ast.Import | ast.ImportFrom):
        raise TypeError(f"not an import: {statement}")
    return node


def _aliases(statement: str) -> list[tuple[int, int]]:
    """Return where the aliases of the statement start and end, in characters."""
    starts = [0, *(match.end() for match in LINE_END.finditer(statement))]
    # ast counts columns in bytes, and the statement is a str.
    lines = [statement[a:b].encode() for a, b in zip(starts, [*starts[1:], None], strict=True)]

    def offset_of(line: int, column: int) -> int:
        return starts[line - 1] + len(lines[line - 1][:column].decode())

    return [
        (
            offset_of(node.lineno, node.col_offset),
            offset_of(node.end_lineno or 0, node.end_col_offset or 0),
        )
        for node in _parse(statement).names
    ]
