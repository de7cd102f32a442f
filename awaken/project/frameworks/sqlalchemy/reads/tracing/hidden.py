"""What may call a function out of sight, as far as an object of the program may come from there.

Code that nobody sees has no objects of the program but those that it loads itself, and is no
reader in sight either: who changes a class of a published program has to say so for the whole
class. So a public name, a text of that name and a base that does not know it hide nothing here.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from awaken.contract import Place
from awaken.project.frameworks.sqlalchemy.reads.tracing.found import Arrivals
from awaken.project.frameworks.sqlalchemy.reads.tracing.handed_on import HandedOn
from awaken.project.frameworks.sqlalchemy.reads.tracing.positions import is_first
from awaken.project.graph.callers import Obstacle
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, without_arguments
from awaken.project.values.domain import External, InstanceOf, Origin, Producer, Values

_ELSEWHERE = {"outside", "named", "dynamic"}
_VIEWS = {
    "flask.views.MethodView",
    "flask.views.View",
    "flask_classful.FlaskView",
    "flask_restful.Resource",
    "flask_restplus.Resource",
    "flask_restx.Resource",
    "starlette.endpoints.HTTPEndpoint",
    "tornado.web.RequestHandler",
}
"""Classes that call the methods of their subclasses with what stands in a request."""
_WITH_REQUESTS = {"celery", "click", "flask", "flask_login", "huey", "rq", "starlette", "typer"}
"""Packages whose decorators have functions called with texts and numbers: of a path, a command
line, a message."""
_LISTENING = {"sqlalchemy.event.listen", "sqlalchemy.event.listens_for"}
_SQLALCHEMY = {"flask_sqlalchemy", "sqlalchemy", "sqlmodel"}
_FORWARDING = {
    "flask_caching.Cache.cached",
    "flask_caching.Cache.memoize",
    "flask_login.login_required",
    "flask_login.utils.login_required",
}
"""Decorators that call the function with what its callers pass, or not at all."""


class Hidden:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator, handed_on: HandedOn) -> None:
        self._evaluator = evaluator
        self._handed_on = handed_on

    def add(
        self,
        obstacle: Obstacle,
        module: Module,
        function: Function,
        parameter: ast.arg,
        arrivals: Arrivals,
    ) -> None:
        """Add what arrives at a parameter from where ``obstacle`` says."""
        if obstacle.kind in _ELSEWHERE:
            return
        if function.name == "__init__" and is_first(function, parameter):
            # It is new, whoever makes it.
            return
        if obstacle.kind == "inherited" and self._calls_with_requests(module, function):
            return
        if obstacle.kind == "framework" and self._decorated(obstacle, module, function, arrivals):
            return
        if obstacle.kind == "value":
            self._passed_on(obstacle, function, parameter, arrivals)
            return
        arrivals.stop(obstacle.why, obstacle.place)

    # -------------------------------------------------------------------------------- frameworks
    def _calls_with_requests(self, module: Module, function: Function) -> bool:
        """Whether all bases out of sight of a method's class have no objects of the program."""
        owner = module.parent(function)
        if not isinstance(owner, ast.ClassDef):
            return False
        ancestors = self._evaluator.classes.ancestors(f"{module.name}.{module.qualname(owner)}")
        if ancestors is None or ancestors.unresolved:
            return False
        return all(
            one in _VIEWS or one.partition(".")[0] in sys.stdlib_module_names
            for one in ancestors.outside
        )

    def _decorated(
        self, obstacle: Obstacle, module: Module, function: Function, arrivals: Arrivals
    ) -> bool:
        """Add what arrives by a decorator; False where that cannot be told."""
        for decorator in function.decorator_list:
            plain = without_arguments(decorator)
            if module.place(plain) == obstacle.place:
                names = set(self._names(module, plain))
                if names and names <= _FORWARDING:
                    return True
                if names and names <= _LISTENING:
                    arrivals.origins[Origin(obstacle.place)] = None
                    return True
                return bool(names) and all(_root(one) in _WITH_REQUESTS for one in names)
        return False

    def _names(self, module: Module, decorator: ast.expr) -> Iterator[str]:
        """Yield the qualified names of what decorates; empty for what is no library's."""
        name = self._evaluator.names.qualified(module, decorator)
        if name is not None:
            yield name
            return
        if isinstance(decorator, ast.Attribute):
            for one in self._evaluator.values(module, decorator.value):
                match one:
                    case InstanceOf() | External():
                        yield f"{one.qualified}.{decorator.attr}"
                    case _:
                        yield "?"

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
        node = next(
            (
                one
                for one in module.mentions(_mentioned(module, place))
                if isinstance(one, ast.Name | ast.Attribute) and module.span(one) == place.span
            ),
            None,
        )
        if node is None:
            return None
        above = module.parent(node)
        if isinstance(above, ast.Call):
            if self._evaluator.names.qualified(module, above.func) in _LISTENING:
                return Origin(module.place(above))
            if function.name == "__init__" and self._is_sqlalchemy(module, above.func):
                # What is loaded is made without the constructor.
                return ()
        index = positional.index(parameter) - self._bound(module, node)
        return None if index < 0 else self._handed_on.to(module, node, index)

    def _is_sqlalchemy(self, module: Module, called: ast.expr) -> bool:
        """Whether a function of SQLAlchemy is called, as ``select(User)``."""
        values = self._evaluator.values(module, called)
        return all(
            isinstance(one, External) and _root(one.qualified) in _SQLALCHEMY for one in values
        )

    def _bound(self, module: Module, node: ast.expr) -> int:
        """Return how many parameters the receiver gives to a method that is a value."""
        if not isinstance(node, ast.Attribute):
            return 0
        values = self._evaluator.values(module, node.value)
        return int(any(isinstance(one, InstanceOf | Producer) for one in values))


def _mentioned(module: Module, place: Place) -> str:
    """Return the last name of what is written at ``place``."""
    text = module.source.text[place.span.start : place.span.end].decode(errors="replace")
    return text.rpartition(".")[2]


def _root(name: str) -> str:
    return name.partition(".")[0]
