"""Walking an ``ast`` in the order of the source, without recursion: trees can be deep."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from awaken.workspace.parsing import children_by_field

Function = ast.FunctionDef | ast.AsyncFunctionDef
Loop = ast.For | ast.AsyncFor | ast.While
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Repeating = Loop | Comprehension
With = ast.With | ast.AsyncWith
_PARTS = (ast.stmt, ast.excepthandler, ast.match_case, ast.withitem)
SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Return)
FunctionOrLambda = Function | ast.Lambda
Conditional = ast.If | ast.IfExp
ORIGINAL_NAME = "original_name"
"""The attribute of a name that its file imports as another: how its home calls it."""


def is_none(node: ast.AST | None) -> bool:
    """Whether ``node`` is the constant None."""
    return isinstance(node, ast.Constant) and node.value is None


def is_text(node: ast.AST | None) -> bool:
    """Whether ``node`` is a string literal."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def position(node: ast.expr | ast.stmt | ast.arg | ast.keyword) -> tuple[int, int]:
    """Return the line and the column at which ``node`` begins."""
    return node.lineno, node.col_offset


def last_name(node: ast.AST | None) -> str:
    """Return ``c`` of ``a.b.c``, the name itself of a name, and nothing of other expressions.

    Of ``c`` below ``from a import b as c`` it is ``b``.
    """
    # By exact type: ``isinstance`` takes longer for each that a node is not.
    if type(node) is ast.Attribute:
        return node.attr
    if type(node) is not ast.Name:
        return ""
    name: str = getattr(node, ORIGINAL_NAME, node.id)
    return name


def written_name(node: ast.AST) -> str:
    """Return what ``last_name`` does, but a name as it is written."""
    return node.id if isinstance(node, ast.Name) else last_name(node)


