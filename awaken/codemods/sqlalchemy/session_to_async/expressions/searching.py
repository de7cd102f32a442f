"""``any`` and ``all`` over a generator that waits: they stop at the first item that decides."""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.session_to_async.expressions.function_writing import Writing
from awaken.codemods.sqlalchemy.session_to_async.payload import SEARCH, SEARCH_BY_LOOP, Searched
from awaken.project.source.modules import Module


def search(writing: Writing, call: ast.Call, generator: ast.GeneratorExp) -> None:
    """Write ``call`` as a loop where its function ends with it, else as an expression."""
    module, above = writing.module, writing.module.parent(call)
    data = Searched(is_all=module.scopes.builtin_called(call) == "all")
    is_statement = isinstance(above, ast.Return) and _has_own_lines(module, above)
    if is_statement and not _is_used_elsewhere(module, generator):
        writing.rewrite(above or call, SEARCH_BY_LOOP, data)
    else:
        writing.rewrite(call, SEARCH, data)


def _has_own_lines(module: Module, statement: ast.stmt) -> bool:
    """Whether the lines of a statement hold nothing else, and no comment inside it."""
    before, behind = module.text_alongside(statement)
    is_alone = not before.strip(b" \t") and not behind.lstrip(b" \t").startswith(b";")
    return is_alone and b"#" not in module.text_of(statement).encode()


def _is_used_elsewhere(module: Module, generator: ast.GeneratorExp) -> bool:
    """Whether the function around uses a variable of ``generator`` for something else."""
    targets = [
        node.id
        for clause in generator.generators
        for node in ast.walk(clause.target)
        if isinstance(node, ast.Name)
    ]
    function = module.enclosing_function(generator)
    inside = {*ast.walk(generator)} - {*ast.walk(generator.generators[0].iter)}
    return function is None or any(
        name in targets
        for node in ast.walk(function)
        if node not in inside
        for name in _names(node)
    )


def _names(node: ast.AST) -> list[str]:
    match node:
        case ast.Name(id=name) | ast.arg(arg=name):
            return [name]
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return names
        case ast.alias(name=name, asname=alias):
            return [alias or name]
        case _:
            # Definitions, handlers and patterns.
            defined = getattr(node, "name", None)
            return [defined] if isinstance(defined, str) else []
