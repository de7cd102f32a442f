"""The rewriter of parameters: markers move into the annotations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from awaken.codemods.fastapi.annotated_dependency.payload import ParameterRewrite, SignatureRewrite
from awaken.contract import Surroundings
from awaken.editing.call_arguments import code, deeper, line_break, without_argument
from awaken.editing.chains.chain_lines import one_line
from awaken.editing.parameters import fitted_parameters, in_order, split_comma


def rewrite_function(
    node: cst.FunctionDef, data: SignatureRewrite, around: Surroundings
) -> cst.FunctionDef:
    """``def f(db: Session = Depends(get_db))`` → ``def f(db: Annotated[Session, ...])``."""
    by_name = {parameter.name: parameter for parameter in data.parameters}
    parameters = node.params
    lists = {
        name: [_written_node(item, by_name, around) for item in getattr(parameters, name)]
        for name in ("posonly_params", "params", "kwonly_params")
    }
    ordered, opening = in_order(lists["params"], data.order, node.whitespace_before_params)
    changes: dict[str, Any] = {**lists, "params": ordered}
    if data.star:
        changes |= _with_star(lists["params"], data.star)
    placed = node.with_changes(whitespace_before_params=opening)
    return fitted_parameters(placed, parameters.with_changes(**changes), around)


def _written_node(
    parameter: cst.Param, by_name: dict[str, ParameterRewrite], around: Surroundings
) -> cst.Param:
    data = by_name.get(parameter.name.value)
    if data is None:
        return parameter
    marker = cst.ensure_type(parameter.default, cst.Call)
    value: cst.BaseExpression | None = None
    if data.removed >= 0:
        value = marker.args[data.removed].value
        marker = without_argument(marker, data.removed)
    # FastAPI takes what has no type as Any.
    written = parameter.annotation or cst.Annotation(cst.Name("Any"))
    ending = f" = {code(value)}," if value is not None and data.kept else ","
    room = around.line_length - len(f"{around.line_indent}{around.indent}{data.name}: {ending}")
    annotated = _annotated_node(written.annotation, marker, around, room)
    return parameter.with_changes(
        annotation=written.with_changes(annotation=annotated),
        default=value if data.kept else None,
        equal=_spaced_node() if data.kept else cst.MaybeSentinel.DEFAULT,
    )


def _annotated_node(
    kind: cst.BaseExpression, marker: cst.Call, around: Surroundings, room: int
) -> cst.Subscript:
    """Return ``Annotated[kind, marker]``, on lines of its own if the marker takes several.

    A marker that took several lines only because of the text before it takes one in its ``room``.
    """
    # A comma after the last argument asks formatters to keep the lines.
    is_kept = bool(marker.args) and isinstance(marker.args[-1].comma, cst.Comma)
    flat = marker if is_kept or "#" in code(marker) else one_line(marker)
    elements = [cst.SubscriptElement(cst.Index(node)) for node in (kind, flat)]
    subscript = cst.Subscript(cst.Name("Annotated"), elements)
    if "\n" not in code(marker) or ("\n" not in code(subscript) and len(code(subscript)) <= room):
        return subscript
    outer = around.line_indent + around.indent
    inner = outer + around.indent
    between = cst.Comma(whitespace_after=line_break(inner))
    # Formatters keep the lines apart because of this last comma.
    closing = cst.Comma(whitespace_after=line_break(outer))
    fits = "\n" not in code(flat) and len(f"{inner}{code(flat)},") <= around.line_length
    moved = flat if fits else cst.ensure_type(deeper(marker, around.indent), cst.Call)
    return cst.Subscript(
        cst.Name("Annotated"),
        [
            elements[0].with_changes(comma=between),
            cst.SubscriptElement(cst.Index(moved), comma=closing),
        ],
        lbracket=cst.LeftSquareBracket(whitespace_after=line_break(inner)),
    )


def _spaced_node() -> cst.AssignEqual:
    space = cst.SimpleWhitespace(" ")
    return cst.AssignEqual(space, space)


def _with_star(parameters: Sequence[cst.Param], name: str) -> dict[str, Any]:
    """Return the changes that put a bare ``*`` in front of ``name``."""
    at = [parameter.name.value for parameter in parameters].index(name)
    before, after = parameters[:at], parameters[at:]
    comma = before[-1].comma if before else None
    behind = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if before and isinstance(comma, cst.Comma):
        # A comment above the parameter stays above it, one after the other parameter stays there.
        first, second = split_comma(comma)
        before = [*before[:-1], before[-1].with_changes(comma=first)]
        behind = second
    star = cst.ParamStar(comma=behind)
    return {"params": before, "star_arg": star, "kwonly_params": after}
