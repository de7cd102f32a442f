"""Expressions in whose place something can be awaited, and the code that then changes.

A generator that awaits is asynchronous, so the code that takes its items has to await them. A
lambda that a builtin calls in place becomes a part of its loop.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct, field

from awaken.codemods.sqlalchemy.session_to_async.expressions.first_items import (
    call_for_item,
    handled_ends,
)
from awaken.codemods.sqlalchemy.session_to_async.expressions.text_insertions import Insertions
from awaken.codemods.sqlalchemy.session_to_async.payload import (
    APPLY,
    DELEGATE,
    DISPLAY,
    SEARCH,
    SEARCH_BY_LOOP,
    Applied,
    Delegated,
    Displayed,
    Searched,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import GENERATOR_USE, NOT_AWAITABLE_HERE
from awaken.contract import Edit, Span
from awaken.kit.names_here import is_dotted
from awaken.kit.sites import Refused, Site
from awaken.knowledge.library_names import library_names
from awaken.project.graph.forwards.in_place import applied_by, called_in_place
from awaken.project.source.f_strings import is_placed, is_shown
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name

_OLD = "this f-string, because awaken runs on a Python older than 3.12"
_TELLING = (ast.Await, ast.Call, ast.NamedExpr, ast.Yield, ast.YieldFrom)
"""What others may see when it is evaluated."""
MADE_OF_ALL = library_names().consuming - {"all", "any"}
"""Builtins that take all items before anything follows."""
ON_DEMAND = {"enumerate", "zip"}
"""Builtins that take an item when they are asked for one."""
MADE_OF_A_LIST = {*MADE_OF_ALL, *ON_DEMAND}
"""Builtins that go through all items of their argument, whatever the items are."""
_A_GENERATOR = "a generator expression"


class Writing(Struct):
    """The text to write into one function of ``module``."""

    module: Module
    insertions: Insertions
    nodes: dict[ast.AST, tuple[str, Struct]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def rewrite(self, node: ast.AST, rewriter: str, data: Struct) -> None:
        """Let ``rewriter`` write ``node`` again. Raises Refused."""
        check_node(self.module, node)
        self.nodes.setdefault(node, (rewriter, data))

    def edits(self, site: Site[ast.AST]) -> Iterator[Edit]:
        """Yield the edits of the nodes that are written again."""
        for node, (rewriter, data) in self.nodes.items():
            yield site.rewrite(node, rewriter, data)

    def item(self, node: ast.AST) -> str:
        """Return the name of the items of a loop at ``node``, which one loop after another has."""
        return self.module.fresh_local(node, "item")

    def fresh(self, node: ast.AST, *candidates: str) -> str:
        """Return a name for the function around ``node`` that was not returned before."""
        name = self.module.fresh_local(node, *candidates, taken=self.taken)
        self.taken.add(name)
        return name


def check_node(module: Module, node: ast.AST) -> None:
    """Raise Refused where ``node`` cannot be written again, because it is in an f-string."""
    if isinstance(node, ast.expr) and not is_placed(module, node):
        raise Refused(NOT_AWAITABLE_HERE, _OLD)


def check_formatted(module: Module, part: ast.FormattedValue) -> None:
    """Raise Refused where the value in braces cannot be written into."""
    if is_shown(module, part.value):
        raise Refused(NOT_AWAITABLE_HERE, "an f-string that shows its code")
    check_node(module, part.value)


def check_others(module: Module, call: ast.Call) -> None:
    """Check that ``call``, of a builtin, may be passed a list of the items. Raises Refused.

    Arguments after the first do nothing before the items are made, and all items are taken first.
    """
    if module.scopes.builtin_called(call) in ON_DEMAND and not _takes_all(module, call):
        raise Refused(GENERATOR_USE, module.excerpt(call.args[0]))
    others = [*call.args[1:], *(keyword.value for keyword in call.keywords)]
    evaluated = [node for node in others if not isinstance(node, ast.Lambda)]
    if any(isinstance(node, _TELLING) for other in evaluated for node in ast.walk(other)):
        raise Refused(NOT_AWAITABLE_HERE, f"the first argument of `{module.excerpt(call)}`")


def _takes_all(module: Module, call: ast.Call) -> bool:
    """Whether ``call`` is asked for all of its items at once: a loop may end before, or write."""
    is_strict = any(keyword.arg == "strict" for keyword in call.keywords)
    is_zip = module.scopes.builtin_called(call) == "zip"
    if is_zip and len(call.args) > 1 and not is_strict:
        # The shortest argument ends it.
        return False
    match module.parent(call):
        case ast.Call(args=[given, *_]) as consuming if given is call:
            return module.scopes.builtin_called(consuming) in MADE_OF_ALL
        case ast.Starred():
            return True
        case ast.comprehension() as clause:
            return _does_nothing_else(module.parent(clause), call)
    return False


def _does_nothing_else(comprehension: ast.AST | None, call: ast.Call) -> bool:
    """Whether a list, a set or a dictionary is made of items, and nothing happens between them."""
    inside = {*ast.walk(call)}
    return isinstance(comprehension, ast.ListComp | ast.SetComp | ast.DictComp) and not any(
        isinstance(node, _TELLING) for node in ast.walk(comprehension) if node not in inside
    )


class Places:
    """The places of one function."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._module = writing.module
        self._insertions = writing.insertions
        self._settled: set[ast.AST] = set()
        self._synchronous: set[ast.AST] = set()

    def close(self, node: ast.AST) -> None:
        """Let nothing be awaited inside of ``node``."""
        self._synchronous.add(node)

    def check(self, node: ast.AST) -> None:
        """Have something awaited in the place of ``node``. Raises Refused."""
        module, child = self._module, node
        for above in module.ancestors(node):
            match above:
                case _ if above in self._synchronous:
                    raise Refused(NOT_AWAITABLE_HERE, "what `run_sync` calls")
                case ast.Lambda():
                    call = called_in_place(module, above)
                    if call is None or above.body is not child:
                        raise Refused(NOT_AWAITABLE_HERE, "a lambda")
                    self._apply(call)
                case ast.GeneratorExp(generators=[first, *_]) if not self._is_in(first.iter, node):
                    self.take(above)
                case ast.FormattedValue():
                    check_formatted(module, above)
                case ast.arguments() | ast.ClassDef():
                    raise Refused(NOT_AWAITABLE_HERE, "a default or the body of a class")
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    if child in above.decorator_list:
                        raise Refused(NOT_AWAITABLE_HERE, "a decorator")
                    return
            child = above

    def applies(self, call: ast.Call) -> None:
        """Await what ``call``, of a builtin, calls for each of its items. Raises Refused."""
        self.check(call)
        self._apply(call)

    def iterates_in(self, clause: ast.comprehension) -> None:
        """Iterate the ``for`` of a comprehension asynchronously. Raises Refused."""
        self.check(clause.iter)
        comprehension = self._module.parent(clause)
        if isinstance(comprehension, ast.GeneratorExp):
            self.take(comprehension)
        start = self._module.span(clause.target).start
        self._insertions.insert_at(self._module.source.text.rindex(b"for", 0, start), "async ")

    def delegates(self, delegating: ast.YieldFrom, shown: str, *, is_asynchronous: bool) -> None:
        """Write ``yield from`` as the loop that it is. Raises Refused."""
        statement = self._module.parent(delegating)
        if not isinstance(statement, ast.Expr):
            raise Refused(GENERATOR_USE, shown)
        item = self._writing.item(statement)
        self._writing.rewrite(statement, DELEGATE, Delegated(item, is_asynchronous))

    def takes_first(self, call: ast.Call, shown: str) -> None:
        """Write ``next`` as ``anext``, and the methods that they call. Raises Refused."""
        if not call.args[1:]:
            # Without a default the end of both is another exception.
            for name in handled_ends(self._module, call, shown):
                self._insertions.replace(self._module.span(name), "StopAsyncIteration")
        end, word = self._module.span(call.func).end, last_name(call.func)
        self._insertions.replace(Span(end - len(word), end), word.replace("next", "anext"))

    def displays(self, call: ast.Call) -> bool:
        """Have a call of ``list`` or ``set`` written as a display, if it is nothing else."""
        name = self._module.scopes.builtin_called(call)
        if name not in {"list", "set"} or len(call.args) != 1 or call.keywords:
            return False
        item = self._writing.item(call)
        self._writing.rewrite(call, DISPLAY, Displayed(item, is_set=name == "set"))
        return True

    def take(self, expression: ast.GeneratorExp) -> None:
        """Have the items of a generator that waits awaited. Raises Refused."""
        if expression in self._settled:
            return
        self._settled.add(expression)
        module, above = self._module, self._module.parent(expression)
        if taking := call_for_item(module, expression):
            self.check(taking)
            self.takes_first(taking, module.excerpt(expression))
            self._insertions.insert_before(taking, "await ")
            return
        match above:
            case ast.Call(args=[given, *_]) if given is expression:
                self._take_in_call(expression, above)
            case ast.For(iter=iterated) if iterated is expression:
                self._insertions.insert_before(above, "async ")
            case ast.comprehension(iter=iterated) if iterated is expression:
                self.iterates_in(above)
            case ast.YieldFrom():
                self.delegates(above, module.excerpt(expression), is_asynchronous=True)
            case ast.Starred():
                self._as_list(expression)
            # Unpacking a generator takes its items immediately; one too many raises either way.
            case ast.Assign(targets=[ast.Tuple() | ast.List()]):
                self._as_list(expression)
            case ast.keyword(arg="content") if is_response(module.parent(above)):
                pass
            case _:
                raise Refused(NOT_AWAITABLE_HERE, _A_GENERATOR)

    # -------------------------------------------------------------------------------------- parts
    def _take_in_call(self, expression: ast.GeneratorExp, call: ast.Call) -> None:
        name = self._module.scopes.builtin_called(call)
        is_alone = len(call.args) == 1 and not call.keywords
        is_join = isinstance(call.func, ast.Attribute) and call.func.attr == "join"
        if name in {"all", "any"} and is_alone:
            search(self._writing, call, expression)
        elif name in {"max", "min"} and applied_by(self._module, call) is not None:
            # Its key is called between two items.
            raise Refused(NOT_AWAITABLE_HERE, _A_GENERATOR)
        elif name in MADE_OF_A_LIST or (is_join and is_alone):
            check_others(self._module, call)
            if not self.displays(call):
                self._as_list(expression)
        elif not is_response(call):
            raise Refused(NOT_AWAITABLE_HERE, _A_GENERATOR)

    def _apply(self, call: ast.Call) -> None:
        if call in self._settled:
            return
        self._settled.add(call)
        apply(self._writing, call)
        if call.keywords:
            # A key: the sorted list is as before.
            return
        match self._module.parent(call):
            case ast.For(iter=iterated) as loop if iterated is call:
                self._insertions.insert_before(loop, "async ")
            case ast.comprehension(iter=iterated) as clause if iterated is call:
                self.iterates_in(clause)

    def _as_list(self, expression: ast.GeneratorExp) -> None:
        span = self._module.span(expression)
        above = self._module.parent(expression)
        if isinstance(above, ast.Call) and self._module.span(above).end == span.end:
            # Its parentheses are those of the call.
            self._insertions.insert_at(span.start + 1, "[")
            self._insertions.insert_at(span.end - 1, "]")
        else:
            self._insertions.replace(Span(span.start, span.start + 1), "[")
            self._insertions.replace(Span(span.end - 1, span.end), "]")

    def _is_in(self, iterated: ast.expr, node: ast.AST) -> bool:
        """Whether ``node`` is in the first iterable of a generator, which is evaluated at once."""
        return node is iterated or any(part is iterated for part in self._module.ancestors(node))


