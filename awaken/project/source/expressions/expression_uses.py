"""The use of a value by the node around its expression: one table for all consumers.

The field that holds an expression decides its use. A consumer handles uses, and no forms of Python.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import Any, Literal, NamedTuple

from awaken.project.source.modules import Module
from awaken.project.source.trees import variable_of

Way = Literal[
    "argument", "attribute", "awaited", "bound", "called", "compared", "deleted", "dropped",
    "element", "entered", "formatted", "index", "item", "iterated", "key", "operand", "other",
    "returned", "same", "tested", "unpacked", "yielded",
]  # fmt: skip
_FIELDS: dict[Way, str] = {
    "argument": "Call.args",
    "attribute": "Attribute.value",
    "awaited": "Await.value",
    "bound": "Assign.value AnnAssign.value",
    "called": "Call.func",
    "compared": "Compare.left Compare.comparators",
    "deleted": "Delete.targets",
    "dropped": "Expr.value",
    "element": "List.elts Set.elts Tuple.elts Dict.values ListComp.elt SetComp.elt DictComp.value "
    "GeneratorExp.elt",
    "entered": "withitem.context_expr",
    "formatted": "FormattedValue.value Assert.msg",
    "index": "Subscript.slice",
    "item": "Subscript.value",
    "iterated": "For.iter AsyncFor.iter comprehension.iter",
    "key": "Dict.keys DictComp.key",
    "operand": "BinOp.left BinOp.right UnaryOp.operand AugAssign.value AugAssign.target",
    "returned": "Return.value Lambda.body",
    "same": "BoolOp.values IfExp.body IfExp.orelse NamedExpr.value",
    "tested": "Assert.test If.test IfExp.test While.test comprehension.ifs",
    "unpacked": "Starred.value",
    "yielded": "Yield.value",
}
_WAYS = {field: way for way, fields in _FIELDS.items() for field in fields.split()}


class Use(NamedTuple):
    """The way a value is used, and the node ``above`` around the expression that has it.

    - ``same``: ``above`` may have the value: an alternative, a part of ``and`` or ``or``, a walrus.
    - ``argument``: ``above`` is the call, also of a keyword; ``**node`` is ``unpacked``.
    - ``element``, ``key``: ``above`` is the display or comprehension.
    - ``item``, ``index``: the value that a subscript reads from, and its index.
    """

    way: Way
    above: Any


def reads_value(module: Module, node: ast.Attribute | ast.Subscript | ast.Name) -> bool:
    """Whether an expression reads its value; ``count += 1`` does that before it gives one."""
    return isinstance(node.ctx, ast.Load) or isinstance(module.parent(node), ast.AugAssign)


def targets_of(node: ast.AST | None) -> list[ast.expr]:
    """Return what an assignment, a walrus or a loop gives values to; of others nothing."""
    match node:
        case ast.Assign(targets=targets):
            return targets
        case (
            ast.AnnAssign(target=target)
            | ast.NamedExpr(target=target)
            | ast.For(target=target)
            | ast.AsyncFor(target=target)
            | ast.comprehension(target=target)
        ):
            return [target]
    return []


def variable_for(module: Module, value: ast.expr) -> ast.Name | None:
    """Return the only variable that an assignment gives ``value`` to, alone or in a tuple."""
    above = module.parent(value)
    if not isinstance(above, ast.Tuple):
        return variable_of(above)
    match module.parent(above):
        case ast.Assign(targets=[ast.Tuple(elts=targets)]) if not any(
            isinstance(part, ast.Starred) for part in (*targets, *above.elts)
        ):
            target = dict(zip(above.elts, targets, strict=False)).get(value)
            return target if isinstance(target, ast.Name) else None
    return None


def use_of(module: Module, node: ast.AST) -> Use:
    """Return the use of what the expression ``node`` gives; ``other`` where it has no name here."""
    above = module.parent(node) or module.tree
    for field in above._fields:
        part = getattr(above, field, None)
        if part is node or (isinstance(part, list) and node in part):
            break
    else:
        return Use("other", above)
    way = _WAYS.get(f"{type(above).__name__}.{field}", "other")
    if isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.Not):
        way = "tested"
    if isinstance(above, ast.keyword):
        call = module.parent(above)
        if above.arg is None:
            way = "unpacked"
        elif isinstance(call, ast.Call):
            way, above = "argument", call
    return Use(way, above)


def is_unpacked_in(display: ast.AST, node: ast.AST) -> bool:
    """Whether a display copies the items of ``node``: ``{**node}``."""
    pairs = zip(display.keys, display.values, strict=True) if isinstance(display, ast.Dict) else ()
    return any(key is None and value is node for key, value in pairs)


def is_returned(module: Module, node: ast.expr) -> bool:
    """Whether a function returns what ``node`` gives, or a display or comprehension with it."""
    way, above = use_of(module, node)
    while way == "element":
        way, above = use_of(module, above)
    return way == "returned"


def is_only_unpacked(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is a variable that all reads unpack, as ``**name``: nothing changes it."""
    reads = module.scopes.reads_of(node) if isinstance(node, ast.Name) else ()
    return bool(reads) and all(use_of(module, read).way == "unpacked" for read in reads)


def passed_keywords(module: Module, call: ast.Call) -> Iterator[tuple[str | None, ast.expr]]:
    """Yield what a call passes by keywords, with those of dictionaries that are only unpacked.

    The name is None where it is unknown.
    """
    for keyword in call.keywords:
        bindings = module.scopes.bindings_of(keyword.value) if keyword.arg is None else []
        displays = [binding.value for binding in bindings if isinstance(binding.value, ast.Dict)]
        is_known = bool(displays) and len(displays) == len(bindings)
        if not is_known or not is_only_unpacked(module, keyword.value):
            yield keyword.arg, keyword.value
            continue
        for display in displays:
            for key, value in zip(display.keys, display.values, strict=True):
                yield str(key.value) if isinstance(key, ast.Constant) else None, value


def only_reads(
    module: Module, node: ast.expr, methods: Collection[str], builtins: Collection[str] = ()
) -> bool:
    """Whether a use of a container puts nothing into it, and hands it to nothing that may.

    It may call its ``methods``, and be passed to ``builtins``.
    """
    way, above = use_of(module, node)
    match way:
        case "item":
            # `del items[0]` is as good as `items.pop(0)`.
            is_read = isinstance(above.ctx, ast.Load)
            return is_read or ("pop" in methods and isinstance(above.ctx, ast.Del))
        case "attribute":
            return above.attr in methods
        case "argument":
            return module.scopes.builtin_called(above) in builtins or _fills_namespace(above)
        case "operand":
            return getattr(above, "target", None) is not node
        case "element":
            return is_unpacked_in(above, node)
    return way in {"compared", "iterated", "tested", "unpacked"}


def _fills_namespace(call: ast.Call) -> bool:
    """Whether a call copies items into attributes: ``vars(self).update(items)``."""
    match call.func:
        case ast.Attribute(value=ast.Attribute(attr="__dict__"), attr="update"):
            return True
        case ast.Attribute(value=ast.Call(func=ast.Name(id="vars")), attr="update"):
            return True
    return False
