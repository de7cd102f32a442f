"""Loader options in the chain of calls of a statement, laid out as its author lays out lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import libcst as cst

from awaken.contract import Surroundings
from awaken.contract.rewriter_input import LoadOptions
from awaken.editing.call_arguments import appended_call, code, line_break
from awaken.editing.chains import chain_lines
from awaken.editing.chains.chain_layout import Space, can_be_laid_out, lay_out, listed_call


def with_load_options(
    node: cst.BaseExpression, data: LoadOptions, around: Surroundings
) -> cst.BaseExpression:
    """Return a chain of calls with more options."""
    at, changed = data.at, {(call, position): text for call, position, text in data.changed}
    links, start = _pair_apart(node, data.calls)
    links = [_with_changed(link, index, changed) for index, link in enumerate(links)]
    options = [cst.Arg(cst.parse_expression(text)) for text in data.added]
    touched = {index for index, _ in changed}
    if at is not None:
        for option in options:
            links[at] = appended_call(links[at], option)
        touched.add(at)
    elif options:
        dot = chain_lines.dot_of(links[0]) if links else cst.Dot()
        dot = chain_lines.clean_break(dot) if chain_lines.has_break(dot) else cst.Dot()
        func = cst.Attribute(start, cst.Name("options"), dot=dot)
        links.insert(0, cst.Call(func, _with_commas(options)))
        touched = {index + 1 for index in touched} | {0}
    links = [
        _fitted_call(link, around) if index in touched else link for index, link in enumerate(links)
    ]
    whole = _joined_node(start, links)
    if isinstance(node, cst.Call) and links and data.calls:
        whole = whole.with_changes(lpar=node.lpar, rpar=node.rpar)
    return _laid_out(whole, links, around)


def _pair_apart(node: cst.BaseExpression, calls: int) -> tuple[list[cst.Call], cst.BaseExpression]:
    links: list[cst.Call] = []
    for _ in range(calls):
        call = cst.ensure_type(node, cst.Call)
        links.insert(0, call)
        node = cst.ensure_type(call.func, cst.Attribute).value
    return links, node


def _joined_node(start: cst.BaseExpression, links: Sequence[cst.Call]) -> cst.BaseExpression:
    for link in links:
        func = cst.ensure_type(link.func, cst.Attribute).with_changes(value=start)
        start = link.with_changes(func=func)
    return start


def _with_changed(link: cst.Call, index: int, changed: Mapping[tuple[int, int], str]) -> cst.Call:
    arguments = [
        argument.with_changes(value=cst.parse_expression(changed[index, position]))
        if (index, position) in changed
        else argument
        for position, argument in enumerate(link.args)
    ]
    return link.with_changes(args=arguments)


def _with_commas(arguments: Sequence[cst.Arg]) -> list[cst.Arg]:
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return [*(argument.with_changes(comma=comma) for argument in arguments[:-1]), arguments[-1]]


def _fitted_call(link: cst.Call, around: Surroundings) -> cst.Call:
    """Return a call on a line of its own with its arguments below it, if the line is too long."""
    dot = chain_lines.dot_of(link)
    alone = link.with_changes(func=cst.Name(cst.ensure_type(link.func, cst.Attribute).attr.value))
    if not chain_lines.has_break(dot) or chain_lines.has_break(alone):
        return link
    indent = chain_lines.line_indent(dot, around)
    if len(indent) + len(".") + len(code(alone)) <= around.line_length:
        return link
    broken = listed_call(alone, Space(indent, around.indent, around.line_length))
    return link.with_changes(args=broken.args, whitespace_before_args=broken.whitespace_before_args)


def _laid_out(
    whole: cst.BaseExpression, links: Sequence[cst.Call], around: Surroundings
) -> cst.BaseExpression:
    """Return the chain with its lines broken, if the first or the last one is too long now."""
    lines = code(whole).split("\n")
    ends = around.trailing if len(lines) == 1 else 0
    too_long = around.column + len(lines[0]) + ends > around.line_length
    if not too_long or around.breaks_around or not can_be_laid_out(whole):
        return whole
    length, step = around.line_length, around.indent
    is_free = around.bracketed or around.parentheses is not None
    if len(links) == 1 and isinstance(whole, cst.Call) and not is_free:
        return listed_call(whole, Space(around.line_indent, step, length))
    if is_free:
        return lay_out(whole, len(links), Space(around.line_indent, step, length))
    inner = around.line_indent + step
    laid = lay_out(whole, len(links), Space(inner, step, length))
    opening = cst.LeftParen(whitespace_after=line_break(inner))
    closing = cst.RightParen(whitespace_before=line_break(around.line_indent))
    return laid.with_changes(lpar=[opening, *laid.lpar], rpar=[*laid.rpar, closing])
