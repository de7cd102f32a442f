"""Writes a block with a pool of threads as a function that runs in a thread of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from awaken.codemods.sqlalchemy.session_to_async.payload import Threaded
from awaken.contract import Surroundings

_RUNNING = "asyncio.run_coroutine_threadsafe"


def thread(node: cst.With, data: Threaded, _around: Surroundings) -> Sequence[cst.BaseStatement]:
    """``with pool: pool.map(lambda x: f(x), xs)`` → the same in a function, run by to_thread."""
    pool: Any = node.items[0].asname
    block: Any = node.visit(_Workers(pool.name.value, data.loop))
    apart = [cst.EmptyLine(indent=False)]
    first: Any = cst.parse_statement(f"{data.loop} = asyncio.get_running_loop()")
    returned, assigned = ("", f"{data.result} = ") if data.result else (" -> None", "")
    function: Any = cst.parse_statement(f"def {data.name}(){returned}: ...")
    run: Any = cst.parse_statement(f"{assigned}await asyncio.to_thread({data.name})")
    end = [cst.parse_statement(f"return {data.result}")] if data.result else []
    body = cst.IndentedBlock([block.with_changes(leading_lines=[]), *end])
    return [
        first.with_changes(leading_lines=node.leading_lines),
        function.with_changes(body=body, leading_lines=apart),
        run.with_changes(leading_lines=apart),
    ]


class _Workers(cst.CSTTransformer):
    """Hands what the lambdas of a pool call to the event loop."""

    def __init__(self, pool: str, loop: str) -> None:
        self._pool = pool
        self._loop = loop

    def leave_Call(  # noqa: N802  named by LibCST
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.BaseExpression:
        """Write ``pool.map(lambda x: f(x), xs)``."""
        match original_node.func:
            case cst.Attribute(value=cst.Name(value=pool), attr=cst.Name(value="map" | "submit")):
                first = updated_node.args[0] if updated_node.args else None
                if pool == self._pool and first is not None and isinstance(first.value, cst.Lambda):
                    body = self._handed_node(first.value.body)
                    changed = first.with_changes(value=first.value.with_changes(body=body))
                    return updated_node.with_changes(args=[changed, *updated_node.args[1:]])
        return updated_node

    def _handed_node(self, call: cst.BaseExpression) -> cst.BaseExpression:
        running = cst.Call(
            cst.parse_expression(_RUNNING), [cst.Arg(call), cst.Arg(cst.Name(self._loop))]
        )
        return cst.Call(cst.Attribute(running, cst.Name("result")))
