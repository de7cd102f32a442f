"""The layout of a chain of calls in brackets of its own: on one line, or with a call on each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst
from msgspec import Struct

from awaken.editing.call_arguments import code, line_break
from awaken.editing.chains import chain_lines
from awaken.editing.chains.chain_lines import one_line


class Space(Struct, frozen=True):
    """The space of a statement: its lines start with ``indent``, the longest has ``length``."""

    indent: str
    step: str
    length: int

    def inner(self) -> Space:
        """Return the space one level further in."""
        return Space(self.indent + self.step, self.step, self.length)

    def fits(self, node: cst.CSTNode) -> bool:
        """Whether ``node`` fits on a line of its own."""
        return len(self.indent) + len(code(node)) <= self.length


def can_be_laid_out(statement: cst.BaseExpression) -> bool:
    """Whether a statement may be broken again: it has no comments and no strings over lines."""
    text = code(statement)
    return "\n" not in text or ("#" not in text and "\n" not in code(one_line(statement)))


def without_inner_parentheses(chain: cst.BaseExpression) -> cst.BaseExpression:
    """Return a chain of calls without the parentheses around what a later call is made on."""
    if isinstance(chain, cst.Call):
        return chain.with_changes(func=without_inner_parentheses(chain.func))
    if isinstance(chain, cst.Attribute) and isinstance(chain.value, cst.Call):
        bare = chain.value.with_changes(lpar=[], rpar=[])
        return chain.with_changes(value=without_inner_parentheses(bare))
    return chain


def keeps_lines(statement: cst.BaseExpression, builders: int) -> bool:
    """Whether the lines of a chain of so many builders were meant to stay, though it may fit."""
    calls, start = _builders_apart(statement)
    dots = [chain_lines.dot_of(call) for call in calls]
    if builders > 1 and any(chain_lines.has_break(dot) for dot in dots):
        return True
    return any(_is_listed(call) for call in [*calls, start])


def _is_listed(call: cst.BaseExpression) -> bool:
    """Whether arguments are one below the other, as a list of them, or end in a comma there.

    Where the bracket closes after the last of them, the lines are only as long as they may be.
    """
    if not isinstance(call, cst.Call) or not call.args:
        return False
    between = [argument.comma for argument in call.args[:-1]]
    last = call.args[-1].whitespace_after_arg
    if (
        chain_lines.has_break(call.whitespace_before_args)
        and any(isinstance(comma, cst.Comma) and chain_lines.has_break(comma) for comma in between)
        and chain_lines.has_break(last)
    ):
        return True
    return chain_lines.ends_in_comma(call.with_changes(func=cst.Name("f")))


def lay_out(statement: cst.BaseExpression, builders: int, space: Space) -> cst.BaseExpression:
    """Return ``statement``, the first line without its indentation, with its lines broken.

    It is put on one line where it fits, unless the author of its ``builders`` did otherwise. One
    builder stays after the start, more get a line each.
    """
    flat = one_line(statement)
    if space.fits(flat) and not keeps_lines(statement, builders):
        return flat
    calls, start = _builders_apart(statement)
    start = _called_on_one_line(start)
    if not calls:
        return _with_arguments(start, "", space)
    node = one_line(start)
    start = node if space.fits(node) else _with_arguments(start, "", space)
    if len(calls) == 1 and (beside := _builder_after_start(start, calls[0], space)) is not None:
        return beside
    dot = cst.Dot(whitespace_before=line_break(space.indent))
    for call in calls:
        start = _called_node(start, call, dot, f".{_name(call)}", space)
    return start


def _builder_after_start(
    start: cst.BaseExpression, call: cst.Call, space: Space
) -> cst.BaseExpression | None:
    """Return the only builder after the start of its statement, None if there is no room."""
    if not call.args and not chain_lines.has_break(start):
        start = listed_call(cst.ensure_type(start, cst.Call), space)
    *_, last = f"{space.indent}{code(start)}.{_name(call)}".split("\n")
    before = last.removeprefix(space.indent)
    if chain_lines.has_break(start) and len(last) + _width(call.args) + len("()") > space.length:
        return None
    return _called_node(start, call, cst.Dot(), before, space) if len(last) < space.length else None


def _called_on_one_line(start: cst.BaseExpression) -> cst.BaseExpression:
    """Return the start of a chain without a line break between a name and its first builder."""
    if not isinstance(start, cst.Call) or not chain_lines.has_break(start.func):
        return start
    return start.with_changes(func=one_line(start.func))


def _name(call: cst.Call) -> str:
    return cst.ensure_type(call.func, cst.Attribute).attr.value


def _builders_apart(statement: cst.BaseExpression) -> tuple[list[cst.Call], cst.BaseExpression]:
    """Return the builders of a chain, the first one first, and what they are called on."""
    calls: list[cst.Call] = []
    while isinstance(statement, cst.Call) and isinstance(statement.func, cst.Attribute):
        if not isinstance(statement.func.value, cst.Call):
            break
        calls.append(statement)
        statement = statement.func.value
    return calls[::-1], statement


def _called_node(
    start: cst.BaseExpression, call: cst.Call, dot: cst.Dot, before: str, space: Space
) -> cst.BaseExpression:
    """Return ``start`` with ``call`` called on it; ``before`` is on its line up to its name."""
    func = cst.ensure_type(call.func, cst.Attribute).with_changes(value=cst.Name("x"), dot=dot)
    arranged = _with_arguments(call.with_changes(func=cst.Name("x")), before, space)
    return cst.ensure_type(arranged, cst.Call).with_changes(func=func.with_changes(value=start))


def _with_arguments(node: cst.BaseExpression, before: str, space: Space) -> cst.BaseExpression:
    """Return a call with its arguments where they were: in its line, below it, or next to it."""
    if not isinstance(node, cst.Call) or not node.args:
        return node
    before = before or code(node.func)
    width = len(space.indent) + len(before) + 1
    flat = cst.ensure_type(one_line(node), cst.Call)
    if not _is_listed(node) and width + _width(flat.args) < space.length:
        return flat
    moved: cst.Call | None = None
    if chain_lines.has_break(node.whitespace_before_args):
        moved = _call_below(node, space)
    elif _opens_bracket(node):
        moved = _call_around(node, space)
    elif any(map(chain_lines.has_break, node.args)):
        moved = _call_on_first_line(node, width, space)
    if moved is not None and _longest(moved, width) <= space.length:
        return moved
    return listed_call(flat, space)


def _width(arguments: Sequence[cst.Arg]) -> int:
    return len(code(cst.Call(cst.Name("f"), arguments))) - len("f()")


def _longest(call: cst.Call, width: int) -> int:
    first, *others = code(call.with_changes(func=cst.Name("f"))).split("\n")
    return max([width + len(first) - len("f("), *map(len, others)])


def _call_below(node: cst.Call, space: Space) -> cst.Call:
    """Return the call with its arguments, which begin on a line below it, one level further in."""
    inner = space.inner().indent
    old = chain_lines.last_indent(node.whitespace_before_args)
    last = node.args[-1]
    moved = [chain_lines.reindented_node(argument, old, inner) for argument in node.args[:-1]]
    value = chain_lines.reindented_node(last.value, old, inner)
    close = line_break(space.indent)
    if isinstance(last.comma, cst.Comma):
        last = last.with_changes(value=value, comma=cst.Comma(whitespace_after=close))
    else:
        last = last.with_changes(value=value, whitespace_after_arg=close)
    return node.with_changes(args=[*moved, last], whitespace_before_args=line_break(inner))


def _opens_bracket(call: cst.Call) -> bool:
    """Whether the line of the arguments breaks for the first time inside a bracket of theirs."""
    first, *others = code(call.with_changes(func=cst.Name("f"))).split("\n")
    return bool(others) and first.rstrip()[-1:] in {"(", "[", "{"}


def _call_around(node: cst.Call, space: Space) -> cst.Call:
    """Return the call with the lines inside of its arguments' own brackets moved along."""
    old = _least_indent(node)
    new = space.indent if _closes_at(node, old) else space.inner().indent
    arguments = [chain_lines.reindented_node(argument, old, new) for argument in node.args]
    return node.with_changes(args=arguments)


