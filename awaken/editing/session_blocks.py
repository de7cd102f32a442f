"""A session in ``with``: statements of a block become the block that the session is open in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from awaken.contract.rewriter_input import SessionBlock
from awaken.editing.call_arguments import code
from awaken.editing.comments import lost_comments
from awaken.editing.statements import as_block, without_blank_lines


def with_sessions(node: Any, moved: Sequence[SessionBlock]) -> Any:
    """``s = Session(); try: f(s); finally: s.close()`` → ``with Session() as s: f(s)``."""
    statements = _with_blocks(list(node.body.body), moved)
    return node.with_changes(body=node.body.with_changes(body=statements))


def _with_blocks(statements: list[Any], moved: Sequence[SessionBlock]) -> list[Any]:
    done: list[SessionBlock] = []
    # From the end, so that the other numbers stay right, except inside moved code.
    for item in sorted(moved, key=lambda each: each.first, reverse=True):
        inside = sum(each.last - each.first for each in done if each.first <= item.last)
        last = item.last - inside
        taken = statements[item.first : last + 1]
        block: Any = _block(taken, item).with_changes(leading_lines=taken[0].leading_lines)
        statements[item.first : last + 1] = [_with_comments(block, taken)]
        # Nodes inside of this one no longer count.
        done = [*(each for each in done if each.first > item.last), item]
    return statements


def _with_comments(block: Any, taken: list[Any]) -> Any:
    """Return a block with the comments that it lacks: those of the end stay at its end."""
    lost = lost_comments("".join(map(code, taken)), code(block))
    end = code(getattr(taken[-1], "finalbody", None) or taken[-1])
    above, below = (
        [cst.EmptyLine(comment=cst.Comment(text)) for text in lost if (text in end) is is_end]
        for is_end in (False, True)
    )
    body = block.body.with_changes(footer=[*block.body.footer, *below])
    return block.with_changes(leading_lines=[*block.leading_lines, *above], body=body)


def _block(taken: list[Any], data: SessionBlock) -> cst.With:
    made, *middle = taken
    if data.ends == "begun":
        tried = as_block(made.body)
        middle = [made.with_changes(body=tried.with_changes(body=tried.body[1:]), leading_lines=())]
        made = tried.body[0]
    inside, footer = _pair_inside(middle, data)
    inside[0] = without_blank_lines(inside[0])
    body = cst.IndentedBlock(inside, header=made.trailing_whitespace, footer=footer)
    item = cst.WithItem(made.body[0].value, asname=cst.AsName(cst.Name(data.name)))
    asynchronous = cst.Asynchronous() if data.is_async else None
    return cst.With([item], body, asynchronous=asynchronous)


def _pair_inside(middle: list[Any], data: SessionBlock) -> tuple[list[Any], list[Any]]:
    """Return the statements of the block, and the comments at its end."""
    if data.ends == "nothing":
        return middle, []
    *before, last = middle
    if data.ends == "closes":
        return before, []
    if data.inner and data.ends != "finally":
        last = with_sessions(last, list(data.inner))
    ended: Any = as_block(last.finalbody.body)
    kept = last.finalbody.with_changes(body=ended.with_changes(body=ended.body[:-1]))
    if data.ends == "finally":
        return _with_blocks([*before, last.with_changes(finalbody=kept)], data.inner), []
    if len(ended.body) > 1:
        return [*before, last.with_changes(finalbody=kept)], []
    if last.handlers or last.orelse is not None:
        return [*before, last.with_changes(finalbody=None)], []
    return [*before, *_body_of(last)], list(getattr(last.body, "footer", ()))


def _body_of(tried: Any) -> list[Any]:
    body: list[Any] = [*as_block(tried.body).body]
    first, *others = body
    lines = [*tried.leading_lines, *first.leading_lines]
    return [first.with_changes(leading_lines=lines), *others]