def root_of(node: ast.AST) -> ast.AST:
    """Return what a chain of attributes begins with: ``app`` of ``app.state.pool``."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node


def receivers(node: ast.AST) -> Iterator[ast.AST]:
    """Yield ``a.b(x).c``, ``a.b(x)``, ``a.b`` and ``a``: an expression, and those it is made of."""
    yield node
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.value if isinstance(node, ast.Attribute) else node.func
        yield node


def chained_calls(node: ast.AST | None) -> Iterator[ast.Call]:
    """Yield the calls of a chain, the last one first: ``all()`` of ``q.filter(x).all()``."""
    while isinstance(node, ast.Call):
        yield node
        node = node.func.value if isinstance(node.func, ast.Attribute) else None


def variable_of(statement: ast.AST | None) -> ast.Name | None:
    """Return the only variable that an assignment gives its value to; None for other targets."""
    match statement:
        case ast.Assign(targets=[ast.Name() as name]) | ast.AnnAssign(target=ast.Name() as name):
            return name
    return None


def values_given(body: Iterable[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    """Yield each variable that statements of a body give a value to, with the value."""
    for statement in body:
        value = getattr(statement, "value", None)
        if (name := variable_of(statement)) is not None and value is not None:
            yield name.id, value


def is_constant(node: ast.AST | None, *, value: bool) -> bool:
    """Whether ``node`` is the constant True, or the constant False."""
    return isinstance(node, ast.Constant) and node.value is value


def keyword_of(call: ast.Call, name: str) -> ast.expr | None:
    """Return what ``call`` passes by the keyword ``name``; None if that is nothing."""
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def item_at(value: ast.expr, key: int | str) -> ast.expr:
    """Return an expression that reads the item of ``value`` at ``key``, where ``value`` is."""
    item = ast.Subscript(value, ast.Constant(key), ast.Load())
    return ast.fix_missing_locations(ast.copy_location(item, value))


def argument_of(
    call: ast.Call, function: FunctionOrLambda, parameter: ast.arg, bound: int
) -> ast.expr | None:
    """Return the argument of ``call`` for ``parameter``; None if there is none, or it is unknown.

    The first ``bound`` parameters are given by the receiver.
    """
    if parameter.arg not in parameter_names(function.args):
        return keyword_of(call, parameter.arg)  # a key of ``**kwargs``
    pairs = arguments_given(call, function, bound)
    return next((argument for item, argument in pairs if item.arg == parameter.arg), None)


def arguments_of(call: ast.Call) -> list[ast.expr]:
    """Return what ``call`` passes, by position and by keyword."""
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def parameter_getting(
    call: ast.Call, function: FunctionOrLambda, argument: ast.AST, bound: int
) -> ast.arg | None:
    """Return the parameter of ``function`` to which ``call`` passes ``argument``; else None."""
    pairs = arguments_given(call, function, bound)
    return next((parameter for parameter, item in pairs if item is argument), None)


def arguments_given(
    call: ast.Call, function: FunctionOrLambda, bound: int
) -> Iterator[tuple[ast.arg, ast.expr]]:
    """Yield the parameters of ``function`` that ``call`` certainly gives arguments, with these.

    The first ``bound`` parameters are given by the receiver.
    """
    # After ``*args`` no position is certain; keywords still are.
    plain = takewhile(lambda argument: not isinstance(argument, ast.Starred), call.args)
    yield from zip(positional_parameters(function)[bound:], plain, strict=False)
    # A keyword cannot name a positional-only parameter: it would go into ``**kwargs``.
    named = {parameter.arg: parameter for parameter in named_parameters(function)}
    for keyword in call.keywords:
        parameter = named.get(keyword.arg or "")
        if parameter is not None and parameter not in function.args.posonlyargs:
            yield parameter, keyword.value


def values_by_name(call: ast.Call, names: Iterable[str]) -> Iterator[tuple[str, ast.expr]]:
    """Yield what ``call`` passes, by name; those without one get ``names`` in their order."""
    plain = takewhile(lambda argument: not isinstance(argument, ast.Starred), call.args)
    yield from zip(names, plain, strict=False)
    yield from ((word.arg, word.value) for word in call.keywords if word.arg is not None)


def parameter_at(function: FunctionOrLambda, at: int | str, bound: int = 0) -> ast.arg | None:
    """Return the parameter that gets the argument at a position, or of a keyword; else None.

    The first ``bound`` parameters are given by the receiver.
    """
    if isinstance(at, int):
        return next(iter(positional_parameters(function)[at + bound :]), None)
    named = [*function.args.args, *function.args.kwonlyargs]
    return next((parameter for parameter in named if parameter.arg == at), None)


def positional_parameters(function: FunctionOrLambda) -> list[ast.arg]:
    """Return the parameters that take arguments by position, ``*args`` aside."""
    return [*function.args.posonlyargs, *function.args.args]


def first_parameter(function: FunctionOrLambda) -> str:
    """Return the name of the first parameter of a function, as ``self``; empty if it has none."""
    return next((parameter.arg for parameter in positional_parameters(function)), "")


def items_in_brackets(node: ast.Subscript) -> list[ast.expr]:
    """Return ``A`` and ``B`` of ``C[A, B]``."""
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]


def without_arguments(decorator: ast.expr) -> ast.expr:
    """Return ``cache`` of the decorators ``cache`` and ``cache(maxsize=1)``."""
    return decorator.func if isinstance(decorator, ast.Call) else decorator


def is_super(node: ast.AST) -> bool:
    """Whether ``node`` is ``super()``."""
    match node:
        case ast.Call(func=ast.Name(id="super"), args=[]):
            return True
    return False


def is_overload(node: ast.AST) -> bool:
    """Whether ``node`` is a function that ``overload`` keeps for type checkers: it never runs."""
    return isinstance(node, Function) and any(
        last_name(decorator) == "overload" for decorator in node.decorator_list
    )


def methods_named(owner: ast.ClassDef, name: str) -> list[Function]:
    """Return the methods of this name that the body of a class defines."""
    return [node for node in owner.body if isinstance(node, Function) and node.name == name]


def has_decorator(function: Function, name: str) -> bool:
    """Whether a decorator of ``function`` is written as ``name``, whatever that means there."""
    return any(isinstance(node, ast.Name) and node.id == name for node in function.decorator_list)


def walk(root: ast.AST) -> Iterator[ast.AST]:
    """Yield ``root`` and every node below it in the order of the source."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if type(node) not in CHILDLESS:
            below = children(node)
            below.reverse()
            stack += below


