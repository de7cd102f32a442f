"""Writes loops that Python had inside of a builtin, so that they can wait in each round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from awaken.codemods.sqlalchemy.session_to_async.payload import Applied, Displayed, Searched
from awaken.contract import Surroundings
from awaken.editing.parentheses import needs_parentheses, parenthesise
from awaken.project.graph.forwards.in_place import BY_KEY

_KEYED = "pair"
"""A parameter of a lambda, so it hides nothing that the lambda reads."""


def search(node: cst.Call, data: Searched, _around: Surroundings) -> cst.BaseExpression:
    """``any(f(x) for x in xs)`` → ``await anext((True for x in xs if await f(x)), False)``."""
    generator: Any = node.args[0].value
    return _first(generator, is_all=data.is_all)


def search_by_loop(
    node: cst.Return, data: Searched, _around: Surroundings
) -> Sequence[cst.BaseStatement]:
    """``return any(f(x) for x in xs)`` → a loop that returns at the first that is true."""
    call: Any = node.value
    generator = call.args[0].value
    result = cst.Return(cst.Name(str(not data.is_all)))
    test = _negated_node(generator.elt) if data.is_all else generator.elt
    body: cst.BaseStatement = cst.If(_bare(test), _block(result))
    for clause in reversed(_clauses(generator.for_in)):
        for condition in reversed(clause.ifs):
            body = cst.If(_bare(condition.test), _block(body))
        body = cst.For(
            clause.target, _bare(clause.iter), _block(body), asynchronous=clause.asynchronous
        )
    return [body, cst.SimpleStatementLine([cst.Return(cst.Name(str(data.is_all)))])]


def apply(node: cst.Call, data: Applied, _around: Surroundings) -> cst.BaseExpression:
    """``list(map(f, xs))`` → ``[await f(x) for x in xs]``, and what else calls a function."""
    if data.form in BY_KEY:
        return _by_key(node, data)
    inner: Any = node if data.form in {"generator", "items"} else node.args[0].value
    generator = _generator(inner, data)
    if data.form in {"any", "all"}:
        return _first(generator, is_all=data.form == "all")
    if data.form == "set":
        return cst.SetComp(generator.elt, generator.for_in)
    if data.form in {"items", "list"}:
        return cst.ListComp(generator.elt, generator.for_in)
    return parenthesise(generator)


def display(node: cst.Call, data: Displayed, _around: Surroundings) -> cst.BaseExpression:
    """``list(f(x) for x in xs)`` → ``[await f(x) for x in xs]``, and ``list(rows())``."""
    given: Any = node.args[0].value
    if not isinstance(given, cst.GeneratorExp):
        item = cst.Name(data.item)
        loop = cst.CompFor(item, given, asynchronous=cst.Asynchronous())
        given = cst.GeneratorExp(item, loop)
    before, behind = node.whitespace_before_args, node.args[0].whitespace_after_arg
    if data.is_set:
        opening = cst.LeftCurlyBrace(whitespace_after=before)
        closing = cst.RightCurlyBrace(whitespace_before=behind)
        return cst.SetComp(given.elt, given.for_in, lbrace=opening, rbrace=closing)
    left = cst.LeftSquareBracket(whitespace_after=before)
    right = cst.RightSquareBracket(whitespace_before=behind)
    return cst.ListComp(given.elt, given.for_in, lbracket=left, rbracket=right)


def _generator(call: cst.Call, data: Applied) -> cst.GeneratorExp:
    """Return what ``map`` or ``filter`` gives, as a generator expression."""
    function, *rest = [argument.value for argument in call.args]
    several = len(rest) > 1
    iterated = cst.Call(cst.Name("zip"), [cst.Arg(node) for node in rest]) if several else rest[0]
    target, result = _applied_variable(function, data, several=several)
    if isinstance(call.func, cst.Name) and call.func.value == "filter":
        condition = cst.CompIf(_operand(result, cst.CompIf(cst.Name("_")), "test"))
        return cst.GeneratorExp(target, _loop(target, iterated, [condition]))
    return cst.GeneratorExp(result, _loop(target, iterated))


def _applied_variable(
    function: cst.BaseExpression, data: Applied, *, several: bool = False
) -> tuple[Any, cst.BaseExpression]:
    """Return the variable of the loop, and what the function gives for it."""
    if isinstance(function, cst.Lambda):
        names = [entry.name.with_changes(lpar=(), rpar=()) for entry in function.params.params]
        target = cst.Tuple([cst.Element(name) for name in names], lpar=(), rpar=())
        return (target if several else names[0]), function.body
    item = cst.Name(data.item)
    argument = cst.Arg(item, star="*" if several else "")
    return item, cst.Await(cst.Call(function, [argument]))


def _by_key(node: cst.Call, data: Applied) -> cst.BaseExpression:
    """``sorted(xs, key=f)`` → the second of pairs that are sorted by their first, and so on."""
    given = {item.keyword.value: item for item in node.args if item.keyword is not None}
    target, key = _applied_variable(given["key"].value, data)
    pair = cst.Tuple([cst.Element(key), cst.Element(target)])
    pairs = cst.ListComp(pair, _loop(target, node.args[0].value))
    by_first = cst.parse_expression(f"lambda {_KEYED}: {_KEYED}[0]")
    changed = {"key": by_first}
    if "default" in given:
        nothing = cst.Element(cst.Name("None"))
        changed["default"] = cst.Tuple([nothing, cst.Element(given["default"].value)])
    arguments = [
        argument
        if argument.keyword is None
        else argument.with_changes(value=changed.get(argument.keyword.value, argument.value))
        for argument in node.args
    ]
    made = node.with_changes(args=[arguments[0].with_changes(value=pairs), *arguments[1:]])
    if data.form != "sorted":
        return cst.Subscript(made, [cst.SubscriptElement(cst.Index(cst.Integer("1")))])
    names = cst.Tuple([cst.Element(cst.Name("_")), cst.Element(target)], lpar=(), rpar=())
    return cst.ListComp(target, cst.CompFor(names, made))


def _first(generator: cst.GeneratorExp, *, is_all: bool) -> cst.BaseExpression:
    """Return the first item that decides, or the default without one."""
    test = _negated_node(generator.elt) if is_all else generator.elt
    condition = cst.CompIf(_operand(_bare(test), cst.CompIf(cst.Name("_")), "test"))
    clauses = _clauses(generator.for_in)
    innermost = clauses[-1]
    changed: cst.CompFor = innermost.with_changes(ifs=[*innermost.ifs, condition])
    for clause in reversed(clauses[:-1]):
        changed = clause.with_changes(inner_for_in=changed)
    decided = cst.Name(str(not is_all))
    result = parenthesise(generator.with_changes(elt=decided, for_in=changed))
    otherwise = cst.Arg(cst.Name(str(is_all)))
    return cst.Await(cst.Call(cst.Name("anext"), [cst.Arg(result), otherwise]))


def _negated_node(test: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return test.expression
    around = cst.UnaryOperation(cst.Not(), cst.Name("_"))
    return cst.UnaryOperation(cst.Not(), _operand(test, around, "expression"))


def _operand(node: cst.BaseExpression, parent: cst.CSTNode, field: str) -> cst.BaseExpression:
    return parenthesise(node) if needs_parentheses(parent, field, node) else node


def _bare(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return ``node`` without parentheses that hold no lines."""
    is_line = len(cst.Module([]).code_for_node(node).splitlines()) == 1
    needs_them = isinstance(node, cst.Tuple | cst.GeneratorExp | cst.NamedExpr | cst.Yield)
    return node if needs_them or not is_line else node.with_changes(lpar=(), rpar=())


def _clauses(clause: cst.CompFor) -> list[cst.CompFor]:
    inner = clause.inner_for_in
    return [clause] if inner is None else [clause, *_clauses(inner)]


def _loop(target: Any, iterated: cst.BaseExpression, ifs: Sequence[cst.CompIf] = ()) -> cst.CompFor:
    around = cst.CompFor(target, cst.Name("_"))
    return cst.CompFor(target, _operand(iterated, around, "iter"), ifs=ifs)


def _block(statement: cst.BaseStatement | cst.BaseSmallStatement) -> cst.IndentedBlock:
    if isinstance(statement, cst.BaseSmallStatement):
        statement = cst.SimpleStatementLine([statement])
    return cst.IndentedBlock([statement])
