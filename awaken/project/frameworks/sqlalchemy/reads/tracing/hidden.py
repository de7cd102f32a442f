"""Invisible callers of a function, as far as they may pass an object of the program.

Invisible code has no objects of the program except those that it loads itself. It is no visible
reader either: a change of a class of a published program needs a caveat for the whole class. So a
public name hides nothing here, nor does a text of that name that gets nothing.
"""

from __future__ import annotations

import ast
import sys
from itertools import chain

from awaken.contract import Place
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.reads.tracing.arrivals import Arrivals
from awaken.project.frameworks.sqlalchemy.reads.tracing.passed_values import PassedValues
from awaken.project.graph.callers import Obstacle
from awaken.project.graph.classes.hierarchies import VIEWS
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, named_parameters, without_arguments
from awaken.project.values.calls.decorator_effects import library_names
from awaken.project.values.domain import External, InstanceOf, Origin, Producer, Values

_WITH_REQUESTS = {"celery", "click", "flask", "flask_login", "huey", "rq", "starlette", "typer"}
"""Packages whose decorators have functions called with texts and numbers: of a path, a command
line, a message."""
_LISTENING = {"sqlalchemy.event.listen", "sqlalchemy.event.listens_for"}
_SQLALCHEMY = {"flask_sqlalchemy", "sqlalchemy", "sqlmodel"}
_FORWARDING = name_list("forwarding")


class Hidden:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator, passed: PassedValues) -> None:
        self._evaluator = evaluator
        self._passed = passed

    def add(
        self,
        obstacle: Obstacle,
        module: Module,
        function: Function,
        parameter: ast.arg,
        arrivals: Arrivals,
    ) -> None:
        """Add what arrives at a parameter from where ``obstacle`` says."""
        if obstacle.kind == "outside":
            return
        if obstacle.kind == "named":
            self._add_named(obstacle, arrivals)
            return
        if function.name == "__init__" and parameter in named_parameters(function)[:1]:
            # It is new, whoever makes it.
            return
        if obstacle.kind == "inherited" and self._calls_with_requests(module, function):
            return
        decorator = _decorator_at(obstacle.place, module, function)
        if decorator is not None:
            self.add_decorator(module, function, decorator, arrivals)
            return
        if obstacle.kind == "value":
            self._passed_on(obstacle, function, parameter, arrivals)
            return
        arrivals.stop(obstacle.why, obstacle.place)

    def _add_named(self, obstacle: Obstacle, arrivals: Arrivals) -> None:
        """Add a text that gets the function, as in ``getattr(self, "show")``; others do not."""
        for place in (obstacle.place, *obstacle.others):
            is_python = place.path.endswith(".py")
            for module in self._evaluator.modules_at([place.path] if is_python else []):
                for node in module.mentions("getattr"):
                    above = module.parent(node)
                    key = above.args[1:2] if isinstance(above, ast.Call) else []
                    if key and module.span(key[0]) == place.span:
                        arrivals.stop(obstacle.why, place)

    # -------------------------------------------------------------------------------- frameworks
    def _calls_with_requests(self, module: Module, function: Function) -> bool:
        """Whether all external bases of a method's class have no objects of the program."""
        owner = module.parent(function)
        if not isinstance(owner, ast.ClassDef):
            return False
        ancestors = self._evaluator.classes.ancestors(module.full_name(owner))
        if ancestors is None or ancestors.unresolved:
            return False
        return all(
            name in VIEWS or name.partition(".")[0] in sys.stdlib_module_names
            for name in ancestors.outside
        )

    def add_decorator(
        self, module: Module, function: Function, decorator: ast.expr, arrivals: Arrivals
    ) -> None:
        """Add what arrives by a decorator, which may have the function called."""
        names = {*chain(*library_names(self._evaluator, module, decorator))}
        if names and names <= _LISTENING:
            arrivals.origins[Origin(module.place(decorator))] = None
        elif not names or not all(name in _FORWARDING or _gives_requests(name) for name in names):
            why = f"`{function.name}` is decorated by `{module.excerpt(decorator)}`"
            arrivals.stop(f"{why}, which may call it", module.place(decorator))

    # ----------------------------------------------------------------------------------- values
    def _passed_on(
        self, obstacle: Obstacle, function: Function, parameter: ast.arg, arrivals: Arrivals
    ) -> None:
        for place in (obstacle.place, *obstacle.others):
            given = self._called_with(place, function, parameter)
            if given is None:
                arrivals.stop(obstacle.why, place)
            elif isinstance(given, Origin):
                arrivals.origins[given] = None
            else:
                arrivals.add(given, place)

    def _called_with(
        self, place: Place, function: Function, parameter: ast.arg
    ) -> Values | Origin | None:
        """Return what the function gets where ``place`` passes it on; None if unknown."""
        module = self._evaluator.load(place.path)
        positional = [*function.args.posonlyargs, *function.args.args]
        if module is None or parameter not in positional:
            return None
        node = next(module.expressions_at({place.span}), None)
        if node is None:
            return None
        above = module.parent(node)
        if isinstance(above, ast.Call):
            if self._evaluator.names.qualified_name(module, above.func) in _LISTENING:
                return Origin(module.place(above))
            if function.name == "__init__" and self._is_sqlalchemy(module, above.func):
                # Loading makes objects without the constructor.
                return ()
        index = positional.index(parameter) - self._bound_number(module, node)
        return None if index < 0 else self._passed.values_for_argument(module, node, index)

    def _is_sqlalchemy(self, module: Module, called: ast.expr) -> bool:
        """Whether a function of SQLAlchemy is called, as ``select(User)``."""
        values = self._evaluator.values(module, called)
        return all(
            isinstance(item, External) and _root(item.qualified) in _SQLALCHEMY for item in values
        )

    def _bound_number(self, module: Module, node: ast.expr) -> int:
        """Return how many parameters the receiver gives to a method that is a value."""
        if not isinstance(node, ast.Attribute):
            return 0
        values = self._evaluator.values(module, node.value)
        return int(any(isinstance(value, InstanceOf | Producer) for value in values))


def _decorator_at(place: Place, module: Module, function: Function) -> ast.expr | None:
    plain = map(without_arguments, function.decorator_list)
    return next((node for node in plain if module.place(node) == place), None)


def _gives_requests(name: str) -> bool:
    """Whether a decorator has the function called with texts and numbers alone."""
    method = name.rpartition(".")[2]
    # A filter of templates is given anything, and so is who asks for what others passed.
    return _root(name) in _WITH_REQUESTS and "template" not in method and "pass_" not in method


def _root(name: str) -> str:
    return name.partition(".")[0]
