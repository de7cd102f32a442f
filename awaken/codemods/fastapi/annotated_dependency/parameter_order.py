"""The order of parameters some of which lose their default: none may follow one that has one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from awaken.codemods.fastapi.annotated_dependency import reasons
from awaken.codemods.fastapi.annotated_dependency.payload import ParameterRewrite, SignatureRewrite
from awaken.kit.sites import Refused
from awaken.project.source.trees import Function, parameters_of, positional_parameters

if TYPE_CHECKING:
    from awaken.codemods.fastapi.annotated_dependency.markers import Marked


def ordered_signature(
    function: Function, marked: Sequence[Marked], parameters: Sequence[ParameterRewrite]
) -> SignatureRewrite:
    """Return the signature in an order that Python takes and that means the same to FastAPI.

    Dependencies and path parameters move in front of the first default. If another one would have
    to move, everything stays in place, and a bare `*` lets required ones follow. Raises Refused.
    """
    arguments = function.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    losing = {parameter.name for parameter in parameters if not parameter.kept}
    has_default = {
        argument.arg: default is not None and argument.arg not in losing
        for argument, default in parameters_of(arguments)
    }
    first = next((name for name in names if has_default[name]), None)
    late = [] if first is None else [n for n in names[names.index(first) :] if not has_default[n]]
    # Python takes the order as it is.
    if not late or first is None:
        return SignatureRewrite(tuple(parameters), tuple(names))
    free = {parameter.name for parameter in marked if parameter.is_free}
    # Moving across the `/` would change how parameters can be passed.
    if arguments.posonlyargs:
        raise Refused(reasons.NO_ORDER, late[0])
    if free.issuperset(late):
        at = names.index(first)
        rest = [name for name in names[at:] if name not in late]
        return SignatureRewrite(tuple(parameters), (*names[:at], *late, *rest))
    # A function has only one `*`.
    if arguments.vararg or arguments.kwonlyargs:
        raise Refused(reasons.NO_ORDER, late[0])
    return SignatureRewrite(tuple(parameters), tuple(names), late[0])


def moved_parameters(function: Function, rewrite: SignatureRewrite) -> set[str]:
    """Return the parameters that a call by position would not reach any more."""
    names = [parameter.arg for parameter in positional_parameters(function)]
    if rewrite.star:
        # All parameters after the `*` are keyword-only.
        return set(names[names.index(rewrite.star) :])
    pairs = zip(names, rewrite.order, strict=True)
    return {old for old, new in pairs if old != new}


def put_in_front(function: Function, rewrite: SignatureRewrite) -> tuple[list[str], str]:
    """Return the parameters that move in front of another one, and that one; none and ``""``."""
    names = [parameter.arg for parameter in positional_parameters(function)]
    pairs = zip(names, rewrite.order, strict=True)
    first = next((old for old, new in pairs if old != new), "")
    if not first:
        return [], ""
    return list(rewrite.order[names.index(first) : rewrite.order.index(first)]), first
