"""The arguments that the callers of a function pass to one of its parameters.

A parameter that is passed on unchanged (``def f(s): g(s)``) has the values that *its* callers pass,
so recursion and cycles of functions add nothing. Calls with ``*args`` or ``**kwargs`` that may
reach the parameter are unknown, unless these are a visible display, or the caller's own keywords. A
default counts always: some call may rely on it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from msgspec import Struct

from awaken.contract import Place
from awaken.project.graph.callers import Callers, CallSite
from awaken.project.graph.callers.call_sites import Obstacle
from awaken.project.names.functions.decorators import takes_receiver
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.expression_uses import is_only_unpacked, passed_keywords
from awaken.project.source.modules import Load, Module
from awaken.project.source.trees import Function, argument_of, parameters_of, unpacks
from awaken.project.source.worklist import MOST_STEPS, Worklist
from awaken.project.values.calls.expected import call_made_of, expected_at
from awaken.project.values.questions import Given, Passed, Questions

MOST_PARAMETERS = 25  # half loses no finding on four programs, and 300 took the square of them

_Called: TypeAlias = tuple[Module, ast.Call, CallSite]


class OpenParameter(Struct, frozen=True):
    """A parameter that nothing but its callers explains."""

    module: Module
    function: Function
    parameter: ast.arg


class Passing:
    """Collects what callers pass; ``callers_of`` finds the callers of a function.

    ``is_open`` says of a binding of a module whether only its callers can tell what it is.
    """

    def __init__(
        self,
        callers_of: Callable[[Module, Function], Callers],
        load: Load,
        is_open: Callable[[Module, Binding], bool],
        evaluator: Questions,
    ) -> None:
        self._evaluator = evaluator
        self._callers_of = callers_of
        self._load = load
        self._is_open = is_open

    def arguments_for(self, module: Module, function: Function, parameter: ast.arg) -> Passed:
        """Return what is passed to ``parameter`` of ``function``."""
        to, start = Passed(), OpenParameter(module, function, parameter)
        waiting = Worklist(
            [start], lambda asked: (asked.module.place(asked.parameter), asked.parameter.arg)
        )
        for asked in waiting:
            # The results so far are kept: the doubt says that they are incomplete.
            if len(waiting.seen) > MOST_PARAMETERS or len(to.given) > MOST_STEPS:
                to.doubts["too many calls have to be followed"] = _place(asked)
                return to
            waiting += self._at_callers(asked, to)
        return to

    def _at_callers(self, asked: OpenParameter, passed: Passed) -> list[OpenParameter]:
        """Add what the callers pass; return the parameters that they pass on as they came."""
        callers = self._callers_of(asked.module, asked.function)
        made = {item: [*self._made_calls(asked, item)] or [None] for item in callers.obstacles}
        self._at_obstacles(asked, (item for item in made if None in made[item]), passed)
        default = default_of(asked.function, asked.parameter)
        if default is not None:
            passed.given.append(Given(asked.module, default))
        is_named = not _is_declared(asked)
        opened: list[OpenParameter] = []
        calls = [each for item in made.values() for each in item if each is not None]
        for module, call, site in (*self._calls(callers.sites), *calls):
            passed.calls += 1
            argument = _passed_by(call, asked, site.bound)
            # It then has the default, which was added above, or is missing in ``**kwargs``.
            if argument is None and (default is not None or is_named) and not unpacks(call):
                continue
            if argument is None:
                unpacked = self._in_keywords(module, call, asked.parameter.arg)
                if isinstance(unpacked, OpenParameter):
                    opened.append(unpacked)
                    continue
                argument = unpacked
            if argument is None:
                passed.given += self._unpacked_arguments(module, call, asked)
                why = f"`{module.excerpt(call)}` passes it in a way that is not followed"
                passed.doubts.setdefault(why, site.place)
                continue
            forwarded = self._forwarded_open(module, argument)
            if forwarded is None:
                passed.given.append(Given(module, argument))
            else:
                opened.append(forwarded)
        return opened

    def _unpacked_arguments(
        self, _module: Module, _call: ast.Call, _asked: OpenParameter
    ) -> Iterator[Given]:
        """Yield what a call may pass to a parameter among what it unpacks."""
        yield from ()

    def _at_obstacles(
        self, asked: OpenParameter, obstacles: Iterable[Obstacle], passed: Passed
    ) -> None:
        """Add a doubt for every obstacle, and the types that receivers of the function declare."""
        for obstacle in obstacles:
            why, types = obstacle.why, self._expected_types(asked, obstacle)
            if types and (why in passed.expected or why not in passed.doubts):
                passed.expected.setdefault(why, []).extend(types)
            else:
                passed.expected.pop(why, None)
            passed.doubts.setdefault(why, obstacle.place)

    def _made_calls(self, asked: OpenParameter, obstacle: Obstacle) -> Iterator[_Called | None]:
        """Yield the calls that libraries make where a function is passed; None for another use."""
        is_method = takes_receiver(asked.module, asked.function)
        for module, node in self._passed_at(obstacle):
            call = call_made_of(self._evaluator, module, node)
            bound = int(is_method and isinstance(node, ast.Attribute))
            yield None if call is None else (module, call, CallSite(module.place(node), bound))

    def _expected_types(self, asked: OpenParameter, obstacle: Obstacle) -> list[Given]:
        """Return the types that all receivers of the function declare; empty if one doesn't."""
        types = [
            expected_at(self._evaluator, module, node, asked.function, asked.parameter)
            for module, node in self._passed_at(obstacle)
        ]
        known = [argument for argument in types if argument is not None]
        return known if len(known) == len(types) else []

    def _passed_at(self, obstacle: Obstacle) -> list[tuple[Module, ast.expr]]:
        """Return the expressions that pass the function as a value; empty for other obstacles."""
        places = (obstacle.place, *obstacle.others) if obstacle.kind == "value" else ()
        return [
            (module, node)
            for place in places
            if (module := self._load(place.path)) is not None
            for node in module.expressions_at({place.span})
        ]

    def _in_keywords(
        self, module: Module, call: ast.Call, name: str
    ) -> OpenParameter | ast.expr | None:
        """Return what a call passes by ``name`` among the keywords that it unpacks.

        They are a display in a local variable, or the keywords of the function around it, without
        any other use. None where that is not so.
        """
        unpacked = [keyword.value for keyword in call.keywords if keyword.arg is None]
        binding = module.scopes.only_binding(unpacked[0]) if len(unpacked) == 1 else None
        function = None if binding is None else binding.scope.node
        if binding is None or not isinstance(function, Function):
            return None
        if isinstance(binding.node, ast.arg):
            is_key = all(argument.arg != name for argument, _ in parameters_of(function.args))
            is_handed_on = is_key and binding.node is function.args.kwarg
            if not is_handed_on or not is_only_unpacked(module, unpacked[0]):
                return None
            return OpenParameter(module, function, ast.copy_location(ast.arg(name), binding.node))
        passed = [*passed_keywords(module, call)]
        values = [value for key, value in passed if key == name]
        return values[0] if len(values) == 1 and all(key is not None for key, _ in passed) else None

    def _calls(self, sites: Iterable[CallSite]) -> Iterator[_Called]:
        """Yield the trees of call sites."""
        for site in sites:
            module = self._load(site.place.path)
            if module is not None:
                yield from ((module, call, site) for call in module.calls_at(site.place.span))

    def _forwarded_open(self, module: Module, node: ast.expr) -> OpenParameter | None:
        """Return the open parameter that ``node`` is the bare name of."""
        binding = module.scopes.only_binding(node)
        if binding is None or not self._is_open(module, binding):
            return None
        parameter = binding.parameter
        return None if parameter is None else OpenParameter(module, *parameter)


