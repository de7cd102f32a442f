"""Lambdas as coroutine functions: nothing can be awaited that a lambda gives."""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.session_to_async.reasons import NOT_AWAITABLE_HERE
from awaken.contract import Edit
from awaken.kit.sites import Refused, Site
from awaken.project.source.modules import Module

_STATEMENTS = (
    ast.AnnAssign, ast.Assign, ast.AsyncFunctionDef, ast.AsyncWith, ast.Expr, ast.FunctionDef,
    ast.Return, ast.With,
)  # fmt: skip
_INDENTED = 4


def function_of_lambda(
    site: Site[ast.AST], node: ast.Lambda, name: str, taken: set[str]
) -> list[Edit]:
    """Return the edits that write a lambda as a coroutine function in front of its statement.

    ``name`` is what it stands in for; ``taken`` are names of others, and gets the new one. Raises
    Refused.
    """
    module = site.module
    statement = module.statement_of(node)
    for above in module.ancestors(node):
        if above is statement:
            break
        # What it takes from there is not in sight of the statement.
        if isinstance(above, ast.Lambda | ast.comprehension | ast.GeneratorExp):
            raise Refused(NOT_AWAITABLE_HERE, "a lambda")
    if not isinstance(statement, _STATEMENTS) or _has_comment(module, node) or _has_long_text(node):
        raise Refused(NOT_AWAITABLE_HERE, "a lambda")
    written = module.scopes.fresh_name(f"fake_{name.strip('_')}", taken=taken)
    taken.add(written)
    body = _body(module, node)
    code = f"async def {written}({_parameters(module, node)}):\n    return {body}\n"
    return [
        site.insert_statements(module.place(statement), "before", code),
        site.replace(node, written),
    ]


def _parameters(module: Module, node: ast.Lambda) -> str:
    start = module.span(node).start + len("lambda")
    head = module.source.text[start : module.span(node.body).start].decode()
    # The body may stand in parentheses of its own.
    return head.rstrip(" \t\r\n(").removesuffix(":").strip()


def _has_comment(module: Module, node: ast.Lambda) -> bool:
    start = module.span(node).start
    return b"#" in module.source.text[start : module.span(node.body).start]


def is_laid_out(node: ast.Lambda) -> bool:
    """Whether a lambda has several lines that can be moved."""
    return node.lineno != node.end_lineno and not _has_long_text(node)


def _has_long_text(node: ast.Lambda) -> bool:
    """Whether a lambda holds text over several lines, which cannot be moved."""
    return any(
        isinstance(one, ast.Constant | ast.JoinedStr) and one.lineno != one.end_lineno
        for one in ast.walk(node.body)
    )


def _body(module: Module, node: ast.Lambda) -> str:
    """Return the text of what a lambda gives, as far to the left as a body stands."""
    text = module.text_of(node.body)
    first, *others = text.split("\n")
    if not others:
        return text
    left = min(len(one) - len(one.lstrip()) for one in others if one.strip())
    moved = max(left - _INDENTED, 0)
    text = "\n".join([first, *(one[moved:] if one.strip() else one for one in others)])
    return text if _stands_alone(text) else f"({text})"


def _stands_alone(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True