def is_response(node: ast.AST | None) -> bool:
    """Whether ``node`` makes a response that takes generators of both kinds."""
    return isinstance(node, ast.Call) and last_name(node.func) == "StreamingResponse"


# --------------------------------------------------------------------------------- applied builtins
def apply(writing: Writing, call: ast.Call) -> None:
    """Write ``call``, which calls its function for each item, as a loop. Raises Refused."""
    module = writing.module
    function = applied_by(module, call)
    items = 1 if call.keywords else len(call.args) - 1
    if function is None or not _can_stand_in_loop(function, items):
        raise Refused(NOT_AWAITABLE_HERE, f"what `{module.excerpt(call)}` calls")
    # Comments between its arguments would have no place.
    if b"#" in module.text_of(call).encode():
        raise Refused(NOT_AWAITABLE_HERE, f"`{module.excerpt(call)}`, which has comments")
    around = module.parent(call)
    consuming = call if call.keywords else around
    if isinstance(consuming, ast.Call):
        check_others(module, consuming)
    item = writing.item(call)
    match module.scopes.builtin_called(call):
        case "sorted" | "max" | "min" as name:
            writing.rewrite(call, APPLY, Applied(name, item))
        case _ if isinstance(around, ast.Call):
            match module.scopes.builtin_called(around):
                case "all" | "any" | "list" | "set" as outer if not around.keywords:
                    writing.rewrite(around, APPLY, Applied(outer, item))
                case _:
                    writing.rewrite(call, APPLY, Applied("items", item))
        case _ if isinstance(around, ast.Starred):
            writing.rewrite(call, APPLY, Applied("items", item))
        case _:
            writing.rewrite(call, APPLY, Applied("generator", item))


def _can_stand_in_loop(function: ast.expr, items: int) -> bool:
    """Whether a loop can call ``function`` in each round, or hold its body."""
    if not isinstance(function, ast.Lambda):
        return is_dotted(function)
    given = function.args
    others = (given.posonlyargs, given.kwonlyargs, given.defaults, given.vararg, given.kwarg)
    return (
        len(given.args) == items
        and not any(others)
        and not any(
            isinstance(node, ast.NamedExpr | ast.Yield | ast.YieldFrom)
            for node in ast.walk(function.body)
        )
    )


# ---------------------------------------------------------------------------------------- searching
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
    function, scopes = module.enclosing_function(generator), module.scopes
    own = scopes.scope_made_by(generator)
    inside = {*scopes.scopes_inside(own)}
    return function is None or any(
        name in own.bindings
        for scope in scopes.scopes_inside(scopes.scope_made_by(function))
        if scope not in inside
        for name in (*scope.bindings, *scope.reads, *scope.globals, *scope.nonlocals)
    )
