"""Continuation lines of a call, which move with its opening bracket."""

from __future__ import annotations

import libcst as cst

from awaken.editing.call_arguments import code, with_line_starts


def realigned_call(old: cst.Call, new: cst.Call, column: int) -> cst.Call:
    """Return ``new``, which has the arguments of ``old``, aligned with each other as before.

    Both start at ``column``. Where the first argument of ``old`` is on the line of the bracket and
    the other lines begin below it, they move as the bracket does. Any other lines stay.
    """
    moved_by = _opened_at(new, column) - _opened_at(old, column)
    starts = [len(line) - len(line.lstrip(" ")) for line in _further_lines(old)]
    below = _opened_at(old, column)
    # A closing bracket on its own line may be below the opening one.
    if not moved_by or not starts or min(starts) not in {below, below - 1}:
        return new
    width = max(moved_by, -min(starts))

    def shift_indent(start: str) -> str:
        return " " * (len(start) + width) if len(start) + 1 >= below else start

    bare = new.with_changes(func=cst.Name("f"))
    arranged = cst.ensure_type(with_line_starts(bare, shift_indent), cst.Call)
    return arranged.with_changes(func=new.func)


def _opened_at(call: cst.Call, column: int) -> int:
    """Return the column after the bracket that opens the arguments of ``call``."""
    *above, last = f"{code(call.func)}{code(call.whitespace_after_func)}(".split("\n")
    return len(last) if above else column + len(last)


def _further_lines(call: cst.Call) -> list[str]:
    """Return the lines of the arguments of ``call`` but the first; none if it has no argument."""
    first, *others = code(call.with_changes(func=cst.Name("f"), lpar=[], rpar=[])).split("\n")
    is_below = first.rstrip() == "f("
    return [] if is_below else [line for line in others if line.strip()]
