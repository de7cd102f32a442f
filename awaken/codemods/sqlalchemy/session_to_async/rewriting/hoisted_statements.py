"""Writes awaited expressions that have several lines as statements of their own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, takewhile
from typing import Any

import libcst as cst

from awaken.codemods.sqlalchemy.session_to_async.payload import (
    Bridged,
    Delegated,
    Enclosed,
    Encoded,
    Forwarded,
    Hoisted,
    Migrating,
    Nested,
    Postponed,
    Replaced,
    Wrapped,
)
from awaken.contract import Surroundings
from awaken.editing.call_arguments import code, shallower
from awaken.editing.statements import as_block, without_blank_lines

_FORGETTING = "# Forget the connections of the process that began this one."
_APART = 2
"""Blank lines around a function of a file."""

_INDENTED = 8
"""What a line of a method begins with."""


def hoist(
    node: cst.BaseSmallStatement, data: Hoisted, around: Surroundings
) -> Sequence[cst.BaseStatement]:
    """``return db.scalars(...).all()`` → ``result = await db.scalars(...)``, and what uses it."""
    statement: Any = node
    awaited: Any = statement.value
    for _ in range(data.steps):
        awaited = _first(_without_await(awaited))
    awaited = _without_await(awaited)
    name = cst.Name(data.name)
    in_place = statement.deep_replace(
        awaited, cst.Await(awaited, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    )
    written = code(in_place)
    # Wherever it is: its indent does not matter.
    is_line = len(written.splitlines()) == 1
    is_short = is_line and len(written) <= around.line_length - _INDENTED
    # Code in brackets has lines of its own already.
    if is_short or (data.is_inside and not is_line and _is_line(awaited)):
        return [cst.SimpleStatementLine([in_place])]
    using: Any = statement.deep_replace(awaited, name)
    tight = using.visit(_Tight())
    if isinstance(tight.value, cst.Attribute | cst.Call) and len(tight.value.lpar) == 1:
        tight = tight.with_changes(value=tight.value.with_changes(lpar=(), rpar=()))
    if data.is_inside and "#" not in code(using) and _is_line(tight):
        using = tight
    moved: Any = shallower(awaited, data.indent)
    assigned = cst.Assign([cst.AssignTarget(name)], cst.Await(moved))
    return [cst.SimpleStatementLine([assigned]), cst.SimpleStatementLine([using])]


def _without_await(node: Any) -> Any:
    """Return what is awaited by now, of an expression that was not when steps were counted."""
    return node.expression if isinstance(node, cst.Await) else node


class _Tight(cst.CSTTransformer):
    """Takes the line breaks out of chains, and out of calls that have one argument."""

    def leave_Call(  # noqa: N802  named by LibCST
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.Call:
        del original_node
        if len(updated_node.args) != 1:
            return updated_node
        space, comma = cst.SimpleWhitespace(""), cst.MaybeSentinel.DEFAULT
        given = updated_node.args[0].with_changes(whitespace_after_arg=space, comma=comma)
        return updated_node.with_changes(whitespace_before_args=space, args=[given])

    def leave_Dot(self, original_node: cst.Dot, updated_node: cst.Dot) -> cst.Dot:  # noqa: N802
        del original_node
        space = cst.SimpleWhitespace("")
        return updated_node.with_changes(whitespace_before=space, whitespace_after=space)


def _is_line(node: Any) -> bool:
    return len(code(node).splitlines()) == 1


def _first(node: Any) -> Any:
    match node:
        case cst.Call(func=cst.Name()):
            return node.args[0].value
        case cst.ListComp() | cst.SetComp() | cst.DictComp() | cst.GeneratorExp():
            return node.for_in
        case cst.CompFor():
            return node.iter
        case cst.Call():
            return node.func
        case cst.Attribute() | cst.Subscript():
            return node.value
    return node.left


def replace(_node: Any, data: Replaced, _around: Surroundings) -> Sequence[cst.BaseStatement]:
    """``Base.metadata.create_all(engine)`` → the statements that do it asynchronously."""
    written = cst.parse_module(data.code)
    first, *others = written.body
    # The comment that begins the code belongs to its first statement.
    return [first.with_changes(leading_lines=written.header), *others]


def delegate(node: Any, data: Delegated, _around: Surroundings) -> Sequence[cst.BaseStatement]:
    """``yield from rows()`` → ``async for item in rows(): yield item``."""
    item = cst.Name(data.item)
    body = cst.IndentedBlock([cst.SimpleStatementLine([cst.Expr(cst.Yield(item))])])
    asynchronous = cst.Asynchronous() if data.is_asynchronous else None
    return [cst.For(item, node.value.value.item, body, asynchronous=asynchronous)]


def nest(node: cst.With, data: Nested, _around: Surroundings) -> cst.With:
    """``with a, session():`` → ``with a:`` and in it ``async with session():``."""
    groups = [
        (waits, [item for _, item in items])
        for waits, items in groupby(enumerate(node.items), lambda pair: pair[0] in data.waiting)
    ]
    body = node.body
    for waits, items in reversed(groups):
        last = items[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        is_laid_out = len(items) > 1 or len(groups) == 1
        inner = node.with_changes(
            items=[*node.items] if len(groups) == 1 else [*items[:-1], last],
            body=body,
            asynchronous=cst.Asynchronous() if waits else None,
            leading_lines=(),
            lpar=node.lpar if is_laid_out else cst.MaybeSentinel.DEFAULT,
            rpar=node.rpar if is_laid_out else cst.MaybeSentinel.DEFAULT,
        )
        body = cst.IndentedBlock([inner])
    return inner.with_changes(leading_lines=node.leading_lines)


def wrap(node: Any, data: Wrapped, _around: Surroundings) -> Any:
    """``create_engine(url)`` → ``create_engine(async_url(url))``."""
    names = ["" if item.keyword is None else item.keyword.value for item in node.args]
    argument = node.args[names.index(data.keyword)]
    value = cst.Call(cst.Name(data.function), [cst.Arg(argument.value)])
    return node.with_deep_changes(argument, value=value)


def forward(node: Any, data: Forwarded, _around: Surroundings) -> Any:
    """``create_engine(url)`` → ``with_rows_together(create_engine(url))``."""
    return cst.Call(cst.Name(data.function), [cst.Arg(node)])


def encode(node: cst.Return, data: Encoded, _around: Surroundings) -> Any:
    """``return await rows(db)`` → ``return jsonable_encoder(await rows(db), exclude={...})``."""
    return node.with_changes(value=_encoded_value(node.value, data, data.path))


def _encoded_value(value: Any, data: Encoded, path: Sequence[int]) -> Any:
    if path:
        element = value.elements[path[0]]
        return value.with_deep_changes(element, value=_encoded_value(element.value, data, path[1:]))
    names = ", ".join(f'"{name}"' for name in data.exclude)
    call: Any = cst.parse_expression(f"{data.function}(_, exclude={{{names}}})")
    return call.with_changes(args=[call.args[0].with_changes(value=value), *call.args[1:]])


def bridge(node: cst.FunctionDef, data: Bridged, _around: Surroundings) -> Any:
    """``def main(): ...`` → the same, running a coroutine function below it that has the body."""
    suite = as_block(node.body)
    statements: list[Any] = [*suite.body]
    told, rest = (statements[:1], statements[1:]) if node.get_docstring() else ([], statements)
    run = [cst.parse_statement(f"{'return ' if data.returns else ''}{data.run}")]
    if data.begin:
        run.insert(0, cst.parse_statement(f"{_FORGETTING}\n{data.begin}"))
    running = node.with_changes(body=suite.with_changes(body=[*told, *run], footer=()))
    returned = f" -> {data.returned}" if data.returned else ""
    header: Any = cst.parse_statement(f"async def {data.name}({data.parameters}){returned}: ...")
    coroutine = _with_types_of(header, node).with_changes(
        body=cst.IndentedBlock(rest, indent=suite.indent, footer=suite.footer),
        decorators=[cst.Decorator(cst.Name(decorator)) for decorator in data.decorators],
        leading_lines=[cst.EmptyLine(indent=False)] * data.blank_lines,
    )
    return cst.FlattenSentinel([running, coroutine])


def _with_types_of(header: Any, node: cst.FunctionDef) -> Any:
    """Return a function with the types that the parameters of another one have by now."""
    types = {
        part.name.value: part.annotation
        for part in (*node.params.params, *node.params.kwonly_params)
        # The declaration of a command-line parameter is not a type.
        if part.annotation is not None and "Annotated[" not in code(part.annotation.annotation)
    }
    params, kwonly_params = (
        [part.with_changes(annotation=types.get(part.name.value, part.annotation)) for part in each]
        for each in (header.params.params, header.params.kwonly_params)
    )
    return header.with_deep_changes(header.params, params=params, kwonly_params=kwonly_params)


def enclose(node: Any, data: Enclosed, _around: Surroundings) -> Any:
    """``seed(db)`` outside of functions → ``async def main(): ...``, and what runs it."""
    is_file = isinstance(node, cst.Module)
    suite: Any = node if is_file else node.body
    # By now there may be new functions around, and of one statement that moves there may be two.
    body = list(suite.body)
    others = [index for index, part in enumerate(body) if not isinstance(part, cst.FunctionDef)]
    first, end = others[data.before], others[len(others) - data.behind - 1] + 1
    moved = [without_blank_lines(body[first]), *map(_with_empty_lines, body[first + 1 : end])]
    if data.kept:
        moved.insert(0, cst.parse_statement(f"global {', '.join(data.kept)}"))
    empty = cst.EmptyLine(indent=False)
    apart = [empty] * _APART
    header: Any = cst.parse_statement(f"async def {data.name}() -> None: ...")
    if is_file and not data.run:
        block = cst.IndentedBlock(moved, footer=[empty] * data.blank_lines_below)
        lines = [*[empty] * data.blank_lines, *_blank_lines_of(body[first])]
        main = header.with_changes(body=block, leading_lines=lines)
        return node.with_changes(body=[*body[:first], main, *body[end:]])
    is_whole = not is_file and end == len(body)
    block = cst.IndentedBlock(
        moved,
        indent=None if is_file else suite.indent,
        footer=suite.footer if is_whole else (),
    )
    # Where the file is rewritten as well, the blank lines above belong to the block.
    has_lines = not is_file and any(line.comment is None for line in node.leading_lines)
    above = apart if is_file or has_lines else apart[data.blank_lines :]
    main = header.with_changes(body=block, leading_lines=above)
    before, behind = body[:first], body[end:]
    if not data.run:
        top, *others = *before, *behind
        body = suite.with_changes(body=[without_blank_lines(top), *others])
        lines = [*apart, *without_blank_lines(node).leading_lines]
        return cst.FlattenSentinel([main, node.with_changes(body=body, leading_lines=lines)])
    run: Any = cst.parse_statement(data.run)
    if is_file:
        run = run.with_changes(leading_lines=apart)
        return node.with_changes(body=[*before, main, run, *behind])
    footer = () if is_whole else suite.footer
    written = suite.with_changes(body=[*before, run, *behind], footer=footer)
    comments = without_blank_lines(node).leading_lines
    running = node.with_changes(body=written, leading_lines=[*apart, *comments])
    return cst.FlattenSentinel([main, running])


def postpone(node: Any, data: Postponed, _around: Surroundings) -> Any:
    """``try: seed()`` outside of functions → ``async def prepare_database(): try: seed()``."""
    empty = cst.EmptyLine(indent=False)
    header: Any = cst.parse_statement(f"async def {data.name}() -> None: ...")
    body = cst.parse_module(data.code).body or [without_blank_lines(node)]
    block = cst.IndentedBlock(body, footer=[empty] * data.below)
    lines = [*[empty] * data.above, *_blank_lines_of(node)]
    return header.with_changes(body=block, leading_lines=lines)


def _blank_lines_of(node: Any) -> list[Any]:
    """Return the blank lines that begin the lines above a statement."""
    return [*takewhile(lambda line: line.comment is None, getattr(node, "leading_lines", ()))]


def _with_empty_lines(statement: Any) -> Any:
    """Return a statement of a file whose blank lines stay empty when it is indented."""
    lines = [
        line if line.comment is not None else line.with_changes(indent=False)
        for line in statement.leading_lines
    ]
    return statement.with_changes(leading_lines=lines)


def migrate(node: cst.With, data: Migrating, _around: Surroundings) -> Any:
    """``with engine.connect() as connection:`` → a function with its body, which `run_sync` runs.

    Source: Alembic, "Using Asyncio with Alembic".
    """
    header: Any = cst.parse_statement(f"def {data.name}({data.parameter}) -> None: ...")
    apart = [cst.EmptyLine(indent=False)] * data.blank_lines
    function = header.with_changes(
        body=node.body, leading_lines=[*apart[: data.above], *node.leading_lines]
    )
    coroutine: Any = cst.parse_statement(_coroutine(data))
    run: Any = cst.parse_statement(f"asyncio.run({data.coroutine}())")
    return cst.FlattenSentinel(
        [
            function,
            coroutine.with_changes(leading_lines=apart),
            run.with_changes(leading_lines=apart),
        ]
    )


def _coroutine(data: Migrating) -> str:
    made = f"    {data.engine} = {data.made}\n" if data.made else ""
    return (
        f"async def {data.coroutine}() -> None:\n"
        f"{made}"
        f"    try:\n"
        f"        async with {data.engine}.{data.entered}() as {data.connection}:\n"
        f"            await {data.connection}.run_sync({data.name})\n"
        f"    finally:\n"
        f"        await {data.engine}.dispose()\n"
    )
