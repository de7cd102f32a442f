"""Writes class methods that make objects whose `__init__` would have to wait."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libcst as cst

from awaken.codemods.sqlalchemy.session_to_async.payload import Constructed, Initialized
from awaken.contract import Surroundings
from awaken.editing.call_arguments import code
from awaken.editing.statements import as_block, without_blank_lines


def construct(node: cst.FunctionDef, data: Constructed, _around: Surroundings) -> Any:
    """``def __init__(self, db): ...`` → the same, ``create`` and the rest of its body below it."""
    suite = as_block(node.body)
    statements: list[Any] = [*suite.body]
    kept = statements[: data.kept] or [cst.parse_statement("pass")]
    made = node.with_changes(body=suite.with_changes(body=kept, footer=()))
    parameters = [*node.params.posonly_params, *node.params.params]
    own = parameters[0].name.value
    apart = [cst.EmptyLine(indent=False)]

    passed = "" if data.is_alone else ", ".join(_passed_names(node.params))
    header: Any = cst.parse_statement(
        f"@classmethod\nasync def {data.name}(){_returned_text(data.returned)}:\n"
        f"    {data.made} = {data.owner}({passed})\n"
        f"    await {data.made}.{data.loading}({', '.join(_used_names(node.params, data.used))})\n"
        f"    return {data.made}\n"
    )
    making = header.with_changes(params=_with_first(node.params, data.owner), leading_lines=apart)
    declared = "None" if node.returns is not None else ""
    text = f"async def {data.loading}({', '.join(_declared_names(node.params, own, data.used))})"
    below: Any = cst.parse_statement(f"{text}{_returned_text(declared)}: ...")
    first, *rest = statements[data.kept :]
    moved = [without_blank_lines(first), *rest]
    loading = below.with_changes(body=suite.with_changes(body=moved), leading_lines=apart)
    if data.is_alone:
        return cst.FlattenSentinel([making.with_changes(leading_lines=node.leading_lines), loading])
    return cst.FlattenSentinel([made, making, loading])


def initialize(node: cst.FunctionDef, data: Initialized, _around: Surroundings) -> Any:
    """``def __init__(self, db): ...`` → ``async def _load(self, db): ...``, and ``create``."""
    made = node.with_changes(name=cst.Name(data.loading), asynchronous=cst.Asynchronous())
    if not data.name:
        return made
    declared = f": {data.anything}" if data.anything else ""
    given = f"cls, *args{declared}, **kwargs{declared}"
    header: Any = cst.parse_statement(
        f"@classmethod\nasync def {data.name}({given}){_returned_text(data.returned)}:\n"
        f"    created = cls.__new__(cls)\n"
        f"    await created.{data.loading}(*args, **kwargs)\n"
        f"    return created\n"
    )
    apart = [cst.EmptyLine(indent=False)]
    making = header.with_changes(leading_lines=node.leading_lines)
    return cst.FlattenSentinel([making, made.with_changes(leading_lines=apart)])


def _returned_text(annotation: str) -> str:
    return f" -> {annotation}" if annotation else ""


def _with_first(parameters: cst.Parameters, name: str) -> cst.Parameters:
    first = cst.Name(name)
    if parameters.posonly_params:
        own, *others = parameters.posonly_params
        return parameters.with_changes(posonly_params=[own.with_changes(name=first), *others])
    own, *others = parameters.params
    return parameters.with_changes(params=[own.with_changes(name=first), *others])


def _positional(parameters: cst.Parameters) -> list[cst.Param]:
    return [*parameters.posonly_params, *parameters.params][1:]


def _stars(parameters: cst.Parameters) -> tuple[cst.Param | None, cst.Param | None]:
    star = parameters.star_arg
    return star if isinstance(star, cst.Param) else None, parameters.star_kwarg


def _passed_names(parameters: cst.Parameters) -> Iterator[str]:
    """Yield what `create` passes on: all that it is given."""
    rest, others = _stars(parameters)
    yield from (parameter.name.value for parameter in _positional(parameters))
    yield from () if rest is None else (f"*{rest.name.value}",)
    yield from (f"{item.name.value}={item.name.value}" for item in parameters.kwonly_params)
    yield from () if others is None else (f"**{others.name.value}",)


def _used_names(parameters: cst.Parameters, used: tuple[str, ...]) -> Iterator[str]:
    """Yield what the rest of the body is passed; rows of arguments are passed as such."""
    rest, others = _stars(parameters)
    every = [*_positional(parameters), *parameters.kwonly_params, rest, others]
    yield from (item.name.value for item in every if item is not None and item.name.value in used)


def _declared_names(parameters: cst.Parameters, own: str, used: tuple[str, ...]) -> Iterator[str]:
    yield own
    rest, others = _stars(parameters)
    for item in (*_positional(parameters), *parameters.kwonly_params):
        if item.name.value in used:
            declared = "" if item.annotation is None else f": {code(item.annotation.annotation)}"
            yield f"{item.name.value}{declared}"
    for each, kind in ((rest, "tuple[{}, ...]"), (others, "dict[str, {}]")):
        if each is not None and each.name.value in used:
            inner = None if each.annotation is None else code(each.annotation.annotation)
            yield each.name.value + ("" if inner is None else f": {kind.format(inner)}")
