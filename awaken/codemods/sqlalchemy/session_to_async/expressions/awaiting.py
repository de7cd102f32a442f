"""How expressions are awaited, entered and iterated where they stand."""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.session_to_async.expressions.first_items import is_used_here
from awaken.codemods.sqlalchemy.session_to_async.expressions.hoisting import (
    stands_alone,
    steps_to,
)
from awaken.codemods.sqlalchemy.session_to_async.expressions.insertions import Insertions
from awaken.codemods.sqlalchemy.session_to_async.payload import Delegated, Hoisted
from awaken.codemods.sqlalchemy.session_to_async.reasons import (
    GENERATOR_USE,
    MIXED_WITH,
    NOT_AWAITABLE_HERE,
)
from awaken.codemods.sqlalchemy.session_to_async.resources.tables import of_schema, schema_change
from awaken.contract import Span
from awaken.kit.sites import Refused
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name
from awaken.workspace.sources import LINE_END_BYTES

_BINDS_TIGHTER = (ast.Attribute, ast.Await, ast.Subscript)
_MADE_OF_A_LIST = {
    "dict", "enumerate", "frozenset", "list", "max", "min", "set", "sorted", "sum", "tuple", "zip",
}  # fmt: skip
"""Builtins that go through all items of what they are given, whatever they find."""


