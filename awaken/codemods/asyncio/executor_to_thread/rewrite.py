"""The rewriters: ``run_in_executor(None, f, a)`` to ``to_thread(f, a)``, and nothing for a loop."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from awaken.codemods.asyncio.executor_to_thread.payload import Threaded
from awaken.contract import Surroundings
from awaken.editing.call_arguments import bare_argument, code, fit_arguments

_NO_SPACE = cst.SimpleWhitespace("")


def to_thread(node: cst.Call, data: Threaded, around: Surroundings) -> cst.Call:
    """Return the call without the executor, and with what ``partial`` or ``lambda`` calls."""
    _, given, *others = node.args
    called = node.with_changes(func=cst.parse_expression(data.function))
    function = given.with_changes(keyword=None, equal=cst.MaybeSentinel.DEFAULT)
    if not data.through and ("#" in code(node) or isinstance(node.args[-1].comma, cst.Comma)):
        # The author chose these lines.
        return fit_arguments(called.with_changes(args=[function, *others]), around)
    passed = _taken_apart(given.value) if data.through else [function]
    named = [item for item in passed if item.keyword is not None or item.star == "**"]
    positional = [argument for argument in passed if argument not in named]
    args = [bare_argument(argument) for argument in (*positional, *others, *named)]
    joined = [
        argument.with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
        for argument in args[:-1]
    ]
    written = called.with_changes(whitespace_before_args=_NO_SPACE, args=[*joined, args[-1]])
    return fit_arguments(written, around)


def _taken_apart(function: cst.BaseExpression) -> Sequence[cst.Arg]:
    """Return what ``partial(f, a)`` and ``lambda: f(a)`` call, and what they pass."""
    if isinstance(function, cst.Lambda):
        inner = cst.ensure_type(function.body, cst.Call)
        return [cst.Arg(inner.func), *inner.args]
    return cst.ensure_type(function, cst.Call).args
