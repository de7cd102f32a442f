"""The text that awaits, enters or iterates an expression in place."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from awaken.codemods.sqlalchemy.session_to_async.expressions.awaitable_places import (
    MADE_OF_A_LIST,
    Places,
    Writing,
    check_others,
    is_response,
)
from awaken.codemods.sqlalchemy.session_to_async.expressions.first_items import (
    asked_method,
    call_for_item,
    generator_uses,
    is_used_here,
    kept_attribute,
    last_statement,
)
from awaken.codemods.sqlalchemy.session_to_async.expressions.functions_of_lambdas import (
    breaks_inside_brackets,
    is_in_brackets,
    names_of_result,
    way_to,
)
from awaken.codemods.sqlalchemy.session_to_async.expressions.text_insertions import Insertions
from awaken.codemods.sqlalchemy.session_to_async.payload import (
    HOIST,
    NEST,
    REPLACE,
    Hoisted,
    Nested,
    Replaced,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import (
    GENERATOR_USE,
    NOT_AWAITABLE_HERE,
    RETURNING_GENERATOR,
)
from awaken.contract import Edit, Span
from awaken.kit.sites import Refused, Site
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name, walk
from awaken.workspace.sources import LINE_END_BYTES, line_break_before


class Awaiting:
    """Writes what waits in one function of a file."""

    def __init__(
        self,
        module: Module,
        insertions: Insertions,
        keeps_nothing: Callable[[ast.Call], bool] = lambda _: False,
    ) -> None:
        self._module = module
        self._keeps_nothing = keeps_nothing
        self._insertions = insertions
        self._writing = Writing(module, insertions)
        self._places = Places(self._writing)
        self._entered: dict[ast.With, set[ast.expr]] = {}
        self._kept: set[ast.stmt] = set()
        self._in_brackets: dict[ast.stmt, tuple[ast.expr, list[ast.AST]]] = {}
        self._listed: set[ast.AST] = set()
        self._closed: dict[ast.stmt, str] = {}

    @property
    def is_laid_out(self) -> bool:
        """Whether code is written again, and not only inserted."""
        return bool(self._writing.nodes)

    def edits(self, site: Site[ast.AST]) -> Iterator[Edit]:
        """Yield the edits that are no insertions."""
        yield from self._writing.edits(site)
        for last, name in self._closed.items():
            if not isinstance(last, ast.Return):
                code = f"await {name}.aclose()\n"
                yield site.insert_statements(self._module.place(last), "after", code)

    def keeps(self, node: ast.expr) -> None:
        """Let nothing get a statement of its own in front of the one that holds ``node``."""
        statement = self._module.statement_of(node)
        if statement is not None:
            self._kept.add(statement)

    def applies(self, call: ast.Call) -> None:
        """Await what ``call``, of a builtin, calls for each of its items. Raises Refused."""
        self._places.applies(call)

    def generates(self, function: ast.FunctionDef, fixture: str | None) -> None:
        """Have a generator be an asynchronous one, also of a ``fixture``. Raises Refused."""
        for node in walk(function):
            if self._module.enclosing_function(node) is not function:
                continue
            match node:
                case ast.YieldFrom():
                    shown = self._module.excerpt(node.value)
                    self._places.delegates(node, shown, is_asynchronous=False)
                case ast.Return(value=ast.Name()) if fixture is not None:
                    # pytest reads no value that the generator of a fixture returns.
                    self._insertions.replace(self._module.span(node), "return")
                case ast.Return(value=ast.expr() as value):
                    raise Refused(RETURNING_GENERATOR, self._module.excerpt(value))

    def awaits(self, node: ast.expr) -> None:
        """Await ``node``. Raises Refused."""
        self._places.check(node)
        above = self._module.parent(node)
        if isinstance(above, ast.YieldFrom):
            self._places.delegates(above, self._module.excerpt(node), is_asynchronous=False)
        is_called = isinstance(above, ast.Call) and above.func is node
        if (is_called or _binds_tighter(above, node)) and not self._has_parentheses(node):
            if not self._hoist(node):
                self._insertions.wrap(node, "(await ", ")")
        else:
            self._insertions.insert_before(node, "await ")

    def renames(self, function: ast.expr, name: str) -> None:
        """Write ``name`` as the last word of what is called."""
        end = self._module.span(function).end
        self._insertions.replace(Span(end - len(last_name(function)), end), name)

    def runs_inside(self, node: ast.expr, opening: str, closing: str = "") -> None:
        """Await ``opening`` with ``node`` inside of it, which nothing awaits. Raises Refused."""
        self._places.close(node)
        before, behind = self.await_texts(node)
        self._insertions.wrap(node, f"{before}{opening}", f"{closing}){behind}")

    def await_texts(self, node: ast.expr) -> tuple[str, str]:
        """Return the text before and after what awaits in place of ``node``. Raises Refused."""
        self._places.check(node)
        is_tight = _binds_tighter(self._module.parent(node), node)
        return ("(await ", ")") if is_tight else ("await ", "")

    def adds_argument(self, call: ast.Call, name: str, value: str) -> None:
        """Pass one more argument by its name, if the call does not pass it already."""
        if any(keyword.arg == name for keyword in call.keywords):
            return
        if self._module.in_fstring(call):
            value = _without_quotes(value)
        end = self._module.span(call).end - 1
        inside = self._module.source.text[:end]
        written = inside.rstrip()
        last = LINE_END_BYTES.split(written)[-1]
        line_end = LINE_END_BYTES.search(inside, len(written))
        has_comma = written.endswith(b",")
        if line_end is not None and b"#" not in last:
            # On a line of its own, as the arguments before it; two show if the last has a comma.
            indented = (line_end[0] + last[: len(last) - len(last.lstrip())]).decode()
            is_alone = len(call.args) + len(call.keywords) == 1
            opening, closing = "" if has_comma else ",", "," if has_comma or is_alone else ""
            self._insertions.insert_at(len(written), f"{opening}{indented}{name}={value}{closing}")
            return
        self._insertions.insert_at(end, f"{' ' if has_comma else ', '}{name}={value}")

    def loads(self, node: ast.expr) -> None:
        """Await an attribute that loads when it is read. Raises Refused."""
        self.awaits(node)
        # The last word: white space may be around the dot.
        end = self._module.span(node).end
        name = last_name(node).encode()
        self._insertions.insert_at(end - len(name), "awaitable_attrs.")

    def enters(self, node: ast.expr) -> None:
        """Enter ``node``, an item of a ``with`` statement, asynchronously. Raises Refused."""
        item = self._module.parent(node)
        above = self._module.parent(item)
        if isinstance(above, ast.AsyncWith):
            return
        if not isinstance(above, ast.With):
            raise Refused(NOT_AWAITABLE_HERE, f"`{self._module.excerpt(node)}`")
        self._entered.setdefault(above, set()).add(node)

    def iterates(self, node: ast.expr, shown: str, *, has_end: bool) -> None:
        """Iterate ``node``, which calls an asynchronous generator. Raises Refused.

        ``has_end`` says whether closing the generator runs code of it.
        """
        module = self._module
        if taking := call_for_item(module, node):
            self._takes_first(taking, node, shown, has_end=has_end)
            return
        match module.parent(node):
            case ast.For(iter=iterated) as loop if iterated is node:
                self._insertions.insert_before(loop, "async ")
            case ast.comprehension(iter=iterated) as clause if iterated is node:
                self._places.iterates_in(clause)
            case ast.YieldFrom() as delegating:
                self._places.delegates(delegating, shown, is_asynchronous=True)
            case ast.Call(args=[given, *_]) as call if given is node:
                self._passes(call, node, shown)
            case ast.Starred():
                self._places.check(node)
                self._lists(node)
            case ast.keyword(arg="content") as keyword if is_response(module.parent(keyword)):
                pass
            case ast.Assign(targets=[ast.Name() as kept]):
                self._uses(kept, shown, has_end=has_end)
            case _:
                raise Refused(GENERATOR_USE, shown)

    def _uses(self, kept: ast.Name, shown: str, *, has_end: bool) -> None:
        """Write the uses of a generator in a variable. Raises Refused."""
        uses = [*generator_uses(self._module, kept, shown)]
        calls = [use for use in uses if isinstance(use, ast.Call)]
        is_closed = any(last_name(call.func) == "close" for call in calls)
        for call in calls if has_end and not is_closed else ():
            if kept_attribute(self._module.parent(call)):
                self._keeps(call, kept.id, shown)
        for use in uses:
            self._takes(use, shown)

    def _takes(self, use: ast.Call | ast.For, shown: str) -> None:
        """Write what takes items of a generator in a variable, or closes it. Raises Refused."""
        if isinstance(use, ast.For):
            self._insertions.insert_before(use, "async ")
            return
        if asked := asked_method(self._module, use):
            written = self._module.text_of(asked).replace("__", "__a", 1)
            self._insertions.replace(self._module.span(asked), written)
            return
        self.awaits(use)
        if last_name(use.func) == "close":
            self.renames(use.func, "aclose")
        else:
            self._places.takes_first(use, shown)

    def _takes_first(self, call: ast.Call, node: ast.expr, shown: str, *, has_end: bool) -> None:
        """Write a call that takes the first item of a generator. Raises Refused."""
        if has_end:
            self._holds(call, node, shown)
        self.awaits(call)
        self._places.takes_first(call, shown)

    def _passes(self, call: ast.Call, node: ast.expr, shown: str) -> None:
        """Write a call of a builtin, or of a response, that is given the generator."""
        module = self._module
        name = module.scopes.builtin_called(call)
        if is_response(call):
            return
        if name not in MADE_OF_A_LIST:
            raise Refused(GENERATOR_USE, shown)
        check_others(module, call)
        self._places.check(node)
        if not self._places.displays(call):
            self._lists(node)

    def _lists(self, node: ast.expr) -> None:
        self._listed.add(node)
        item = self._writing.item(node)
        self._insertions.wrap(node, f"[{item} async for {item} in ", "]")

    def _holds(self, call: ast.Call, node: ast.expr, shown: str) -> None:
        """Have the function hold the generator of which it takes the first item. Raises Refused."""
        name = self._writing.fresh(node, "opened", "generator")
        is_method = isinstance(call.func, ast.Attribute)
        self._insertions.wrap(node, f"{'(' * is_method}{name} := ", ")" * is_method)
        self._keeps(call, name, shown)

    def _keeps(self, call: ast.Call, name: str, shown: str) -> None:
        """Have the instance that keeps an item keep the generator, too. Raises Refused."""
        if not is_used_here(self._module, call, self._keeps_nothing):
            raise Refused(GENERATOR_USE, shown)
        statement = self._module.parent(call)
        if statement is not None and (kept := kept_attribute(statement)):
            # The attribute lives longer than the variable.
            start = self._module.span(statement).start
            newline = line_break_before(self._module.source.text, start)
            held = f"{ast.unparse(kept.value)}._generator_of_{kept.attr.lstrip('_')}"
            self._insertions.insert_after(statement, f"{newline}{held} = {name}")
        elif last := last_statement(self._module, statement):
            self._closed[last] = name

    def runs_sync(self, node: ast.expr, resource: str) -> None:
        """Run ``node``, a call that changes the schema, by ``run_sync``. Raises Refused."""
        module = self._module
        statement = module.parent(node)
        if not isinstance(node, ast.Call) or not isinstance(statement, ast.Expr):
            raise Refused(NOT_AWAITABLE_HERE, f"`{module.excerpt(node)}`")
        if resource == "connection":
            bind, arguments = of_schema(module, node)
            code = f"await {bind}.run_sync({arguments})\n"
        else:
            code = f"{schema_change(module, node)}\n"
        self._writing.rewrite(statement, REPLACE, Replaced(code))

    def finish(self) -> None:
        """Write what the whole function had to be known for.

        The ``with`` statements, those that enter managers of both kinds as several.
        """
        for part, (node, way) in self._in_brackets.items():
            # Code in another layout has other brackets: no path leads through those.
            if not {*way}.isdisjoint({*self._writing.nodes, *self._listed}):
                del self._writing.nodes[part]
                self._insertions.wrap(node, "(await ", ")")
        for last, name in self._closed.items():
            # The event loop would close the generator later, in the midst of other code.
            if isinstance(last, ast.Return):
                code = f"await {name}.aclose()\n{self._module.text_of(last)}\n"
                self._writing.rewrite(last, REPLACE, Replaced(code))
        mixed = [
            block
            for block, entered in self._entered.items()
            if {item.context_expr for item in block.items} != entered
        ]
        for statement, entered in self._entered.items():
            around = {statement, *self._module.ancestors(statement)}
            if around.isdisjoint(mixed):
                self._insertions.insert_before(statement, "async ")
                continue
            waiting = tuple(
                number
                for number, item in enumerate(statement.items)
                if item.context_expr in entered
            )
            self._writing.rewrite(statement, NEST, Nested(waiting))

    # -------------------------------------------------------------------------------------- parts
    def _hoist(self, node: ast.expr) -> bool:
        """Have ``node`` get a statement of its own, if it is evaluated first and is too long."""
        module = self._module
        statement = module.statement_of(node)
        way = way_to(module, statement, node)
        # A statement gets one before it: more awaits are written in place.
        if statement is None or way is None or statement in {*self._writing.nodes, *self._kept}:
            return False
        start, span = module.span(statement).start, module.span(node)
        head = module.source.text[start : span.start]
        before = module.source.text[start - statement.col_offset : start]
        is_inside = is_in_brackets(node, way) or head.rstrip().endswith(b"(")
        # Code in parentheses is formatted for them.
        is_laid_out = len(head.splitlines()) > 1 and not is_inside
        if (
            is_laid_out
            or b"#" in head
            or before.strip()
            or not breaks_inside_brackets(module.text_of(node))
        ):
            return False
        name = self._writing.fresh(node, *names_of_result(statement, node))
        line = LINE_END_BYTES.split(before + head)[-1]
        indent = len(line) - len(line.lstrip()) - len(before)
        hoisted = Hoisted(name, len(way), indent if is_inside else 0, is_inside)
        self._writing.rewrite(statement, HOIST, hoisted)
        if is_inside:
            self._in_brackets[statement] = node, way
        return True

    def _has_parentheses(self, node: ast.expr) -> bool:
        before, behind = self._module.text_alongside(node)
        return before.rstrip().endswith(b"(") and behind.lstrip().startswith(b")")


def _binds_tighter(above: ast.AST | None, node: ast.expr) -> bool:
    """Whether the code around ``node`` binds tighter than an ``await`` before it."""
    match above:
        case ast.Attribute() | ast.Await() | ast.BinOp(op=ast.Pow()):
            return True
        case ast.Subscript(value=value):
            return value is node
    return False


def schema_change(module: Module, node: ast.expr) -> str:
    """Return the code that creates or drops tables by an asynchronous engine, as ``node`` does."""
    bind, arguments = of_schema(module, node)
    name = module.fresh_local(node, "connection", "opened")
    return f"async with {bind}.begin() as {name}:\n    await {name}.run_sync({arguments})"


def of_schema(module: Module, node: ast.expr) -> tuple[str, str]:
    """Return the engine of ``metadata.create_all(engine)``, and what ``run_sync`` is passed."""
    call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
    given = next((keyword for keyword in call.keywords if keyword.arg == "bind"), None)
    bind = call.args[0] if given is None else given.value
    others = [part for part in (*call.args, *call.keywords) if part not in {bind, given}]
    arguments = ", ".join(module.text_of(part) for part in (call.func, *others))
    return module.text_of(bind), arguments


def _without_quotes(value: str) -> str:
    """Return a dictionary as a call: an f-string cannot hold its own quotes before Python 3.12."""
    match ast.parse(value, filename="", mode="eval").body:
        case ast.Dict(keys=[ast.Constant(value=str() as key)], values=[said]):
            return f"dict({key}={ast.unparse(said)})"
    return value
