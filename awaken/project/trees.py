"""Walking an ``ast`` in the order of the source, without recursion: trees can be deep."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Sequence


def walk(root: ast.AST) -> Iterator[ast.AST]:
    """Yield ``root`` and every node below it in the order of the source."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))


def children(node: ast.AST) -> list[ast.AST]:
    """Return the direct children of ``node`` in the order of the source.

    ``ast.iter_child_nodes`` goes by field, which differs for the nodes handled here. Positions
    are compared only where ``*args`` may stand after a keyword: in f-strings they are wrong.
    """
    match node:
        case ast.IfExp():
            return [node.body, node.test, node.orelse]
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            return [part for pair in pairs for part in pair if part is not None]
        case ast.Call():
            return [node.func, *_arguments(node.args, node.keywords)]
        case ast.arguments():
            return _parameters(node)
        case ast.ClassDef():
            inside = _arguments(node.bases, node.keywords)
            return [*node.decorator_list, *type_params(node), *inside, *node.body]
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            returns = [] if node.returns is None else [node.returns]
            return [
                *node.decorator_list,
                *type_params(node),
                node.args,
                *returns,
                *node.body,
            ]
        case ast.MatchMapping():
            pairs_of_patterns = zip(node.keys, node.patterns, strict=True)
            return [part for pair in pairs_of_patterns for part in pair]
        case _:
            return list(ast.iter_child_nodes(node))


def fingerprint(root: ast.AST) -> bytes:
    """Return a digest of the syntax of ``root``: equal for equal code, whatever its layout."""
    digest = hashlib.sha256()
    for node in walk(root):
        parts = [type(node).__name__]
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                # Lists hold nodes, None (a key of ``{**x}``) or names (``global a``).
                items = ("." if isinstance(item, ast.AST) else repr(item) for item in value)
                parts.append(f"{name}[{','.join(items)}]")
            elif not isinstance(value, ast.AST):
                parts.append(f"{name}={value!r}")
        digest.update("\0".join(parts).encode("utf-8", "surrogatepass") + b"\n")
    return digest.digest()


def type_params(node: ast.AST) -> list[ast.AST]:
    """Return the type parameters of a definition (Python 3.12 and later have them)."""
    return getattr(node, "type_params", [])


def _arguments(args: Sequence[ast.expr], keywords: Sequence[ast.keyword]) -> list[ast.AST]:
    together: list[ast.expr | ast.keyword] = [*args, *keywords]
    if keywords and any(isinstance(argument, ast.Starred) for argument in args):
        together.sort(key=lambda part: (part.lineno, part.col_offset))
    return list(together)


def _parameters(node: ast.arguments) -> list[ast.AST]:
    pairs = parameters_of(node)
    return [part for pair in pairs for part in pair if part is not None]


def parameters_of(args: ast.arguments) -> list[tuple[ast.arg, ast.expr | None]]:
    """Return the parameters of a function with their defaults, in the order of the source."""
    positional = [*args.posonlyargs, *args.args]
    missing = len(positional) - len(args.defaults)
    found: list[tuple[ast.arg, ast.expr | None]] = list(
        zip(positional, [*[None] * missing, *args.defaults], strict=True)
    )
    if args.vararg is not None:
        found.append((args.vararg, None))
    found += zip(args.kwonlyargs, args.kw_defaults, strict=True)
    if args.kwarg is not None:
        found.append((args.kwarg, None))
    return found
