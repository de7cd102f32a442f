"""The fates of a coroutine: every end that it may come to, through variables and functions.

A fate is a possibility, not a promise: a coroutine that is awaited below an ``if`` is awaited and,
on another way, forgotten. A coroutine that cannot be followed has a fate as well, with its reason.

Calls that receive a coroutine: the library's use of it, or the parameter that gets it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Literal

from msgspec import Struct
from msgspec.structs import replace

from awaken.contract import Place
from awaken.knowledge.coroutines import Awaitable, Taker, Taking, coroutines
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.effects.construction import Constructions
from awaken.project.effects.coroutines.awaitables import Awaitables
from awaken.project.graph.classes.override_sets import is_stub
from awaken.project.graph.dispatch import Called, functions_called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.expression_uses import Way, targets_of, use_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name
from awaken.project.source.worklist import MOST_STEPS, Queue, Worklist
from awaken.project.values.domain import Unknown
from awaken.project.values.local.flow import local_binding, reads_seeing

TakenKind = Literal["asked", "called", "run", "stored", "unknown", "used"]
_KINDS: dict[Taking, TakenKind] = {
    "runs": "run",
    "starts": "run",
    "asks": "asked",
    "calls": "called",
}
_BUILTINS_OF_SAME_ITEMS = {f"builtins.{name}" for name in name_list("builtins_with_same_items")}
_BUILTINS_OF_ONE_ITEM = {f"builtins.{name}" for name in ("max", "min", "next")}
_BUILTINS_OF_CONTAINERS = {
    f"builtins.{name}" for name in ("all", "any", "bool", "isinstance", "len")
}
Kind = Literal[
    "asked", "awaited", "called", "closed", "dropped", "returned", "run", "stored", "tested",
    "unknown", "unread", "used", "yielded",
]  # fmt: skip
_RUNNING = {"send", "throw", "__await__"}
_ADDING = library_names().adding_methods
_OF_CONTAINERS = (library_names().changing_methods - {"popitem", "setdefault"}) | {
    "count", "index", "reverse", "sort",
}  # fmt: skip
_SAME_ITEMS = {"copy", "values", "__iter__"}
_ONE_ITEM = name_list("giving_an_item")


class Taken(Struct, frozen=True):
    """The call ends it: ``kind`` as in ``Fate``, ``by`` which function."""

    kind: TakenKind
    by: str = ""
    why: str = ""


class Onward(Struct, frozen=True):
    """The call returns it: as it is, in a container of ``depth`` layers, or in a coroutine."""

    depth: int
    kind: Awaitable | None = None


class IntoParameter(Struct, frozen=True):
    """A function of the program gets it, as ``parameter`` of the file ``module``."""

    module: Module
    parameter: Binding
    depth: int


class PassingOn:
    """Answers for one project."""

    def __init__(self, evaluator: ProgramEvaluator, awaitables: Awaitables) -> None:
        self._evaluator = evaluator
        self._awaitables = awaitables
        self._constructions = Constructions(evaluator)
        self._takers = coroutines().takers

    def uses_of_argument(
        self, module: Module, call: ast.Call, given: ast.expr, depth: int
    ) -> list[Taken | Onward | IntoParameter]:
        """Return what ``call`` does with its argument ``given``, each possibility.

        ``depth`` layers of containers lie around the coroutine.
        """
        names = self._awaitables.library_names(module, call)
        if isinstance(names, Unknown):
            return [Taken("unknown", why=names.why)]
        where = _Argument.of(call, given)
        if names:
            return [item for name in names for item in self._by_library(name, where, depth)]
        called = functions_called(self._evaluator, module, call)
        if isinstance(called, Unknown):
            return [self._by_class(module, call, where, depth, called)]
        real = [item for item in called if not is_stub(self._evaluator, item.module, item.function)]
        if not real:
            why = f"the implementation of `{called[0].function.name}` is unknown"
            return [Taken("unknown", why=why)]
        return [_to_function(callee, where, depth) for callee in real]

    def _by_library(self, name: str, where: _Argument, depth: int) -> list[Taken | Onward]:
        taker = self._takers.get(name)
        # A star takes one layer off.
        inner = depth - where.is_starred
        if taker is not None and _takes(taker, where) and inner == int(taker.items):
            if taker.does == "wraps":
                return [Onward(0, "coroutine")]
            return [Taken(_KINDS[taker.does], name)]
        if depth and name in _BUILTINS_OF_CONTAINERS:
            return []
        if depth and name in _BUILTINS_OF_SAME_ITEMS:
            return [Onward(depth)]
        if depth and name in _BUILTINS_OF_ONE_ITEM:
            return [Onward(depth - 1)]
        # ``x.append`` and the like; a coroutine itself has no such methods.
        if (name.count(".") > 1 and name.startswith("builtins.")) or name == "builtins.setattr":
            return [Taken("stored", name)]
        if not depth and name.startswith("builtins."):
            return [Taken("used", name)]
        return [Taken("unknown", name, f"awaken does not know how `{name}` uses it")]

    def _by_class(
        self, module: Module, call: ast.Call, where: _Argument, depth: int, otherwise: Unknown
    ) -> Taken | IntoParameter:
        """Return what making an instance of a class of the project does."""
        made = self._constructions.at_call(module, call)
        if made is None or not made.is_all or len(made.initialisers) > 1:
            return Taken("unknown", why=otherwise.why)
        if made.initialisers:
            return _to_function(made.initialisers[0], where, depth)
        return Taken("stored", module.excerpt(call.func))


class _Argument(Struct, frozen=True):
    """How a call passes something: by a position, a keyword, or unpacked from there on."""

    position: int | None = None
    keyword: str | None = None
    is_starred: bool = False

    @staticmethod
    def of(call: ast.Call, given: ast.expr) -> _Argument:
        for number, argument in enumerate(call.args):
            if argument is given:
                return _Argument(number)
            if isinstance(argument, ast.Starred) and argument.value is given:
                return _Argument(number, is_starred=True)
        name = next((keyword.arg for keyword in call.keywords if keyword.value is given), None)
        return _Argument(keyword=name)


def _takes(taker: Taker, where: _Argument) -> bool:
    if where.position is None:
        return bool(taker.keyword) and where.keyword == taker.keyword
    if taker.all:
        return True
    return where.position in taker.positions and not where.is_starred


def _to_function(called: Called, where: _Argument, depth: int) -> Taken | IntoParameter:
    """Return the parameter of ``called`` that gets the argument."""
    arguments = called.function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    name, inner = where.keyword, depth
    if where.position is not None:
        number = where.position + called.bound
        if number < len(positional) and not where.is_starred:
            name = positional[number].arg
        elif arguments.vararg is not None and number >= len(positional):
            name, inner = arguments.vararg.arg, depth + 1 - where.is_starred
    scope = called.module.scopes.scope_made_by(called.function)
    bindings = [item for item in scope.bindings_of(name or "") if item.kind == "parameter"]
    if not bindings:
        why = f"which parameter of `{called.function.name}` gets it is not certain"
        return Taken("unknown", why=why)
    return IntoParameter(called.module, bindings[0], inner)


class Fate(Struct, frozen=True):
    """One end of a coroutine, a task or a future.

    ``awaited``; ``run``: passed to something that runs it, ``by`` which function; ``returned`` by
    the function around; ``yielded``; ``stored`` where others may read it, ``by`` the name of what
    holds it; ``dropped``: an expression statement; ``unread``: a variable that nobody reads;
    ``tested`` for its truth; ``asked``: something is asked of it that runs nothing; ``closed``;
    ``called``: passed to what calls it, as if it were a function; ``used`` as if it were its own
    result; ``unknown``, with ``why``. ``chain`` are the calls by which it came to other functions.
    """

    kind: Kind
    place: Place
    by: str = ""
    why: str = ""
    chain: tuple[Place, ...] = ()


class _Here(Struct, frozen=True):
    """Where a coroutine is: ``node`` gives it, or a container of it ``depth`` layers deep."""

    module: Module
    node: ast.expr
    kind: Awaitable
    depth: int = 0
    chain: tuple[Place, ...] = ()


class Fates:
    """Answers for one project."""

    def __init__(self, evaluator: ProgramEvaluator, awaitables: Awaitables) -> None:
        self._evaluator = evaluator
        self._awaitables = awaitables
        self._passing_on = PassingOn(evaluator, awaitables)

    def fates_of(self, module: Module, node: ast.expr) -> tuple[Fate, ...]:
        """Return the possible fates of the coroutine, task or future that ``node`` gives.

        Other values that ``node`` may have are left out. Functions that it is passed to are
        followed, functions that return it are not: see ``of_result``.
        """
        kind = self._awaitables.kind_of(module, node)
        known: Awaitable = "awaitable" if kind is None or isinstance(kind, Unknown) else kind
        return _Following(self._passing_on).all(_Here(module, node, known))

    def of_result(self, module: Module, function: Function) -> tuple[Fate, ...]:
        """Return the possible fates of coroutines that calls of ``function`` give, in all files.

        Where its callers return it, theirs are asked. Code that may hide a call is an unknown fate.
        """
        result: dict[Fate, None] = {}
        seen, start = 0, (module, function)
        waiting = Worklist[tuple[Module, Function]]([start], lambda pair: pair[0].place(pair[1]))
        for home, node in waiting:
            callers = self._evaluator.callers_of(home, node)
            for obstacle in callers.obstacles:
                result[Fate("unknown", obstacle.place, why=obstacle.why)] = None
            for site in callers.sites:
                seen += 1
                if seen > MOST_STEPS:
                    why = f"`{function.name}` has too many callers to follow"
                    return (*result, Fate("unknown", module.place(function), why=why))
                for fate, outer in self._fates_of_call(site.place):
                    if outer is None:
                        result[fate] = None
                    else:
                        waiting += [outer]
        return tuple(result)

    def _fates_of_call(
        self, place: Place
    ) -> Iterator[tuple[Fate, tuple[Module, ast.FunctionDef] | None]]:
        """Yield the fates of what the call at ``place`` gives, with the function that returns it.

        The code of a coroutine runs where it is awaited.
        """
        for module, call in self._evaluator.calls_at(place)[:1]:
            around = module.enclosing_function(call)
            for fate in self.fates_of(module, call):
                goes_on = fate.kind == "returned" and not fate.chain
                if goes_on and isinstance(around, ast.FunctionDef):
                    yield fate, (module, around)
                else:
                    yield fate, None


class _Following:
    """One question: a list of places to look at, each once."""

    def __init__(self, passing_on: PassingOn) -> None:
        self._passing_on = passing_on
        self._queue = Queue[_Here]([], lambda here: (here.module.place(here.node), here.depth))
        self._found: list[Fate] = []

    def all(self, start: _Here) -> tuple[Fate, ...]:
        """Return every fate that is found from ``start`` on."""
        self._queue += [start]
        for count, here in enumerate(self._queue):
            if count == MOST_STEPS:
                self._end(here, "unknown", why="it goes through too many places to follow")
                break
            self._look(here)
        return tuple(dict.fromkeys(self._found))

    def _end(self, here: _Here, kind: Kind, by: str = "", why: str = "") -> None:
        place = here.module.place(here.node)
        self._found.append(Fate(kind, place, by, why, here.chain))

    def _unknown(self, here: _Here, why: str) -> None:
        self._end(here, "unknown", why=why)

    def _go(self, here: _Here, node: ast.expr, more: int = 0) -> None:
        """Go on with ``node``, in the same file, ``more`` layers deeper in containers."""
        self._queue += [replace(here, node=node, depth=here.depth + more)]

    # ------------------------------------------------------------------------- where it stands
    def _look(self, here: _Here) -> None:
        use = use_of(here.module, here.node)
        self._WAYS.get(use.way, _Following._visit_use)(self, here, use.above)

    def _same(self, here: _Here, above: ast.expr) -> None:
        if isinstance(above, ast.BoolOp) and here.node is not above.values[-1]:
            self._visit_test(here)
        if isinstance(above, ast.NamedExpr):
            self._store(here, above.target)
        self._go(here, above)

    def _visit_assignment(self, here: _Here, above: ast.Assign | ast.AnnAssign) -> None:
        for target in targets_of(above):
            self._store(here, target)

    def _visit_container(self, here: _Here, above: ast.expr) -> None:
        self._go(here, above, 1)

    def _visit_addition(self, here: _Here, above: ast.AST) -> None:
        if here.depth and isinstance(above, ast.BinOp):
            self._go(here, above)
        else:
            self._visit_use(here)

    def _nothing(self, here: _Here, above: ast.AST) -> None:
        del here, above

    def _visit_other(self, here: _Here, _above: ast.AST) -> None:
        self._unknown(here, "awaken does not follow a coroutine in this position")

    def _visit_await(self, here: _Here, _above: ast.AST) -> None:
        self._end(here, "used" if here.depth else "awaited")

    def _visit_use(self, here: _Here, _above: ast.AST | None = None) -> None:
        """End where a value is needed: of a container that says nothing of what it holds."""
        if here.depth:
            self._unknown(here, "awaken does not follow this use of its container")
        else:
            self._end(here, "used")

    def _visit_test(self, here: _Here, _above: ast.AST | None = None) -> None:
        # A container is tested for being empty.
        if not here.depth:
            self._end(here, "tested")

    def _visit_comparison(self, here: _Here, above: ast.Compare) -> None:
        if all(isinstance(operator, ast.Is | ast.IsNot) for operator in above.ops):
            self._end(here, "asked", "is")
        else:
            self._visit_test(here)

    def _element(self, here: _Here, above: ast.expr) -> None:
        """Go on with a display, or with the target that gets this element of it."""
        statement = here.module.parent(above)
        if not isinstance(statement, ast.Assign) or not isinstance(above, ast.List | ast.Tuple):
            self._go(here, above, 1)
            return
        number = above.elts.index(here.node)
        for target in statement.targets:
            if isinstance(target, ast.List | ast.Tuple) and _are_parallel(target, above):
                self._store(here, target.elts[number])
            else:
                self._store(replace(here, depth=here.depth + 1), target)

    def _attribute(self, here: _Here, above: ast.Attribute) -> None:
        if here.depth:
            self._of_container(here, above)
        elif here.kind == "coroutine":
            if above.attr in _RUNNING:
                self._end(here, "run", above.attr)
            elif above.attr == "close":
                self._end(here, "closed")
            elif above.attr.startswith("cr_"):
                self._end(here, "asked", above.attr)
            else:
                self._visit_use(here)
        else:
            self._end(here, "asked", above.attr)

    def _of_container(self, here: _Here, above: ast.Attribute) -> None:
        call = here.module.call_of(above)
        if call is None:
            self._unknown(here, f"`{here.module.excerpt(above)}` is not followed")
        elif above.attr in _SAME_ITEMS:
            self._go(here, call)
        elif above.attr in _ONE_ITEM:
            self._go(here, call, -1)
        elif above.attr not in _OF_CONTAINERS:
            self._unknown(here, f"`{here.module.excerpt(above)}` is not followed")

    def _subscript(self, here: _Here, above: ast.Subscript) -> None:
        if not here.depth:
            self._visit_use(here)
        elif isinstance(above.slice, ast.Slice):
            self._go(here, above)
        elif isinstance(above.ctx, ast.Load):
            self._go(here, above, -1)

    def _key(self, here: _Here, _above: ast.AST) -> None:
        self._end(here, "stored", "a key")

    def _visit_loop(self, here: _Here, above: ast.For | ast.AsyncFor | ast.comprehension) -> None:
        if here.depth:
            self._store(replace(here, depth=here.depth - 1), above.target)
        else:
            self._visit_use(here)

    # ------------------------------------------------------------------------------- variables
    def _store(self, here: _Here, target: ast.expr) -> None:
        match target:
            case ast.Name():
                self._to_variable(here, target)
            case ast.Attribute():
                self._end(here, "stored", here.module.excerpt(target))
            case ast.Subscript():
                self._follow_container(here, target.value)
            case ast.Tuple() | ast.List() if here.depth:
                for element in target.elts:
                    self._store(replace(here, depth=here.depth - 1), element)
            case ast.Starred():
                self._store(here, target.value)
            case _:
                self._visit_use(here)

    def _follow_container(self, here: _Here, container: ast.expr) -> None:
        """Go on with the variable that holds a container into which it is put."""
        binding = self._local(here.module, container)
        if binding is None:
            self._end(here, "stored", here.module.excerpt(container))
            return
        for read in here.module.scopes.reads_in(binding.scope, binding.name):
            if read is not container:
                self._go(here, read, 1)

    def _to_variable(self, here: _Here, target: ast.Name) -> None:
        binding = local_binding(here.module, target)
        if binding is None:
            self._end(here, "stored", target.id)
        else:
            self._read(here, binding, target)

    def _read(self, here: _Here, binding: Binding, target: ast.AST) -> None:
        """Go on with every read of the variable."""
        reads = reads_seeing(here.module, binding)
        for read in reads:
            self._go(here, read)
        if not reads and not here.depth:
            place = here.module.place(target)
            self._found.append(Fate("unread", place, binding.name, chain=here.chain))

    def _local(self, module: Module, node: ast.expr) -> Binding | None:
        """Return the only value of the local variable ``node``."""
        binding = module.scopes.only_binding(node, "assignment")
        return binding if binding is not None and binding.scope.kind == "function" else None

    # ----------------------------------------------------------------------------------- calls
    def _visit_starred(self, here: _Here, above: ast.Starred) -> None:
        outer = here.module.parent(above)
        if not here.depth:
            self._visit_use(here)
        elif isinstance(outer, ast.Call):
            self._visit_call(here, outer)
        else:
            self._go(here, above)

    def _in_call(self, here: _Here, call: ast.Call) -> None:
        func = call.func
        container = func.value if isinstance(func, ast.Attribute) else func
        puts = container is not func and last_name(func) in _ADDING
        if puts and self._local(here.module, container) is not None:
            self._follow_container(here, container)
        else:
            self._visit_call(here, call)

    def _visit_call(self, here: _Here, call: ast.Call) -> None:
        for item in self._passing_on.uses_of_argument(here.module, call, here.node, here.depth):
            match item:
                case Taken():
                    self._end(here, item.kind, item.by, item.why)
                case Onward():
                    kind = item.kind or here.kind
                    self._queue += [replace(here, node=call, depth=item.depth, kind=kind)]
                case IntoParameter():
                    chain = (*here.chain, here.module.place(call))
                    there = _Here(item.module, here.node, here.kind, item.depth, chain)
                    self._read(there, item.parameter, item.parameter.node)

    _WAYS: ClassVar[dict[Way, Callable[[_Following, _Here, Any], None]]] = {
        "argument": _in_call,
        "attribute": _attribute,
        "awaited": _visit_await,
        "bound": _visit_assignment,
        "compared": _visit_comparison,
        "deleted": _nothing,
        "dropped": lambda self, here, _: self._end(here, "dropped"),
        "element": _element,
        "index": _key,
        "item": _subscript,
        "iterated": _visit_loop,
        "key": _visit_container,
        "operand": _visit_addition,
        "other": _visit_other,
        "returned": lambda self, here, _: self._end(here, "returned"),
        "same": _same,
        "tested": _visit_test,
        "unpacked": _visit_starred,
        "yielded": lambda self, here, _: self._end(here, "yielded"),
    }


def _are_parallel(targets: ast.List | ast.Tuple, values: ast.List | ast.Tuple) -> bool:
    """Whether each target of an assignment gets one of the values."""
    parts = (*targets.elts, *values.elts)
    same = len(targets.elts) == len(values.elts)
    return same and not any(isinstance(part, ast.Starred) for part in parts)
