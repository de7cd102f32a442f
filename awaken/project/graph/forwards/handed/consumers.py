"""Where the value of an expression goes: the next step of a function that is handed on."""

from __future__ import annotations

import ast
from collections.abc import Callable

from awaken.contract import Place
from awaken.knowledge.asynchronous import twins
from awaken.project.graph.forwards.call_graph import Call
from awaken.project.graph.forwards.handed.slots import End, Found, Slots, Spot, takes_receiver
from awaken.project.graph.passing import argument_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, FunctionOrLambda, parameters_of
from awaken.project.values.domain import InstanceOf

LOOKING = {
    "asyncio.iscoroutinefunction", "builtins.bool", "builtins.callable", "builtins.getattr",
    "builtins.hasattr", "builtins.id", "builtins.isinstance", "builtins.len", "builtins.print",
    "builtins.repr", "builtins.str", "functools.update_wrapper", "functools.wraps",
    "inspect.getdoc", "inspect.getsource", "inspect.iscoroutinefunction", "inspect.isfunction",
    "inspect.signature", "typing.get_type_hints",
}  # fmt: skip
"""Functions that are given a function and neither call nor keep it."""

SAME = {
    "builtins.dict", "builtins.frozenset", "builtins.iter", "builtins.list", "builtins.reversed",
    "builtins.set", "builtins.sorted", "builtins.tuple", "collections.OrderedDict",
    "collections.deque", "copy.copy", "types.MappingProxyType",
}  # fmt: skip
"""Functions that give a container with the items of another."""

TAKING = {"get", "pop", "popleft", "setdefault"}
ADDING = {"add": 0, "append": 0, "appendleft": 0, "insert": 1, "setdefault": 1}
"""Methods that put one of their arguments into a container, with its position."""
JOINING = {"extend", "update"}
PASSING = {"copy": 0, "values": 0, "items": 1}
"""Methods that give what goes through the items, with how many containers are around them more."""
_ONLY_LOOKED_AT = (
    ast.Assert, ast.Compare, ast.Delete, ast.Expr, ast.FormattedValue, ast.If, ast.While,
)  # fmt: skip
_IDLE = {"clear", "keys", "remove", "discard", "index", "count"}
IN_THREADS = {
    "asyncio.to_thread": 0, "fastapi.concurrency.run_in_threadpool": 0,
    "starlette.concurrency.run_in_threadpool": 0, "anyio.to_thread.run_sync": 0,
}  # fmt: skip
"""Functions that run one of their arguments in a thread, with its position."""
CASTS = {"typing.cast", "typing_extensions.cast"}