class Awaiting:
    """Writes what waits in one function of a file."""

    def __init__(self, module: Module, insertions: Insertions) -> None:
        self._module = module
        self._insertions = insertions
        self._entered: dict[ast.With, set[ast.expr]] = {}
        self._lists: set[ast.GeneratorExp] = set()
        self._synchronous: set[ast.AST] = set()
        self.replaced: list[tuple[ast.stmt, str]] = []
        self.delegated: list[tuple[ast.stmt, Delegated]] = []
        self.hoisted: list[tuple[ast.stmt, Hoisted]] = []
        self._taken: set[str] = set()

    def awaits(self, node: ast.expr) -> None:
        """Await ``node``. Raises Refused."""
        self._check(node)
        above = self._module.parent(node)
        if isinstance(above, ast.YieldFrom):
            self._delegates(above, self._module.excerpt(node), is_asynchronous=False)
        is_inner = isinstance(above, _BINDS_TIGHTER) or (
            isinstance(above, ast.Call) and above.func is node
        )
        is_base = isinstance(above, ast.BinOp) and isinstance(above.op, ast.Pow)
        if (is_inner or is_base) and not self._has_parentheses(node):
            if not self._hoisted(node):
                self._insertions.around(node, "(await ", ")")
        else:
            self._insertions.before(node, "await ")

    def renames(self, function: ast.expr, name: str) -> None:
        """Write ``name`` as the last word of what is called."""
        end = self._module.span(function).end
        self._insertions.replace(Span(end - len(last_name(function)), end), name)

    def runs_inside(self, node: ast.expr, opening: str) -> None:
        """Await ``opening`` with ``node`` inside of it, which nothing awaits. Raises Refused."""
        self._check(node)
        self._synchronous.add(node)
        above = self._module.parent(node)
        is_inner = isinstance(above, _BINDS_TIGHTER) or (
            isinstance(above, ast.BinOp) and isinstance(above.op, ast.Pow)
        )
        before, behind = ("(", ")") if is_inner else ("", "")
        self._insertions.around(node, f"{before}await {opening}", f"){behind}")

    def adds_argument(self, call: ast.Call, name: str, value: str) -> None:
        """Pass one more argument by its name, if the call does not pass it already."""
        if any(one.arg == name for one in call.keywords):
            return
        end = self._module.span(call).end - 1
        inside = self._module.source.text[:end]
        written = inside.rstrip()
        last = LINE_END_BYTES.split(written)[-1]
        line_end = LINE_END_BYTES.search(inside, len(written))
        has_comma = written.endswith(b",")
        if line_end is not None and b"#" not in last:
            # On a line of its own, as the arguments before it.
            indented = (line_end[0] + last[: len(last) - len(last.lstrip())]).decode()
            opening, closing = ("", ",") if has_comma else (",", "")
            self._insertions.at(len(written), f"{opening}{indented}{name}={value}{closing}")
            return
        self._insertions.at(end, f"{' ' if has_comma else ', '}{name}={value}")

    def loads(self, node: ast.expr) -> None:
        """Await an attribute that loads when it is read. Raises Refused."""
        self.awaits(node)
        # The last word: white space may stand around the dot.
        end = self._module.span(node).end
        name = last_name(node).encode()
        self._insertions.at(end - len(name), "awaitable_attrs.")

    def enters(self, node: ast.expr) -> None:
        """Enter ``node``, an item of a ``with`` statement, asynchronously. Raises Refused."""
        item = self._module.parent(node)
        above = None if item is None else self._module.parent(item)
        if isinstance(above, ast.AsyncWith):
            return
        if not isinstance(above, ast.With):
            raise Refused(NOT_AWAITABLE_HERE, f"`{self._module.excerpt(node)}`")
        self._entered.setdefault(above, set()).add(node)

    def iterates(self, node: ast.expr, shown: str, *, has_end: bool) -> None:
        """Iterate ``node``, a call of what becomes an asynchronous generator. Raises Refused.

        ``has_end`` says whether closing the generator runs code of it.
        """
        module = self._module
        match module.parent(node):
            case ast.For(iter=iterated) as loop if iterated is node:
                self._insertions.before(loop, "async ")
            case ast.comprehension(iter=iterated) as clause if iterated is node:
                self._iterates_in(clause)
            case ast.YieldFrom() as delegating:
                self._delegates(delegating, shown, is_asynchronous=True)
            case ast.Call(args=[given, *_]) as call if given is node:
                self._passes(call, node, shown, has_end=has_end)
            case ast.keyword(arg="content") as keyword if _is_response(module.parent(keyword)):
                pass
            case _:
                raise Refused(GENERATOR_USE, shown)

    def _iterates_in(self, clause: ast.comprehension) -> None:
        self._check(clause.iter)
        comprehension = self._module.parent(clause)
        if isinstance(comprehension, ast.GeneratorExp):
            self._make_list(comprehension)
        self._insertions.at(self._start_of(clause), "async ")

    def _delegates(self, delegating: ast.YieldFrom, shown: str, *, is_asynchronous: bool) -> None:
        """Write ``yield from`` as the loop that it is. Raises Refused."""
        statement = self._module.parent(delegating)
        if not isinstance(statement, ast.Expr):
            raise Refused(GENERATOR_USE, shown)
        self.delegated.append((statement, Delegated(self._fresh("item"), is_asynchronous)))

    def _passes(self, call: ast.Call, node: ast.expr, shown: str, *, has_end: bool) -> None:
        """Write a call of a builtin, or of a response, that is given the generator."""
        module = self._module
        name = module.scopes.builtin_called(call)
        if _is_response(call):
            return
        if name == "next":
            if has_end:
                self._holds(call, node, shown)
            self.awaits(call)
            self._insertions.replace(module.span(call.func), "anext")
            return
        if name not in _MADE_OF_A_LIST:
            raise Refused(GENERATOR_USE, shown)
        self._check(node)
        item = self._fresh("item")
        opening = f"[{item} async for {item} in "
        if name == "list" and len(call.args) == 1 and not call.keywords:
            outer, inner = module.span(call), module.span(node)
            self._insertions.replace(Span(outer.start, inner.start), opening)
            self._insertions.replace(Span(inner.end, outer.end), "]")
        else:
            self._insertions.around(node, opening, "]")

    def _holds(self, call: ast.Call, node: ast.expr, shown: str) -> None:
        """Have the function hold the generator of which it takes the first item. Raises Refused."""
        if not is_used_here(self._module, call):
            raise Refused(GENERATOR_USE, shown)
        self._insertions.before(node, f"{self._fresh('opened', 'generator')} := ")

    def runs_sync(self, node: ast.expr, resource: str) -> None:
        """Run ``node``, a call that changes the schema, by ``run_sync``. Raises Refused."""
        module = self._module
        statement = module.parent(node)
        if not isinstance(node, ast.Call) or not isinstance(statement, ast.Expr):
            raise Refused(NOT_AWAITABLE_HERE, f"`{module.excerpt(node)}`")
        if resource == "connection":
            bind, arguments = of_schema(module, node)
            self.replaced.append((statement, f"await {bind}.run_sync({arguments})\n"))
        else:
            self.replaced.append((statement, f"{schema_change(module, node)}\n"))

    def finish(self) -> None:
        """Write the ``with`` statements. Raises Refused."""
        for statement, entered in self._entered.items():
            if {one.context_expr for one in statement.items} != entered:
                raise Refused(MIXED_WITH)
            self._insertions.before(statement, "async ")

    # -------------------------------------------------------------------------------------- parts
    def _hoisted(self, node: ast.expr) -> bool:
        """Have ``node`` get a statement of its own, if it is evaluated first and is too long."""
        module = self._module
        statement = module.statement_of(node)
        steps = steps_to(module, statement, node)
        if statement is None or steps is None:
            return False
        start, span = module.span(statement).start, module.span(node)
        head = module.source.text[start : span.start]
        before = module.source.text[start - statement.col_offset : start]
        # What stands in parentheses is laid out for them.
        is_laid_out = len(head.splitlines()) > 1 or b"#" in head
        if is_laid_out or before.strip() or not stands_alone(module, node):
            return False
        self.hoisted.append((statement, Hoisted(self._fresh("result"), steps)))
        return True

    def _fresh(self, *candidates: str) -> str:
        """Return a name that the file does not use, or one that this function was given before."""
        name = self._module.scopes.fresh_name(*candidates, taken=self._taken)
        self._taken.add(name)
        return name

    def _has_parentheses(self, node: ast.expr) -> bool:
        before, behind = self._module.beside(node)
        return before.rstrip().endswith(b"(") and behind.lstrip().startswith(b")")

    def _start_of(self, clause: ast.comprehension) -> int:
        """Return where the word ``for`` of a clause stands."""
        start = self._module.span(clause.target).start
        return self._module.source.text.rindex(b"for", 0, start)

    def _check(self, node: ast.AST) -> None:
        """Raise Refused where nothing can be awaited in the place of ``node``."""
        module, child = self._module, node
        for above in module.ancestors(node):
            match above:
                case _ if above in self._synchronous:
                    raise Refused(NOT_AWAITABLE_HERE, "what `run_sync` calls")
                case ast.Lambda():
                    raise Refused(NOT_AWAITABLE_HERE, "a lambda")
                case ast.GeneratorExp(generators=[first, *_]) if first.iter is not child:
                    if not _is_first_iterable(module, above, node):
                        self._make_list(above)
                case ast.FormattedValue():
                    raise Refused(NOT_AWAITABLE_HERE, "an f-string")
                case ast.arguments() | ast.ClassDef():
                    raise Refused(NOT_AWAITABLE_HERE, "a default or the body of a class")
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    if child in above.decorator_list:
                        raise Refused(NOT_AWAITABLE_HERE, "a decorator")
                    return
                case _:
                    pass
            child = above

    def _make_list(self, expression: ast.GeneratorExp) -> None:
        """Have a list made in the place of a generator that awaits. Raises Refused."""
        module = self._module
        match module.parent(expression):
            case ast.Call(func=ast.Name(id=name), args=[given, *_]) as call if (
                given is expression and module.scopes.builtin_called(call) == name
            ):
                if name in _MADE_OF_A_LIST:
                    self._as_list(expression)
                    return
            case ast.Call(func=ast.Attribute(attr="join"), args=[given]) as call if (
                given is expression
            ):
                self._as_list(expression)
                return
            case _:
                pass
        raise Refused(NOT_AWAITABLE_HERE, "a generator expression")

    def _as_list(self, expression: ast.GeneratorExp) -> None:
        if expression in self._lists:
            return
        self._lists.add(expression)
        # Its parentheses are those of the call, or its own.
        span = self._module.span(expression)
        self._insertions.at(span.start + 1, "[")
        self._insertions.at(span.end - 1, "]")


def _is_first_iterable(module: Module, expression: ast.GeneratorExp, node: ast.AST) -> bool:
    """Whether ``node`` stands in what a generator is made of, which is evaluated at once."""
    first = expression.generators[0].iter
    return node is first or any(above is first for above in module.ancestors(node))


def _is_response(node: ast.AST | None) -> bool:
    """Whether ``node`` makes a response that takes generators of both kinds."""
    return isinstance(node, ast.Call) and last_name(node.func) == "StreamingResponse"
