"""Tables that are created and dropped: ``run_sync`` does that on an asynchronous connection."""

from __future__ import annotations

import ast

from awaken.project.source.modules import Module


def schema_change(module: Module, node: ast.expr) -> str:
    """Return the code that creates or drops tables by an asynchronous engine, as ``node`` does."""
    bind, arguments = of_schema(module, node)
    name = module.fresh_local(node, "connection", "opened")
    return f"async with {bind}.begin() as {name}:\n    await {name}.run_sync({arguments})"


def of_schema(module: Module, node: ast.expr) -> tuple[str, str]:
    """Return the engine of ``metadata.create_all(engine)``, and what ``run_sync`` is passed."""
    call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
    given = next((one for one in call.keywords if one.arg == "bind"), None)
    bind = call.args[0] if given is None else given.value
    others = [one for one in (*call.args, *call.keywords) if one not in {bind, given}]
    arguments = ", ".join(module.text_of(one) for one in (call.func, *others))
    return module.text_of(bind), arguments
