"""Calls of a function that are not by its name: of a value that it is, or an unknown receiver.

``callers_of`` goes from the name of a function to its mentions. Where one of these hands the
function on, or where a receiver is a parameter, this looks at the calls to which that may lead,
and resolves each as the call graph does. What may hide more calls stays as it is.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from awaken.contract import Place
from awaken.project.graph.callers import Callers, CallSite, Obstacle
from awaken.project.graph.callers.target import Target
from awaken.project.graph.dispatch import functions_called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.forwards.resolving import Referent, Referents
from awaken.project.graph.overrides import MAKING
from awaken.project.graph.passing import argument_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, parameters_of
from awaken.project.values.domain import Unknown

_MOST_NODES = 50
"""Expressions along which one function is handed on."""
_MOST_FILES = 60
"""Files with the name of what holds it; a name in more of them says nothing."""
_KINDS = {"value", "framework", "unresolved"}
_NAMED = {"class", "function", "import"}
"""What gives a name to one thing: a search for that name has found the calls of it."""


class CallsOfValues:
    """Completes what a search for the name of a function gave."""

    def __init__(self, evaluator: ProgramEvaluator, referents: Referents) -> None:
        self._evaluator = evaluator
        self._referents = referents
        self._resolved: dict[tuple[str, Place], tuple[Referent, ...]] = {}

    def added(self, module: Module, function: Function, callers: Callers) -> Callers:
        """Return ``callers`` of a function of ``module``, and the calls of it as a value."""
        if not any(one.kind in _KINDS for one in callers.obstacles):
            return callers
        target = self._evaluator.callers.target(module, function)
        sites = {site.place: site for site in callers.sites}
        for path in sorted(self._files(target, callers.obstacles)):
            home = self._evaluator.load(path)
            named = set() if target.name in MAKING else _NAMED
            for call in _calls(home, named) if home is not None else ():
                place = home.place(call) if home is not None else target.place
                if home is not None and place not in sites and self._may_call(target, home, call):
                    sites[place] = CallSite(place, target.gives)
        ordered = sorted(sites.values(), key=lambda site: (site.place.path, site.place.span))
        return replace(callers, sites=tuple(ordered))

    def _may_call(self, target: Target, module: Module, call: ast.Call) -> bool:
        # As in the graph, the callers of the function around are asked for a call by the name.
        with self._evaluator.without_callers():
            referents = self._referred(module, call, "alone")
        if any(one.kind == "unknown" for one in referents) and last_name(call.func) == target.name:
            referents = self._referred(module, call, "with callers")
        return any(target.is_referred(one) for one in referents)

    def _referred(self, module: Module, call: ast.Call, how: str) -> tuple[Referent, ...]:
        key = how, module.place(call)
        if key not in self._resolved:
            self._resolved[key] = self._referents.of(module, call.func)
        return self._resolved[key]

    def _files(self, target: Target, obstacles: Iterable[Obstacle]) -> set[str]:
        """Return the files that may hold a call of what the places of ``obstacles`` hand on."""
        files, words, waiting = {target.place.path}, set[str](), list[tuple[Module, ast.AST]]()
        if target.name == "__call__" or target.name in MAKING:
            words.add(target.owner_name)
        for obstacle in obstacles:
            for place in (obstacle.place, *obstacle.others) if obstacle.kind in _KINDS else ():
                files.add(place.path)
                module = self._evaluator.load(place.path)
                if module is not None:
                    waiting += [(module, one) for one in module.expressions_at({place.span})]
        seen = 0
        while waiting and seen < _MOST_NODES:
            seen += 1
            module, node = waiting.pop()
            for holder in self._holders(module, node):
                if isinstance(holder, str):
                    words.add(holder)
                else:
                    files.add(holder[0].path)
                    waiting.append(holder)
        for word in words:
            naming = self._evaluator.files_naming(word) or []
            files.update(naming if len(naming) <= _MOST_FILES else ())
        return files

    def _holders(self, module: Module, node: ast.AST) -> Iterator[str | tuple[Module, ast.AST]]:
        """Yield the names under which others find a value, and where functions read it."""
        below = node
        for above in module.ancestors(node):
            match above:
                case ast.Assign(targets=targets):
                    yield from map(last_name, targets)
                case ast.AnnAssign(target=target) | ast.NamedExpr(target=target):
                    yield last_name(target)
                case ast.Return() | ast.Yield():
                    around = module.enclosing_function(above)
                    if isinstance(around, Function):
                        yield around.name
                case ast.Call() if above.func is not below:
                    if isinstance(above.func, ast.Attribute):
                        yield last_name(above.func.value)
                    yield from self._parameters(module, above, below)
            if isinstance(above, ast.stmt):
                return
            below = above

    def _parameters(
        self, module: Module, call: ast.Call, argument: ast.AST
    ) -> Iterator[tuple[Module, ast.AST]]:
        """Yield the reads of the parameters to which ``call`` passes ``argument``."""
        called = functions_called(self._evaluator, module, call)
        value = argument.value if isinstance(argument, ast.keyword) else argument
        for one in () if isinstance(called, Unknown) else called:
            for parameter, _ in parameters_of(one.function.args):
                if argument_of(call, one.function, parameter, one.bound) is value:
                    scope = one.module.scopes.scope_made_by(one.function)
                    yield from ((one.module, read) for read in scope.reads.get(parameter.arg, []))


def _calls(module: Module, named: Collection[str]) -> Iterator[ast.Call]:
    """Yield the calls but those by a name that only bindings of the kinds ``named`` give."""
    for call in module.walk():
        if isinstance(call, ast.Call):
            name = call.func if isinstance(call.func, ast.Name) else None
            bindings = module.scopes.bindings_of(name) if name is not None else ()
            if name is None or any(one.kind not in named for one in bindings):
                yield call