def collected_arguments(call: ast.Call, function: Function, bound: int) -> list[ast.expr]:
    """Return what ``call`` passes to the parameter that takes all further arguments, ``*names``.

    Nothing if something is unpacked among them. The receiver gives the first ``bound`` parameters.
    """
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return []
    return call.args[_first_collected(function, bound) :]


def _first_collected(function: Function, bound: int) -> int:
    return max(len(function.args.posonlyargs) + len(function.args.args) - bound, 0)


def _passed_by(call: ast.Call, asked: OpenParameter, bound: int) -> ast.expr | None:
    """Return the argument for the parameter in question; all further ones are a tuple."""
    if asked.parameter is not asked.function.args.vararg:
        return argument_of(call, asked.function, asked.parameter, bound)
    first = _first_collected(asked.function, bound)
    if any(isinstance(argument, ast.Starred) for argument in call.args[:first]):
        return None
    return ast.copy_location(ast.Tuple(call.args[first:], ast.Load()), call)


def _is_declared(asked: OpenParameter) -> bool:
    """Whether a function declares the parameter; else it is a key of its ``**kwargs``."""
    args = asked.function.args
    return asked.parameter is args.vararg or any(
        argument.arg == asked.parameter.arg for argument, _ in parameters_of(args)
    )


def default_of(function: Function, parameter: ast.arg) -> ast.expr | None:
    """Return the default of ``parameter``, a parameter of ``function``; None if it has none."""
    pairs = parameters_of(function.args)
    return next((default for argument, default in pairs if argument is parameter), None)


def _place(asked: OpenParameter) -> Place:
    return asked.module.place(asked.parameter)
