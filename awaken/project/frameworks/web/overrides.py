"""What is put in the place of dependencies: ``app.dependency_overrides[get_db] = ...``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name

OVERRIDES = "dependency_overrides"


def overrides_in(module: Module) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield the dependencies that a file replaces, each with what is called for it."""
    for node in module.walk():
        pairs: list[tuple[ast.expr | None, ast.expr]] = []
        match node:
            case ast.Assign(targets=[ast.Subscript(value=owner, slice=key)], value=value):
                pairs = [(key, value)]
            case (
                ast.Assign(targets=[owner], value=ast.Dict(keys=keys, values=values))
                | ast.Call(
                    func=ast.Attribute(value=owner, attr="update"),
                    args=[ast.Dict(keys=keys, values=values)],
                )
            ):
                pairs = [*zip(keys, values, strict=True)]
            case _:
                continue
        if last_name(owner) == OVERRIDES:
            yield from ((key, given) for key, given in pairs if key is not None)