class Consumers:
    """Answers for one program; ``call_at`` gives the resolved call at a place."""

    def __init__(self, slots: Slots, call_at: Callable[[Place], Call | None]) -> None:
        self._slots = slots
        self._call_at = call_at

    def of(self, spot: Spot) -> Found:
        """Yield where the value of ``spot`` goes."""
        module, node, depth = spot
        above = module.parent(node)
        match above:
            case ast.Call(func=func) if func is node and depth == 0:
                yield End("call", module, above)
            case ast.Call(func=func) if func is not node:
                yield from self._argument(module, above, node, depth)
            case ast.keyword():
                call = module.parent(above)
                if isinstance(call, ast.Call):
                    yield from self._argument(module, call, node, depth)
            case ast.Return():
                function = module.enclosing_function(node)
                if isinstance(function, FunctionOrLambda):
                    yield self._slots.result(module, function, depth)
            case ast.Attribute():
                yield from self._attribute(module, above, depth)
            case _ if not isinstance(above, _ONLY_LOOKED_AT):
                yield from self._bound(spot, above)

    def _bound(self, spot: Spot, above: ast.AST | None) -> Found:
        """Yield the variables that are given ``spot``."""
        module, node, depth = spot
        match above:
            case ast.Assign(targets=targets, value=value) if value is node:
                for target in targets:
                    for one in self._target(module, target, depth):
                        # It is the value that leads out of sight.
                        yield one._replace(node=node) if isinstance(one, End) else one
            case ast.AnnAssign(target=target):
                yield from self._target(module, target, depth)
            case ast.NamedExpr(target=target):
                yield from self._target(module, target, depth)
                yield Spot(module, above, depth)
            case (
                ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value)
            ) if value is node:
                second = _of_pair(target, node)
                if second is None:
                    yield from self._target(module, target, depth - 1)
                else:
                    yield from self._target(module, second, depth - 2)
            case ast.Dict() | ast.List() | ast.Tuple() | ast.Set():
                yield from self._displayed(spot, above)
            case _:
                yield from self._inside(spot, above)

    def _displayed(self, spot: Spot, above: ast.AST) -> Found:
        """Yield the container that ``spot`` is put into."""
        module, node, depth = spot
        match above:
            case ast.Dict(keys=keys, values=values) if node in values:
                is_unpacked = keys[values.index(node)] is None
                yield Spot(module, above, depth if is_unpacked else depth + 1)
            case ast.List() | ast.Tuple() | ast.Set():
                yield Spot(module, above, depth + 1)
            case _:
                yield self._leak(module, node)

    def _inside(self, spot: Spot, above: ast.AST | None) -> Found:  # noqa: C901  one case a form
        """Yield the expression that ``spot`` is a part of."""
        module, node, depth = spot
        match above:
            case (
                ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.GeneratorExp(elt=element)
            ) if element is node:
                yield Spot(module, above, depth + 1)
            case ast.DictComp(value=value) if value is node:
                yield Spot(module, above, depth + 1)
            case ast.IfExp(test=test):
                if test is not node:
                    yield Spot(module, above, depth)
            case ast.BoolOp() | ast.Await():
                yield Spot(module, above, depth)
            case ast.Subscript(value=ast.Attribute(attr="dependency_overrides")):
                return
            case ast.Subscript(value=value, ctx=ast.Load()) if value is node and depth:
                yield Spot(module, above, depth - 1)
            case ast.Subscript(value=value) if value is node and depth:
                return
            case ast.UnaryOp(op=ast.Not()):
                return
            case ast.Yield() if self._is_in_fixture(module, node):
                function = module.enclosing_function(node)
                if isinstance(function, Function):
                    yield self._slots.result(module, function, depth)
            case _:
                yield self._leak(module, node)

    def _is_in_fixture(self, module: Module, node: ast.AST) -> bool:
        around = module.enclosing_function(node)
        if not isinstance(around, Function):
            return False
        return any("fixture" in module.text_of(one) for one in around.decorator_list)

    def _attribute(self, module: Module, node: ast.Attribute, depth: int) -> Found:
        if node.attr.startswith("__"):
            return
        call = module.parent(node)
        if not depth or not isinstance(call, ast.Call) or call.func is not node:
            yield self._leak(module, node)
        elif node.attr in TAKING:
            yield Spot(module, call, depth - 1)
        elif node.attr in PASSING:
            yield Spot(module, call, depth + PASSING[node.attr])
        elif node.attr not in {*ADDING, *JOINING, *_IDLE}:
            yield self._leak(module, node)

    # ------------------------------------------------------------------------------- assignments
    def _target(self, module: Module, target: ast.expr, depth: int) -> Found:
        match target:
            case ast.Name():
                slot = self._slots.variable(module, target, depth)
                if slot is not None:
                    yield slot
            case ast.Attribute():
                yield from self._slots.of_attribute(module, target, depth)
            case ast.Subscript(value=ast.Attribute(attr="dependency_overrides")):
                return
            case ast.Subscript(value=container):
                yield Spot(module, container, depth + 1)
            case ast.Tuple(elts=elements) | ast.List(elts=elements) if depth:
                for one in elements:
                    yield from self._target(module, one, depth - 1)
            case _:
                yield self._leak(module, target)

    # --------------------------------------------------------------------------------- arguments
    def _argument(self, module: Module, call: ast.Call, node: ast.expr, depth: int) -> Found:
        evaluator = self._slots.evaluator
        qualified = evaluator.names.qualified(module, call.func) or ""
        if qualified in LOOKING:
            return
        if self._is_absorbed(module, call, qualified) or self._is_started(call, node, qualified):
            yield End("absorbed", module, call)
            return
        position = self._in_thread(call, qualified)
        if position is not None and not depth:
            if call.args.index(node) == position if node in call.args else False:
                yield End("thread", module, call)
            else:
                yield self._leak(module, node, call)
            return
        is_first = bool(call.args) and call.args[0] is node
        if (qualified == "functools.partial" and is_first) or qualified in CASTS:
            yield Spot(module, call, depth)
            return
        if qualified in SAME and depth:
            yield Spot(module, call, depth)
            return
        if qualified == "builtins.enumerate" and depth and is_first:
            yield Spot(module, call, depth + 1)
            return
        into = self._into_container(module, call, node, depth)
        if into is not None:
            yield into
            return
        if qualified == "dataclasses.replace":
            yield from self._replaced(module, call, node, depth)
            return
        found = list(self._parameters(module, call, node, depth))
        found += [
            self._slots.field(owner, name, depth)
            for value, owner, name in self._slots.fields_given(module, call)
            if value is node
        ]
        yield from found or (self._leak(module, node, call),)

    def _is_absorbed(self, module: Module, call: ast.Call, qualified: str) -> bool:
        """Whether a call takes coroutine functions as well as plain ones."""
        absorbing = set(twins().absorbing.functions)
        if qualified in absorbing:
            return True
        if not isinstance(call.func, ast.Attribute):
            return False
        owner = call.func.value
        if isinstance(owner, ast.Attribute) and owner.attr == "dependency_overrides":
            return True
        owners = self._slots.evaluator.values(module, owner)
        names = {
            f"{base}.{call.func.attr}"
            for one in owners
            if isinstance(one, InstanceOf)
            for base in self._lines(one.qualified)
        }
        return bool(names & absorbing) and all(isinstance(one, InstanceOf) for one in owners)

    def _is_started(self, call: ast.Call, node: ast.expr, qualified: str) -> bool:
        """Whether ``node`` are handlers of an application: of its start, its end, errors."""
        name = next((one.arg for one in call.keywords if one.value is node), None)
        of_application = qualified in twins().absorbing.applications
        return of_application and name in {"exception_handlers", "on_shutdown", "on_startup"}

    def _in_thread(self, call: ast.Call, qualified: str) -> int | None:
        """Return which argument of ``call`` it runs in a thread and waits for, if it does so."""
        if qualified in IN_THREADS:
            return IN_THREADS[qualified]
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "run_in_executor":
            return None
        return 1

    def _lines(self, qualified: str) -> tuple[str, ...]:
        ancestors = self._slots.evaluator.classes.ancestors(qualified)
        return (qualified, *(ancestors.outside if ancestors is not None else ()))

    def _into_container(
        self, module: Module, call: ast.Call, node: ast.expr, depth: int
    ) -> Spot | None:
        func = call.func
        if not isinstance(func, ast.Attribute) or node not in call.args:
            return None
        if any(
            isinstance(one, InstanceOf) and self._slots.is_own(one.qualified)
            for one in self._slots.evaluator.values(module, func.value)
        ):
            return None
        if func.attr in ADDING and call.args.index(node) == ADDING[func.attr]:
            return Spot(module, func.value, depth + 1)
        return Spot(module, func.value, depth) if func.attr in JOINING and depth else None

    def _replaced(self, module: Module, call: ast.Call, node: ast.expr, depth: int) -> Found:
        name = next((one.arg for one in call.keywords if one.value is node), None)
        if name is None:
            yield self._leak(module, node, call)
            return
        for owner in self._slots.evaluator.values(module, call.args[0]) if call.args else ():
            if isinstance(owner, InstanceOf) and self._slots.is_own(owner.qualified):
                yield self._slots.field(owner.qualified, name, depth)
            else:
                yield self._leak(module, node, call)

    def _parameters(self, module: Module, call: ast.Call, node: ast.expr, depth: int) -> Found:
        """Yield the parameters that ``call`` passes ``node`` to."""
        resolved = self._call_at(module.place(call))
        if resolved is None or resolved.kind in {"unknown", "library"}:
            return
        for place in resolved.functions:
            home = self._slots.evaluator.load(place.path)
            function = None if home is None else home.function_at(place.start)
            if home is None or function is None:
                yield self._leak(module, node, call)
                continue
            bound = bound_by(module, call, home, function, self._slots)
            names = [
                one.arg
                for one, _ in parameters_of(function.args)
                if argument_of(call, function, one, bound) is node
            ]
            if names:
                yield self._slots.parameter(home, function, names[0], depth)
            else:
                yield self._leak(module, node, call)

    def _leak(self, module: Module, node: ast.AST, to: ast.AST | None = None) -> End:
        shown = module.excerpt(node if to is None else to)
        return End("leak", module, node, f"`{shown}` may call it")


def _of_pair(target: ast.expr, iterated: ast.expr) -> ast.expr | None:
    """Return what takes the value of each pair of `for key, value in d.items()`."""
    match target, iterated:
        case ast.Tuple(elts=[_, second]), ast.Call(func=ast.Attribute(attr="items")):
            return second
        case ast.Tuple(elts=[_, second]), ast.Call(func=ast.Name(id="enumerate")):
            return second
        case _:
            return None


def bound_by(module: Module, call: ast.Call, home: Module, function: Function, slots: Slots) -> int:
    """Return how many parameters of ``function`` are given by what ``call`` calls it on."""
    if not takes_receiver(home, function):
        return 0
    is_of_class = any(
        isinstance(one, ast.Name) and one.id == "classmethod" for one in function.decorator_list
    )
    if function.name in {"__init__", "__call__"} or is_of_class:
        return 1
    # `Class.method(object)` gives the object itself.
    named = slots.evaluator.names.qualified(module, call.func)
    owner = home.enclosing_class(function)
    is_plain = owner is not None and named == f"{home.name}.{home.qualname(owner)}.{function.name}"
    return 0 if is_plain else 1
