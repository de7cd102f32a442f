"""The rewriter of clients: they get a transport."""

from __future__ import annotations

import libcst as cst

from awaken.codemods.testing.httpx_asgi_transport.payload import Transport
from awaken.contract import Surroundings
from awaken.editing.call_arguments import fit_arguments, keyword_argument


def rewrite_client(node: cst.Call, data: Transport, around: Surroundings) -> cst.Call:
    """``AsyncClient(app=app)`` → ``AsyncClient(transport=ASGITransport(app=app))``."""
    return fit_arguments(
        node.with_changes(args=[_argument(item, data) for item in node.args]), around
    )


def _argument(argument: cst.Arg, data: Transport) -> cst.Arg:
    keyword = argument.keyword
    if keyword is None or keyword.value != "app":
        return argument
    given = keyword_argument("app", argument.value)
    transport = cst.Call(cst.parse_expression(data.written), [given])
    return argument.with_changes(keyword=keyword.with_changes(value="transport"), value=transport)