def _closes_at(node: cst.Call, indent: str) -> bool:
    """Whether a line of the arguments of ``node`` starts with ``indent`` and a closing bracket."""
    _, *others = code(cst.Call(cst.Name("f"), node.args)).split("\n")
    return any(line.startswith((f"{indent})", f"{indent}]", f"{indent}}}")) for line in others)


def _least_indent(node: cst.Call) -> str:
    _, *others = code(cst.Call(cst.Name("f"), node.args)).split("\n")
    return min((line[: len(line) - len(line.lstrip())] for line in others), key=len)


def _call_on_first_line(node: cst.Call, width: int, space: Space) -> cst.Call | None:
    """Return the call with its lines below each other, where they begin in the first one."""
    old = _least_indent(node)
    if "\t" in old + space.indent:
        return None
    width += _opened_offset(code(cst.Call(cst.Name("f"), node.args)).partition("\n")[0])
    arguments = [chain_lines.reindented_node(argument, old, " " * width) for argument in node.args]
    return node.with_changes(args=arguments)


def _opened_offset(line: str) -> int:
    """Return the offset from the first bracket of ``line`` to the one that is still open."""
    still_open: list[int] = []
    for at, char in enumerate(line):
        if char in "([{":
            still_open.append(at)
        elif char in ")]}" and still_open:
            still_open.pop()
    return still_open[-1] - still_open[0] if still_open else 0


