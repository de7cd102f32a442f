"""Writes how Alembic runs revisions on a connection of an asynchronous engine."""

from __future__ import annotations

from typing import Any

import libcst as cst

from awaken.codemods.sqlalchemy.session_to_async.payload import Migrating
from awaken.contract import Surroundings


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
