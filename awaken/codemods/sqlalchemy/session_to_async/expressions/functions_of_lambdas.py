"""Lambdas as coroutine functions: nothing can be awaited that a lambda gives."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.codemods.sqlalchemy.session_to_async.expressions.text_insertions import Insertions
from awaken.codemods.sqlalchemy.session_to_async.payload import REPLACE, Replaced
from awaken.codemods.sqlalchemy.session_to_async.reasons import NOT_AWAITABLE_HERE
from awaken.contract import Edit
from awaken.kit.names_here import snake_case
from awaken.kit.sites import Refused, Site
from awaken.project.source.f_strings import has_long_text
from awaken.project.source.modules import Module
from awaken.project.source.trees import Comprehension, last_name, variable_of, walk

_STATEMENTS = (
    ast.AnnAssign, ast.Assign, ast.AsyncFunctionDef, ast.AsyncWith, ast.Expr, ast.FunctionDef,
    ast.Return, ast.With,
)  # fmt: skip
_INDENT = "    "


def function_of_lambda(
    site: Site[ast.AST],
    node: ast.expr,
    taken: set[str],
    *wanted: str,
    awaited: Sequence[ast.Call] = (),
    first: str = "",
) -> list[Edit]:
    """Return the edits that write a lambda as a coroutine function in front of its statement.

    So does what names a plain function: that is called with all arguments. ``wanted`` are names
    that the function may get; ``taken`` are names of others, and gets the new one. ``awaited`` are
    calls in it, and ``first`` is a line before its result. Raises Refused.
    """
    module = site.module
    parameters, body = "*args, **kwargs", f"{module.text_of(node)}(*args, **kwargs)"
    if isinstance(node, ast.Lambda):
        parameters, body = _parameters(module, node), _body(module, node, awaited)
    body = f"{first and _INDENT}{first}{_INDENT}return {body}\n"
    return _written_before(site, node, taken, wanted, f"({parameters}):\n{body}")


def generator_of_lambda(
    site: Site[ast.AST], node: ast.Lambda, taken: set[str], wanted: str, items: Sequence[ast.expr]
) -> list[Edit]:
    """Return the edits that write a lambda as an asynchronous generator of ``items``.

    As for ``function_of_lambda``. Raises Refused.
    """
    module = site.module
    body = "".join(f"{_INDENT}yield {module.text_of(item)}\n" for item in items)
    return _written_before(site, node, taken, (wanted,), f"({_parameters(module, node)}):\n{body}")


def _written_before(
    site: Site[ast.AST], node: ast.expr, taken: set[str], wanted: Sequence[str], code: str
) -> list[Edit]:
    """Return the edits that write a function in front of the statement of ``node``."""
    module = site.module
    statement, refused = module.statement_of(node), Refused(NOT_AWAITABLE_HERE, "a lambda")
    for above in module.ancestors(node):
        if above is statement:
            break
        # The names that it takes from there are not visible to the statement.
        if isinstance(above, ast.Lambda | Comprehension):
            raise refused
    if not isinstance(statement, _STATEMENTS) or isinstance(module.parent(statement), ast.ClassDef):
        raise refused
    if isinstance(node, ast.Lambda) and (_has_comment(module, node) or has_long_text(node.body)):
        raise refused
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is node:
            return [site.rewrite(statement, REPLACE, Replaced(f"async def {name}{code}"))]
    written = module.scopes.fresh_name(*wanted, taken=taken)
    taken.add(written)
    return [
        site.insert_statements(module.place(statement), "before", f"async def {written}{code}"),
        site.replace(node, written),
    ]


def _parameters(module: Module, node: ast.Lambda) -> str:
    start = module.span(node).start + len("lambda")
    head = module.source.text[start : module.span(node.body).start].decode()
    # The body may have parentheses of its own.
    return head.rstrip(" \t\r\n(").removesuffix(":").strip()


def _has_comment(module: Module, node: ast.Lambda) -> bool:
    start = module.span(node).start
    return b"#" in module.source.text[start : module.span(node.body).start]


def is_laid_out(node: ast.Lambda) -> bool:
    """Whether a lambda has several lines that can be moved."""
    return node.lineno != node.end_lineno and not has_long_text(node.body)


def _body(module: Module, node: ast.Lambda, awaited: Sequence[ast.Call]) -> str:
    """Return the text of the result of a lambda, indented as a body."""
    text = _awaiting(module, node, awaited)
    first, *others = text.split("\n")
    if not others:
        return text
    left = min(len(name) - len(name.lstrip()) for name in others if name.strip())
    moved = max(left - len(_INDENT), 0)
    text = "\n".join([first, *(name[moved:] if name.strip() else name for name in others)])
    return text if breaks_inside_brackets(text) else f"({text})"


def _awaiting(module: Module, node: ast.Lambda, calls: Sequence[ast.Call]) -> str:
    """Return the text of what a lambda gives, in which ``calls`` are awaited. Raises Refused."""
    insertions = Insertions(module)
    for call in calls:
        if any(isinstance(ancestor, ast.GeneratorExp) for ancestor in module.ancestors(call)):
            raise Refused(NOT_AWAITABLE_HERE, "a generator expression")
        if call is node.body:
            insertions.insert_before(call, "await ")
        else:
            insertions.wrap(call, "(await ", ")")
    text, position = "", module.span(node.body).start
    for place, inserted in insertions.at_places().items():
        text += module.source.text[position:place].decode() + inserted
        position = place
    return text + module.source.text[position : module.span(node.body).end].decode()


_TAKING_ONE = {"bool", "len", "list", "set", "sorted", "tuple"}
"""Builtins that a call looks up and does nothing else with before it has their argument."""


def breaks_inside_brackets(text: str) -> bool:
    """Whether an expression breaks its lines inside its own brackets alone."""
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def way_to(module: Module, statement: ast.stmt | None, node: ast.expr) -> list[ast.AST] | None:
    """Return the nodes around ``node``, which the value of a statement evaluates first.

    From the inside out, that value included. None where something else is evaluated before.
    """
    if not isinstance(statement, ast.Return | ast.Expr | ast.AnnAssign | ast.Assign):
        return None
    child: ast.AST = node
    way: list[ast.AST] = []
    first: ast.AST
    for above in module.ancestors(node):
        if child is statement.value:
            return way
        match above:
            case ast.Call(args=[first, *_]) if (
                first is child and module.scopes.builtin_called(above) in _TAKING_ONE
            ):
                pass
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                # The first iterable of a comprehension is evaluated immediately, and outside of it.
                first = above.generators[0]
            case ast.Attribute(value=first) | ast.Call(func=first) | ast.Subscript(value=first):
                pass
            case ast.BinOp(left=first) | ast.Compare(left=first) | ast.BoolOp(values=[first, *_]):
                pass
            case ast.comprehension(iter=first):
                pass
            case _:
                return None
        if first is not child:
            return None
        way.append(above)
        child = above
    return None


def is_in_brackets(node: ast.AST, way: list[ast.AST]) -> bool:
    """Whether a way leads through the brackets of a call, or of a comprehension."""
    for child, above in zip([node, *way], way, strict=False):
        match above:
            case ast.comprehension():
                return True
            case ast.Call(args=[first, *_]) if first is child:
                return True
    return False


def names_of_result(statement: ast.stmt, node: ast.expr) -> Iterator[str]:
    """Yield names for the value of ``node``, the best first: of what it is, or becomes."""
    yield "result"
    if (variable := variable_of(statement)) is not None:
        name = variable.id.strip("_")
        yield "rows" if name == "result" else f"{name}_result"
    for call in walk(node):
        match call:
            case ast.Call(args=[ast.Name(id=name), *_]) if last_name(call.func) == "select":
                yield f"{snake_case(name)}_result"