def nodes_and_parents(tree: ast.Module) -> tuple[list[ast.AST], dict[ast.AST, ast.AST]]:
    """Return all nodes in the order of the source, and what holds each: one walk gives both."""
    order: list[ast.AST] = []
    parents: dict[ast.AST, ast.AST] = {}
    stack: list[ast.AST] = [tree]
    append, in_order, only_value, childless = order.append, IN_ORDER.get, ONLY_VALUE, CHILDLESS
    while stack:
        node: Any = stack.pop()
        append(node)
        kind = type(node)
        while kind in only_value:
            child = node.value
            parents[child] = node
            append(child)
            node, kind = child, type(child)
        if kind not in childless:
            below = in_order(kind, children_by_field)(node)
            for child in below:
                parents[child] = node
            below.reverse()
            stack += below
    return order, parents


def walk_statements(root: ast.AST) -> Iterator[ast.AST]:
    """Yield what ``walk`` does, without expressions and their parts."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack += reversed(statements_below(node))


def statements_below(node: ast.AST) -> list[ast.AST]:
    """Return the direct children of a node that are no expressions, in the order of the source."""
    if isinstance(node, SIMPLE):
        return []
    return [part for part in children(node) if isinstance(part, _PARTS)]


def children(node: ast.AST) -> list[ast.AST]:
    """Return the direct children of ``node`` in the order of the source, as a new list.

    Operators and contexts are left out: they have no place. ``ast.iter_child_nodes`` goes by field,
    which differs for some nodes. Positions are compared only where ``*args`` may follow a keyword:
    in f-strings they are wrong.
    """
    in_order = IN_ORDER.get(type(node))
    return children_by_field(node) if in_order is None else in_order(node)


def _value(node: ast.Expr | ast.keyword | ast.Await | ast.Attribute | ast.Starred) -> list[ast.AST]:
    return [node.value]


def _names(node: ast.Import | ast.ImportFrom) -> list[ast.AST]:
    return [*node.names]


def _if(node: ast.If) -> list[ast.AST]:
    return [node.test, *node.body, *node.orelse]


def _if_expression(node: ast.IfExp) -> list[ast.AST]:
    # As it is written: evaluation would begin with the test.
    return [node.body, node.test, node.orelse]


def _dict(node: ast.Dict) -> list[ast.AST]:
    pairs = zip(node.keys, node.values, strict=True)
    return [part for pair in pairs for part in pair if part is not None]


def _call(node: ast.Call) -> list[ast.AST]:
    if not node.args or not node.keywords:
        return [node.func, *node.args, *node.keywords]
    return [node.func, *_arguments(node.args, node.keywords)]


def _class(node: ast.ClassDef) -> list[ast.AST]:
    inside = _arguments(node.bases, node.keywords)
    return [*node.decorator_list, *type_params(node), *inside, *node.body]


def _function(node: Function) -> list[ast.AST]:
    returns = [] if node.returns is None else [node.returns]
    return [*node.decorator_list, *type_params(node), node.args, *returns, *node.body]


def _mapping_pattern(node: ast.MatchMapping) -> list[ast.AST]:
    pairs = zip(node.keys, node.patterns, strict=True)
    return [part for pair in pairs for part in pair]


def _leaf(_node: ast.AST) -> list[ast.AST]:
    return []


def fingerprint(root: ast.AST) -> bytes:
    """Return a digest of the syntax of ``root``: equal for equal code, whatever its layout."""
    lines: list[str] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if not node._fields:
            lines.append(type(node).__name__)  # most are: contexts and operators
            continue
        below = children_by_field if type(node) in _HOLDING_SHARED else children
        waiting += reversed(below(node))
        parts = [type(node).__name__]
        for name in node._fields:
            # Of a field that is missing, nothing is said.
            value = getattr(node, name, node)
            if type(value) is list:
                # Lists hold nodes, None (a key of ``{**x}``) or names (``global a``).
                items = ("." if isinstance(item, ast.AST) else repr(item) for item in value)
                parts.append(f"{name}[{','.join(items)}]")
            elif not isinstance(value, ast.AST):
                parts.append(f"{name}={value!r}")
        lines.append("\0".join(parts))
    # A string literal may hold lone surrogates, which plain UTF-8 cannot encode.
    text = "\n".join((*lines, "")).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).digest()


def unpacks(call: ast.Call) -> bool:
    """Whether ``call`` unpacks any of its arguments, by ``*`` or ``**``."""
    return any(isinstance(argument, ast.Starred) for argument in call.args) or any(
        keyword.arg is None for keyword in call.keywords
    )


def variadic(arguments: ast.arguments) -> list[ast.arg]:
    """Return the parameters that collect all further arguments, ``*args`` and ``**kwargs``."""
    return [part for part in (arguments.vararg, arguments.kwarg) if part is not None]


def type_params(node: ast.AST) -> list[ast.AST]:
    """Return the type parameters of a definition (Python 3.12 and later have them)."""
    return getattr(node, "type_params", [])


def _arguments(args: Sequence[ast.expr], keywords: Sequence[ast.keyword]) -> list[ast.AST]:
    together: list[Any] = [*args, *keywords]
    if keywords and any(isinstance(argument, ast.Starred) for argument in args):
        together.sort(key=position)
    return together


def _parameters(node: ast.arguments) -> list[ast.AST]:
    pairs = parameters_of(node)
    return [part for pair in pairs for part in pair if part is not None]


def parameters_of(args: ast.arguments) -> list[tuple[ast.arg, ast.expr | None]]:
    """Return the parameters of a function with their defaults, in the order of the source."""
    positional = [*args.posonlyargs, *args.args]
    # Defaults belong to the last positional parameters.
    missing = len(positional) - len(args.defaults)
    parameters: list[tuple[ast.arg, ast.expr | None]] = list(
        zip(positional, [*[None] * missing, *args.defaults], strict=True)
    )
    if args.vararg is not None:
        parameters.append((args.vararg, None))
    parameters += zip(args.kwonlyargs, args.kw_defaults, strict=True)
    if args.kwarg is not None:
        parameters.append((args.kwarg, None))
    return parameters


def parameter_names(args: ast.arguments) -> frozenset[str]:
    """Return the names of all parameters of a function."""
    return frozenset(argument.arg for argument, _ in parameters_of(args))


def named_parameters(function: FunctionOrLambda) -> list[ast.arg]:
    """Return the parameters that have a name of their own: no ``*args``, no ``**kwargs``."""
    return [*positional_parameters(function), *function.args.kwonlyargs]


SHARED = frozenset(
    kind
    for base in (ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context)
    for kind in base.__subclasses__()
)
"""Operators and contexts: objects that all trees share, so they stand nowhere."""

CHILDLESS = SHARED | {ast.Name, ast.Constant, ast.alias, ast.Pass, ast.Break, ast.Continue}
CHILDLESS |= {ast.Global, ast.Nonlocal}

_HOLDING_SHARED = frozenset(
    {
        *(ast.Name, ast.Attribute, ast.Subscript, ast.Starred, ast.List, ast.Tuple),
        *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.AugAssign),
    }
)

ONLY_VALUE = frozenset({ast.Attribute, ast.Expr, ast.keyword, ast.Await, ast.Starred})
"""Nodes that bind nothing, and hold nothing but their value."""

IN_ORDER: Mapping[type[ast.AST], Callable[[Any], list[ast.AST]]] = {
    ast.Subscript: lambda node: [node.value, node.slice],
    **dict.fromkeys((ast.Tuple, ast.List), lambda node: [*node.elts]),
    **dict.fromkeys(ONLY_VALUE, _value),
    ast.Assign: lambda node: [*node.targets, node.value],
    ast.AugAssign: lambda node: [node.target, node.value],
    ast.Compare: lambda node: [node.left, *node.comparators],
    ast.BinOp: lambda node: [node.left, node.right],
    ast.BoolOp: lambda node: [*node.values],
    ast.UnaryOp: lambda node: [node.operand],
    ast.JoinedStr: lambda node: [*node.values],
    **dict.fromkeys((ast.Import, ast.ImportFrom), _names),
    ast.Return: lambda node: [] if node.value is None else [node.value],
    ast.arg: lambda node: [] if node.annotation is None else [node.annotation],
    ast.If: _if,
    ast.IfExp: _if_expression,
    ast.Dict: _dict,
    ast.Call: _call,
    ast.arguments: _parameters,
    ast.ClassDef: _class,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.MatchMapping: _mapping_pattern,
    **dict.fromkeys(CHILDLESS, _leaf),
}
"""The children of nodes in the order of the source, where that is not the order of the fields."""


def _may_end_exceptions(_block: ast.With | ast.AsyncWith) -> bool:
    return False


def always_returns(
    body: Sequence[ast.stmt],
    lets_through: Callable[[ast.With | ast.AsyncWith], bool] = _may_end_exceptions,
) -> bool:
    """Whether every way through ``body`` ends in ``return`` or ``raise``.

    ``lets_through`` says whether the managers of a block end no exception of it.
    """

    def returns(block: Sequence[ast.stmt]) -> bool:
        return always_returns(block, lets_through)

    match body[-1] if body else None:
        case ast.Return() | ast.Raise():
            return True
        case ast.If(body=first, orelse=second):
            return returns(first) and returns(second)
        case ast.Try(body=first, handlers=handlers, orelse=second, finalbody=final):
            ends = [second or first, *(handler.body for handler in handlers)]
            # The last statement of `finally` counts, whatever was in progress.
            return returns(final) or all(map(returns, ends))
        case ast.Match(cases=cases):
            # Without a last case that takes everything, no case may fit.
            is_open = cases[-1].guard is None and isinstance(cases[-1].pattern, ast.MatchAs)
            return is_open and all(returns(case.body) for case in cases)
        case ast.With() | ast.AsyncWith() as block:
            return returns(block.body) and lets_through(block)
    return False


_NAMING = ("name", "id", "attr")
"""The fields by which definitions, names and attributes name something."""


def look_of(node: ast.AST) -> tuple[object, ...]:
    """Return what equal nodes have in common at first sight: cheap, for most nodes differ."""
    if isinstance(node, ast.Call):
        func = node.func
        names = getattr(func, "attr", None), getattr(func, "id", None)
        return ast.Call, len(node.args), *names
    match node:
        # Else all statements of a kind would look the same.
        case (
            ast.Expr(value=value) | ast.Assign(value=value) | ast.Return(value=ast.expr() as value)
        ):
            return type(node), look_of(value)
        case ast.If(test=test) | ast.Assert(test=test):
            return type(node), look_of(test)
        case ast.With(items=[item, *_]) | ast.AsyncWith(items=[item, *_]):
            return type(node), look_of(item.context_expr)
        case ast.Await(value=ast.Call() as value):
            return ast.Await, look_of(value)
    name = next((getattr(node, word) for word in _NAMING if hasattr(node, word)), None)
    return type(node), name


def asks_for_main(test: ast.expr) -> bool:
    """Whether a test asks if its file is run as a script."""
    match test:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            return {ast.unparse(left), ast.unparse(right)} == {"__name__", "'__main__'"}
    return False


def last_word(text: str) -> str:
    """Return the part of a text after its last dot, colon or slash."""
    text = text.removesuffix("()")
    return text[max(text.rfind("."), text.rfind(":"), text.rfind("/")) + 1 :]