def listed_call(call: cst.Call, space: Space) -> cst.Call:
    """Return a one-line call with its arguments on a line below, or on one each."""
    inner = space.inner()
    close = line_break(space.indent)
    before = line_break(inner.indent)
    if len(inner.indent) + _width(call.args) <= space.length:
        last = call.args[-1].with_changes(
            comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=close
        )
        return call.with_changes(args=[*call.args[:-1], last], whitespace_before_args=before)
    values = [
        argument.with_changes(
            value=_fitted_argument(argument.value, _text_before(argument), inner),
            comma=cst.Comma(whitespace_after=before),
        )
        for argument in call.args
    ]
    last = values[-1].with_changes(comma=cst.Comma(whitespace_after=close))
    if len(values) == 1:
        last = last.with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=close)
    return call.with_changes(args=[*values[:-1], last], whitespace_before_args=before)


def _text_before(argument: cst.Arg) -> str:
    return argument.star if argument.keyword is None else f"{argument.keyword.value}="


def _fitted_argument(value: cst.BaseExpression, before: str, space: Space) -> cst.BaseExpression:
    """Return an argument on its own line, after ``before``, broken if it is too long for it."""
    if len(space.indent) + len(before) + len(code(value)) < space.length:
        return value
    if isinstance(value, cst.NamedExpr):
        named = f"{before}{code(value.target)} := "
        return value.with_changes(value=_fitted_argument(value.value, named, space))
    if isinstance(value, cst.Call):
        is_chain = bool(_builders_apart(value)[0])
        return lay_out(value, 0, space) if is_chain or not value.args else listed_call(value, space)
    if isinstance(value, cst.Dict | cst.List) and value.elements:
        displayed: cst.BaseExpression = _display(value, space)
        return displayed
    return value


def _display(node: Any, space: Space) -> Any:
    """Return a one-line display with its elements on a line each."""
    inner, outer = line_break(space.inner().indent), line_break(space.indent)
    *others, last = node.elements
    elements = [item.with_changes(comma=cst.Comma(whitespace_after=inner)) for item in others]
    elements.append(last.with_changes(comma=cst.Comma(whitespace_after=outer)))
    if isinstance(node, cst.Dict):
        opening: dict[str, Any] = {"lbrace": cst.LeftCurlyBrace(whitespace_after=inner)}
    else:
        opening = {"lbracket": cst.LeftSquareBracket(whitespace_after=inner)}
    return node.with_changes(elements=elements, **opening)
