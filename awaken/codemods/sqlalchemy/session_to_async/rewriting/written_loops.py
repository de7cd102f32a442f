"""Writes what Python had inside of a builtin or an ``__init__``, so that it can wait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import libcst as cst

from awaken.codemods.sqlalchemy.session_to_async.payload import (
    Applied,
    Constructed,
    Displayed,
    Initialized,
    Method,
    Searched,
    Threaded,
)
from awaken.contract import Surroundings
from awaken.editing.call_arguments import code
from awaken.editing.parentheses import needs_parentheses, parenthesise
from awaken.editing.statements import as_block, without_blank_lines
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


_RUNNING = "asyncio.run_coroutine_threadsafe"


def thread(node: cst.With, data: Threaded, _around: Surroundings) -> Sequence[cst.BaseStatement]:
    """``with pool: pool.map(lambda x: f(x), xs)`` → the same in a function, run by to_thread."""
    pool: Any = node.items[0].asname
    block: Any = node.visit(_Workers(pool.name.value, data.loop))
    apart = [cst.EmptyLine(indent=False)]
    first: Any = cst.parse_statement(f"{data.loop} = asyncio.get_running_loop()")
    returned, assigned = ("", f"{data.result} = ") if data.result else (" -> None", "")
    function: Any = cst.parse_statement(f"def {data.name}(){returned}: ...")
    run: Any = cst.parse_statement(f"{assigned}await asyncio.to_thread({data.name})")
    end = [cst.parse_statement(f"return {data.result}")] if data.result else []
    body = cst.IndentedBlock([block.with_changes(leading_lines=[]), *end])
    return [
        first.with_changes(leading_lines=node.leading_lines),
        function.with_changes(body=body, leading_lines=apart),
        run.with_changes(leading_lines=apart),
    ]


class _Workers(cst.CSTTransformer):
    """Hands what the lambdas of a pool call to the event loop."""

    def __init__(self, pool: str, loop: str) -> None:
        self._pool = pool
        self._loop = loop

    def leave_Call(  # noqa: N802  named by LibCST
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.BaseExpression:
        """Write ``pool.map(lambda x: f(x), xs)``."""
        match original_node.func:
            case cst.Attribute(value=cst.Name(value=pool), attr=cst.Name(value="map" | "submit")):
                first = updated_node.args[0] if updated_node.args else None
                if pool == self._pool and first is not None and isinstance(first.value, cst.Lambda):
                    body = self._handed_node(first.value.body)
                    changed = first.with_changes(value=first.value.with_changes(body=body))
                    return updated_node.with_changes(args=[changed, *updated_node.args[1:]])
        return updated_node

    def _handed_node(self, call: cst.BaseExpression) -> cst.BaseExpression:
        running = cst.Call(
            cst.parse_expression(_RUNNING), [cst.Arg(call), cst.Arg(cst.Name(self._loop))]
        )
        return cst.Call(cst.Attribute(running, cst.Name("result")))


def construct(node: cst.FunctionDef, data: Constructed, _around: Surroundings) -> Any:
    """``def __init__(self, db): ...`` → the same, ``create`` and the rest of its body below it."""
    suite = as_block(node.body)
    statements: list[Any] = [*suite.body]
    kept = statements[: data.kept] or [cst.parse_statement("pass")]
    made = node.with_changes(body=suite.with_changes(body=kept, footer=()))
    parameters = [*node.params.posonly_params, *node.params.params]
    own = parameters[0].name.value
    apart = [cst.EmptyLine(indent=False)]

    passed = "" if data.is_alone else ", ".join(_passed_names(node.params))
    header: Any = cst.parse_statement(
        f"@classmethod\nasync def {data.name}(){_returned_text(data.returned)}:\n"
        f"    {data.made} = {data.owner}({passed})\n"
        f"    await {data.made}.{data.loading}({', '.join(_used_names(node.params, data.used))})\n"
        f"    return {data.made}\n"
    )
    making = header.with_changes(params=_with_first(node.params, data.owner), leading_lines=apart)
    declared = "None" if node.returns is not None else ""
    text = f"async def {data.loading}({', '.join(_declared_names(node.params, own, data.used))})"
    below: Any = cst.parse_statement(f"{text}{_returned_text(declared)}: ...")
    first, *rest = statements[data.kept :]
    moved = [without_blank_lines(first), *rest]
    loading = below.with_changes(body=suite.with_changes(body=moved), leading_lines=apart)
    if data.is_alone:
        return cst.FlattenSentinel([making.with_changes(leading_lines=node.leading_lines), loading])
    return cst.FlattenSentinel([made, making, loading])


def initialize(node: cst.FunctionDef, data: Initialized, _around: Surroundings) -> Any:
    """``def __init__(self, db): ...`` → ``async def _load(self, db): ...``, and ``create``."""
    made = node.with_changes(name=cst.Name(data.loading), asynchronous=cst.Asynchronous())
    if not data.name:
        return made
    declared = f": {data.anything}" if data.anything else ""
    given = f"cls, *args{declared}, **kwargs{declared}"
    header: Any = cst.parse_statement(
        f"@classmethod\nasync def {data.name}({given}){_returned_text(data.returned)}:\n"
        f"    created = cls.__new__(cls)\n"
        f"    await created.{data.loading}(*args, **kwargs)\n"
        f"    return created\n"
    )
    apart = [cst.EmptyLine(indent=False)]
    making = header.with_changes(leading_lines=node.leading_lines)
    return cst.FlattenSentinel([making, made.with_changes(leading_lines=apart)])


def _returned_text(annotation: str) -> str:
    return f" -> {annotation}" if annotation else ""


def _with_first(parameters: cst.Parameters, name: str) -> cst.Parameters:
    first = cst.Name(name)
    if parameters.posonly_params:
        own, *others = parameters.posonly_params
        return parameters.with_changes(posonly_params=[own.with_changes(name=first), *others])
    own, *others = parameters.params
    return parameters.with_changes(params=[own.with_changes(name=first), *others])


def _positional(parameters: cst.Parameters) -> list[cst.Param]:
    return [*parameters.posonly_params, *parameters.params][1:]


def _stars(parameters: cst.Parameters) -> tuple[cst.Param | None, cst.Param | None]:
    star = parameters.star_arg
    return star if isinstance(star, cst.Param) else None, parameters.star_kwarg


def _passed_names(parameters: cst.Parameters) -> Iterator[str]:
    """Yield what `create` passes on: all that it is given."""
    rest, others = _stars(parameters)
    yield from (parameter.name.value for parameter in _positional(parameters))
    yield from () if rest is None else (f"*{rest.name.value}",)
    yield from (f"{item.name.value}={item.name.value}" for item in parameters.kwonly_params)
    yield from () if others is None else (f"**{others.name.value}",)


def _used_names(parameters: cst.Parameters, used: tuple[str, ...]) -> Iterator[str]:
    """Yield what the rest of the body is passed; rows of arguments are passed as such."""
    rest, others = _stars(parameters)
    every = [*_positional(parameters), *parameters.kwonly_params, rest, others]
    yield from (item.name.value for item in every if item is not None and item.name.value in used)


def _declared_names(parameters: cst.Parameters, own: str, used: tuple[str, ...]) -> Iterator[str]:
    yield own
    rest, others = _stars(parameters)
    for item in (*_positional(parameters), *parameters.kwonly_params):
        if item.name.value in used:
            declared = "" if item.annotation is None else f": {code(item.annotation.annotation)}"
            yield f"{item.name.value}{declared}"
    for each, kind in ((rest, "tuple[{}, ...]"), (others, "dict[str, {}]")):
        if each is not None and each.name.value in used:
            inner = None if each.annotation is None else code(each.annotation.annotation)
            yield each.name.value + ("" if inner is None else f": {kind.format(inner)}")


def method(node: cst.FunctionDef, data: Method, _around: Surroundings) -> Any:
    """``@property def total(self)`` → ``async def total(self)``; a cached one keeps its result."""
    others = [item for number, item in enumerate(node.decorators) if number != data.decorator]
    made = node.with_changes(decorators=others, asynchronous=cst.Asynchronous())
    return made.with_changes(body=_keeping(node.body, data)) if data.kept else made


def _keeping(body: cst.BaseSuite, data: Method) -> cst.IndentedBlock:
    """Return the body of a method that works its result out once for each object."""
    suite = as_block(body)
    statements: list[Any] = [*suite.body]
    first, last = statements[: data.has_docstring], statements[-1]
    *before, returned = last.body
    kept = cst.Attribute(cst.Name(data.own), cst.Name(data.kept))
    assigned = cst.Assign([cst.AssignTarget(kept)], returned.value)
    worked_out = [*statements[data.has_docstring : -1], last.with_changes(body=[*before, assigned])]
    test = cst.parse_expression(f'"{data.kept}" not in vars({data.own})')
    check = cst.If(test, cst.IndentedBlock(worked_out))
    given = cst.SimpleStatementLine([cst.Return(kept)])
    return suite.with_changes(body=[*first, check, given])
