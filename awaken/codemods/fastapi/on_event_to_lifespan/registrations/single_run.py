"""The number of runs of a function for one application: one, or several."""

from __future__ import annotations

import ast

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.codemods.fastapi.on_event_to_lifespan.placing.home import Home
from awaken.kit.sites import Refused
from awaken.project import Project
from awaken.project.frameworks.web.applications import OF_OTHERS, Application
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, argument_of, parameters_of

_REPEATING = (
    ast.For, ast.AsyncFor, ast.While, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp,
    ast.GeneratorExp,
)  # fmt: skip


class _Again(Exception):
    """A function may run again for the application; ``args[0]`` is the place that says so."""


def require_one_run(project: Project, home: Home, applications: tuple[Application, ...]) -> None:
    """Refuse the function ``home`` if it may run again for one of ``applications``.

    Each run registers its handlers once more, and a lifespan would replace that of the run before.
    """
    function = home.function
    for application in applications if function is not None else ():
        try:
            _Runs(project, application).look_at(home.module, function, home.variable)
        except _Again as again:
            (place,) = again.args
            raise Refused(reasons.RUNS_AGAIN, home.scope_name, because=(place,)) from None


class _Runs:
    """Follows a function to those that call it, up to where the application is made."""

    def __init__(self, project: Project, application: Application) -> None:
        self._project = project
        self._application = application
        self._seen: set[tuple[str, int]] = set()

    def look_at(self, module: Module, function: Function | None, name: str) -> None:
        """Raise _Again if ``function``, which calls the application ``name``, may run again."""
        if function is None:
            return
        key = module.key_of(function)
        callers = self._project.calls.callers_of(module, function)
        hidden = [obstacle for obstacle in callers.obstacles if obstacle.kind not in OF_OTHERS]
        if key in self._seen or hidden:
            raise _Again(hidden[0].place if hidden else module.place(function))
        self._seen.add(key)
        parameter = _parameter(function, name)
        calls = [
            (other, call, given)
            for site in callers.sites
            for other, call in self._project.calls_at(site.place)
            for given in [argument_of(call, function, parameter, site.bound) if parameter else None]
            if self._may_be(other, given)
        ]
        if len(calls) > 1:
            raise _Again(calls[1][0].place(calls[1][1]))
        for other, call, given in calls:
            self._look_at_call(other, call, given)

    def _may_be(self, module: Module, given: ast.expr | None) -> bool:
        if given is None:
            return True
        owners = self._project.web.applications.applications_of(module, given)
        return self._application in owners.applications or owners.unknown is not None

    def _look_at_call(self, module: Module, call: ast.Call, given: ast.expr | None) -> None:
        """Look for loops around the only call, and go on to the function that makes it."""
        made = self._application.made
        function: Function | None = None
        for around in module.ancestors(call):
            if isinstance(around, Function):
                function = around
                break
            # Each round makes an application of its own, if it makes one.
            is_outside = made.path != module.path or not module.span(around).contains(made.span)
            if isinstance(around, _REPEATING) and is_outside:
                raise _Again(module.place(call))
        if function is not None and not self._is_made_in(module, function, given):
            self.look_at(module, function, given.id if isinstance(given, ast.Name) else "")

    def _is_made_in(self, module: Module, function: Function, given: ast.expr | None) -> bool:
        """Whether each run of ``function`` has another application: one that it makes or gets."""
        made = self._application.made
        if made.path == module.path and module.span(function).contains(made.span):
            return True
        bindings = module.scopes.bindings_of(given)
        return any(
            item.scope.node is function and isinstance(item.value, ast.Call) for item in bindings
        )


def _parameter(function: Function, name: str) -> ast.arg | None:
    return next((node for node, _ in parameters_of(function.args) if node.arg == name), None)
