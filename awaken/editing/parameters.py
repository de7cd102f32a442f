"""The parameters of a function: their order and their lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from awaken.contract import Surroundings
from awaken.editing.call_arguments import code, is_hugged, line_break

_NO_SPACE = cst.SimpleWhitespace("")


def split_comma(comma: cst.Comma) -> tuple[cst.Comma, cst.Comma]:
    """Return two commas for one: the comment after it goes to the first, lines to the second."""
    after = comma.whitespace_after
    if not isinstance(after, cst.ParenthesizedWhitespace):
        return comma, comma
    first = after.with_changes(empty_lines=[])
    second = after.with_changes(first_line=cst.TrailingWhitespace())
    return comma.with_changes(whitespace_after=first), comma.with_changes(whitespace_after=second)


def in_order(
    old: Sequence[cst.Param], names: Sequence[str], opening: Space
) -> tuple[Sequence[cst.Param], Space]:
    """Return parameters in the order of ``names``, which holds those of ``old`` and may hold more.

    ``opening`` is the text before the first one, and is returned with its new text. Line breaks and
    commas stay where they are; comments go with their parameters.
    """
    by_name = {item.name.value: item for item in old}
    new = [by_name[name] for name in names if name in by_name]
    if [item.name.value for item in old] == [item.name.value for item in new]:
        return old, opening
    spaces = [opening, *(_space_behind(item) for item in old)]
    above = {item.name.value: _lines(spaces[at]) for at, item in enumerate(old)}
    behind = {item.name.value: _first_line(spaces[at + 1]) for at, item in enumerate(old)}
    placed = []
    for at, (parameter, there) in enumerate(zip(new, old, strict=True)):
        following = above[new[at + 1].name.value] if at + 1 < len(new) else None
        space = _made_space(spaces[at + 1], behind[parameter.name.value], following)
        placed.append(_in_place_of(parameter, there, space))
    return placed, _made_space(opening, _first_line(opening), above[new[0].name.value])


Space = cst.BaseParenthesizableWhitespace


def _space_behind(parameter: cst.Param) -> Space:
    comma = parameter.comma
    if isinstance(comma, cst.Comma):
        return comma.whitespace_after
    return parameter.whitespace_after_param


def _lines(space: Space) -> Sequence[cst.EmptyLine]:
    return space.empty_lines if isinstance(space, cst.ParenthesizedWhitespace) else ()


def _first_line(space: Space) -> cst.TrailingWhitespace:
    if isinstance(space, cst.ParenthesizedWhitespace):
        return space.first_line
    return cst.TrailingWhitespace()


def _made_space(
    space: Space, first_line: cst.TrailingWhitespace, lines: Sequence[cst.EmptyLine] | None
) -> Space:
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return space
    kept = space.empty_lines if lines is None else lines
    return space.with_changes(first_line=first_line, empty_lines=kept)


def _in_place_of(parameter: cst.Param, there: cst.Param, space: Space) -> cst.Param:
    comma, after = there.comma, there.whitespace_after_param
    if isinstance(comma, cst.Comma):
        comma = comma.with_changes(whitespace_after=space)
    else:
        after = space
    return parameter.with_changes(comma=comma, whitespace_after_param=after)


def fitted_parameters(
    node: cst.FunctionDef, parameters: cst.Parameters, around: Surroundings
) -> cst.FunctionDef:
    """Return ``node`` with ``parameters``, on lines of their own if its line would be too long."""
    changed = node.with_changes(params=parameters)
    header = _header(changed)
    limit = around.line_length - len(around.line_indent)
    if is_hugged(header):
        fits = max(map(len, header.split("\n"))) <= limit
    else:
        fits = "\n" in header or len(header) <= limit
    if fits:
        return changed
    outer, inner = around.line_indent, around.line_indent + around.indent
    parts = [code(part) for part in _parts(parameters)]
    if any("\n" in part for part in parts):
        return changed
    together = len(inner) + len(", ".join(parts)) <= around.line_length
    return changed.with_changes(
        whitespace_before_params=line_break(inner),
        params=_on_lines(parameters, inner, outer, together=together),
    )


def _header(node: cst.FunctionDef) -> str:
    """Return the text from ``def`` to the colon."""
    plain: Any = node.with_changes(
        leading_lines=[],
        lines_after_decorators=[],
        decorators=[],
        body=cst.SimpleStatementSuite([cst.Pass()], leading_whitespace=_NO_SPACE),
    )
    return code(plain).strip().removesuffix("pass")


def _parts(parameters: cst.Parameters) -> list[cst.CSTNode]:
    paramslashes: list[cst.CSTNode] = [_bare(parameter) for parameter in parameters.posonly_params]
    if isinstance(parameters.posonly_ind, cst.ParamSlash):
        paramslashes.append(cst.ParamSlash(comma=cst.MaybeSentinel.DEFAULT))
    paramslashes += [_bare(parameter) for parameter in parameters.params]
    if isinstance(parameters.star_arg, cst.Param):
        paramslashes.append(_bare(parameters.star_arg))
    elif isinstance(parameters.star_arg, cst.ParamStar):
        paramslashes.append(cst.Name("_"))  # as long as the star, which has no code of its own
    paramslashes += [_bare(parameter) for parameter in parameters.kwonly_params]
    if parameters.star_kwarg is not None:
        paramslashes.append(_bare(parameters.star_kwarg))
    return paramslashes


def _bare(parameter: cst.Param) -> cst.Param:
    return parameter.with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_param=_NO_SPACE)


def _on_lines(
    parameters: cst.Parameters, inner: str, outer: str, *, together: bool
) -> cst.Parameters:
    between = cst.Comma(
        whitespace_after=cst.SimpleWhitespace(" ") if together else line_break(inner)
    )

    def spread(one: Any) -> Any:
        if isinstance(one, cst.Param):
            return _bare(one).with_changes(comma=between)
        if isinstance(one, cst.ParamStar | cst.ParamSlash):
            return one.with_changes(comma=between)
        return one

    changes: dict[str, Any] = {
        name: [spread(item) for item in getattr(parameters, name)]
        for name in ("posonly_params", "params", "kwonly_params")
    }
    for name in ("posonly_ind", "star_arg", "star_kwarg"):
        changes[name] = spread(getattr(parameters, name))
    last = next(
        name
        for name in ("star_kwarg", "kwonly_params", "star_arg", "params", "posonly_params")
        if changes[name] and not isinstance(changes[name], cst.MaybeSentinel)
    )
    closing = line_break(outer)
    ending: dict[str, Any] = {"comma": cst.Comma(whitespace_after=closing)}
    if together:
        ending = {"comma": cst.MaybeSentinel.DEFAULT, "whitespace_after_param": closing}
    result = changes[last]
    if isinstance(result, list):
        changes[last] = [*result[:-1], result[-1].with_changes(**ending)]
    else:
        changes[last] = result.with_changes(**ending)
    return parameters.with_changes(**changes)
