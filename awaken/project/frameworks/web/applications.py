"""Applications and routers as values: told apart by the call that made them.

Where the evaluation of a program stops, it is continued here: a parameter that is only declared to
be an application has the arguments of its callers, and ``self`` of a subclass may be each of its
instances.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from msgspec import Struct

from awaken.contract import Place
from awaken.knowledge.applications import Kind, application_classes
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.graph.passing import MOST_PARAMETERS
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, argument_of, keyword_of
from awaken.project.values.domain import InstanceOf, NoneValue, Unknown, Value

_UNCALLED = "no call of the function is visible"
_TOO_MANY = "too many calls have to be followed"
OF_OTHERS = frozenset({"outside", "framework", "inherited"})
"""Callers that may exist besides those in sight, but would pass applications of their own."""


class Application(Struct, frozen=True):
    """An application or a router of the program: the call that makes it, and its class."""

    made: Place
    qualified: str
    kind: Kind


class Resolved(Struct, frozen=True):
    """The possible values of an expression: applications, and why it may be an invisible one.

    Neither means that it is proven to be no application. ``uncalled``: callers of a function would
    pass it, and no visible code calls that. ``unknown_class`` is what is known all the same of an
    unknown application, empty for nothing.
    """

    applications: tuple[Application, ...] = ()
    unknown: Unknown | None = None
    uncalled: bool = False
    unknown_class: str = ""

    @property
    def only_application(self) -> Application | None:
        """The application, if it can only be one."""
        only = len(self.applications) == 1 and self.unknown is None
        return self.applications[0] if only else None


class _Unseen(Unknown, frozen=True):
    """An application of the class ``qualified`` of which nothing shows where it is made."""

    qualified: str


class Applications(ProgramFacts):
    """Follows expressions to the calls that make applications and routers."""

    def applications_of(self, module: Module, node: ast.expr) -> Resolved:
        """Return which applications ``node`` may be."""
        return self._joined_setting(list(self._follow(module, node, set())))

    def kind_of(self, qualified: str) -> Kind | None:
        """Return what an instance of a class is, of a library or of the project."""
        bases = self._evaluator.classes.library_names(qualified)
        known = application_classes()
        return next((known[base] for base in bases if base in known), None)

    def made_by(self, module: Module, call: ast.Call) -> Application | None:
        """Return the application that ``call`` itself makes; None if it makes none."""
        place = module.place(call)
        applications = self.applications_of(module, call).applications
        return next((candidate for candidate in applications if candidate.made == place), None)

    def _joined_setting(self, found: list[Application | Unknown]) -> Resolved:
        applications = dict.fromkeys(value for value in found if isinstance(value, Application))
        unknown = [application for application in found if isinstance(application, Unknown)]
        # One of another kind may be any application.
        uncalled = bool(unknown) and all(value.why == _UNCALLED for value in unknown)
        classes = {value.qualified if isinstance(value, _Unseen) else "" for value in unknown}
        known = classes.pop() if len(classes) == 1 else ""
        return Resolved(tuple(applications), unknown[0] if unknown else None, uncalled, known)

    def _follow(
        self, module: Module, node: ast.expr, seen: set[tuple[str, int]]
    ) -> Iterator[Application | Unknown]:
        # Before its values, which know the class that is declared, but not which application it is.
        parameter = self._parameter(module, node)
        if parameter is not None:
            yield from self._passed_applications(module, *parameter, seen)
            return
        shared = _router_of(module, node)
        owners = [] if shared is None else list(self._follow(module, shared, seen))
        if any(isinstance(owner, Application) for owner in owners):
            yield from owners
            return
        values = self._evaluator.values(module, node)
        if isinstance(node, ast.Attribute) and any(isinstance(item, Unknown) for item in values):
            given = list(self._kept_pairs(module, node))
            for home, kept in given:
                yield from self._follow(home, kept, seen)
            if given:
                return
        for value in values:
            yield from self._of_value(module, node, value)

    def _kept_pairs(self, module: Module, node: ast.Attribute) -> Iterator[tuple[Module, ast.expr]]:
        """Yield the parameters that a class of the project keeps as the attribute ``node``.

        Nothing if it may be given anything else.
        """
        result: list[tuple[Module, ast.expr]] = []
        for owner in self._evaluator.values(module, node.value):
            known = self._evaluator.classes.node(owner.qualified) if _is_own(owner) else None
            if known is None:
                return
            home, definition = known
            for value, _ in self._evaluator.members.given_to(home, definition, node.attr):
                # Anything else may be another application, so nothing is concluded.
                if value is None or self._parameter(home, value) is None:
                    return
                result.append((home, value))
        yield from result

    def _of_value(
        self, module: Module, node: ast.expr, value: Value
    ) -> Iterator[Application | Unknown]:
        match value:
            case InstanceOf(qualified=qualified, made=made):
                kind = self.kind_of(qualified)
                if kind is not None and made is not None:
                    yield Application(made, qualified, kind)
                elif kind is not None:
                    why = f"the application of `{module.excerpt(node)}` is unknown"
                    yield _Unseen(why, module.place(node), qualified)
            case Unknown():
                yield value
            case NoneValue():
                pass

    def _parameter(self, module: Module, node: ast.expr) -> tuple[Function, ast.arg] | None:
        """Return the parameter that ``node`` is the bare name of, if its callers can say more."""
        binding = module.scopes.parameter_of(node)
        if binding is None:
            return None
        parameter, function = binding.node, binding.scope.node
        if not isinstance(parameter, ast.arg) or not isinstance(function, Function):
            return None
        declared = self._evaluator.binding(module, binding, ())
        told = [
            item
            for item in declared
            if not isinstance(item, Unknown)
            and not (
                isinstance(item, InstanceOf) and item.made is None and self.kind_of(item.qualified)
            )
        ]
        is_open = any(isinstance(value, Unknown) for value in declared)
        return None if told and not is_open else (function, parameter)

    def _passed_applications(
        self, module: Module, function: Function, parameter: ast.arg, seen: set[tuple[str, int]]
    ) -> Iterator[Application | Unknown]:
        key = module.key_of(parameter)
        if key in seen:
            return
        seen.add(key)
        evaluator = self._evaluator
        callers = evaluator.callers_of(module, function)
        hidden = [obstacle for obstacle in callers.obstacles if obstacle.kind not in OF_OTHERS]
        is_cut = len(seen) > MOST_PARAMETERS
        if is_cut or hidden or not callers.sites:
            # Not the same as uncalled: of what nobody calls, nothing is registered.
            why = _TOO_MANY if is_cut else _UNCALLED
            yield evaluator.unknown(module, parameter, hidden[0].why if hidden else why)
            return
        for site in callers.sites:
            for other, call in evaluator.calls_at(site.place):
                argument = argument_of(call, function, parameter, site.bound)
                # ``self``, which no argument gives.
                if argument is None and site.bound and parameter in function.args.args[:1]:
                    argument = _receiver(call, function)
                if argument is None:
                    why = "it is passed in a way that is not followed"
                    yield Unknown(why, site.place)
                else:
                    yield from self._follow(other, argument, seen)


def _is_own(value: Value) -> TypeGuard[InstanceOf]:
    return isinstance(value, InstanceOf)


def _receiver(call: ast.Call, function: Function) -> ast.expr | None:
    """Return what ``call`` gives as ``self``: of ``__init__`` it is what the call makes."""
    if function.name == "__init__":
        return call
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def argument_at(call: ast.Call, index: int, name: str) -> ast.expr | None:
    """Return the argument of ``call`` at a position, or by its name; ``*args`` is one as well."""
    if len(call.args) > index:
        return call.args[index]
    return keyword_of(call, name)


def _router_of(module: Module, node: ast.expr) -> ast.expr | None:
    """Return ``app`` of ``app.router``, or of a variable that is nothing else; None for others."""
    if isinstance(value := module.scopes.only_value(node), ast.Attribute):
        return _router_of(module, value)
    return node.value if isinstance(node, ast.Attribute) and node.attr == "router" else None


def without_router(node: ast.expr) -> ast.expr:
    """Return ``app`` of ``app.router``: they share their handlers."""
    return node.value if isinstance(node, ast.Attribute) and node.attr == "router" else node
