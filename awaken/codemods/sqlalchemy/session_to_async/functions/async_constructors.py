"""Classes whose `__init__` waits: a class method makes their objects, which can be awaited.

The statements before the first one that waits stay in `__init__`. The rest becomes a coroutine
method, which the class method calls.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.functions.constructor_hierarchies import (
    LOADING,
    MAKING,
    ConstructorHierarchies,
    above_of,
    made_object,
)
from awaken.codemods.sqlalchemy.session_to_async.payload import CONSTRUCT, Constructed
from awaken.contract import Edit, Place
from awaken.kit.sites import Refused, Site
from awaken.project.graph.callers.call_sites import Callers, Obstacle
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import last_name, named_parameters, parameters_of, variadic

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart


class Constructors:
    """Writes the class methods of one program."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part
        self._project = part.project
        self._hierarchies = ConstructorHierarchies(part)

    def check(self, module: Module, node: ast.FunctionDef, function: FunctionPlace) -> None:
        """Raise Refused where an object may be made by what cannot await that."""
        if node.decorator_list:
            raise _refusal(function, f"`{module.excerpt(node.decorator_list[0])}` decorates it")
        top = self._hierarchies.top_of(function)
        if top is not None:
            why = self._hierarchies.why_not(function, top)
            if why is not None:
                raise _refusal(function, *why)
            return
        kept = _staying(module, node, self._waiting(module, node))
        if kept == len(node.body) or not (node.args.posonlyargs or node.args.args):
            raise Refused(reasons.SYNC_PROTOCOL, function.qualname)
        callers = self._project.calls.callers_of(module, node)
        for obstacle in callers.obstacles:
            if obstacle.kind != "outside" and not self._is_dependency(obstacle):
                raise _refusal(function, obstacle.why, obstacle.place)
        owner = f"{module.name}.{function.qualname.rpartition('.')[0]}"
        for below in self._project.all_subclasses(owner):
            facts = self._project.class_facts(below)
            if facts is None or "__init__" in facts.members:
                raise _refusal(function, f"`{below.rpartition('.')[2]}` inherits from its class")
        for place in self._called_otherwise(callers, function):
            raise _refusal(function, "the program calls it by name, or a subclass does", place)

    def _called_otherwise(self, callers: Callers, function: FunctionPlace) -> Iterator[Place]:
        """Yield the calls that make no object by the class, or are not known to do so."""
        known = {caller.place for caller in self._project.calls.graph().callers(function)}
        for site in callers.sites:
            names = [last_name(call.func) for _, call in self._project.calls_at(site.place)]
            if "__init__" in names or site.place not in known:
                yield site.place

    def _is_dependency(self, obstacle: Obstacle) -> bool:
        return obstacle.kind == "framework" and all(
            self._injected_class(place) is not None or self._declares(place)
            for place in (obstacle.place, *obstacle.others)
        )

    def _declares(self, place: Place) -> bool:
        """Whether a parameter is only declared by its class, and a dependency says what gives it.

        `Depends()` alone takes the class itself.
        """
        for module, node in nodes_in(self._project.modules_at([place.path]), ast.arg):
            declared = node.annotation
            if declared is None or not module.span(declared).contains(place.span):
                continue
            given = [declared, *_defaults(module, node)]
            calls = [x for part in given for x in module.nodes_below(part, ast.Call)]
            return bool(calls) and all(call.args for call in calls)
        return False

    def _injected_class(self, place: Place) -> tuple[Module, ast.expr] | None:
        """Return the class that a dependency at ``place`` is given, and nothing else."""
        for module, call in self._project.calls_at(place):
            if len(call.args) == 1:
                return module, call.args[0]
        return None

    # ---------------------------------------------------------------------------------- writing
    def edits(self, site: Site[ast.AST], node: ast.FunctionDef) -> Iterator[Edit]:
        """Yield what gives a class the method that makes its objects, and has it injected."""
        module = site.module
        top = self._hierarchies.top_of(self._part.place_of(module, node))
        if top is not None:
            yield from self._hierarchies.edits(site, node, top)
            return
        kept = _staying(module, node, self._waiting(module, node))
        own = module.enclosing_class(node)
        is_alone = not kept and own is not None and not self._is_related(module, own)
        moved = node.body[kept:]
        used = {one.id for below in moved for one in ast.walk(below) if isinstance(one, ast.Name)}
        parameters, others = named_parameters(node), variadic(node.args)
        names = {parameter.arg for parameter in (*parameters, *others)}
        returned, imports = made_object(self._project, site, node)
        yield from imports
        yield site.rewrite(
            node,
            CONSTRUCT,
            Constructed(
                name=self.name_of(module, node),
                loading=self._name(module, node, LOADING),
                kept=kept,
                used=tuple(part.arg for part in (*parameters[1:], *others) if part.arg in used),
                is_alone=is_alone,
                owner=_other("cls", names),
                made=_other("created", names),
                returned=returned,
            ),
        )
        for pair in self.injections(module, node):
            home: Site[ast.AST] = Site(site.rule, *pair)
            home.id = site.id
            yield home.insert_behind(pair[1], f".{self.name_of(module, node)}")

    def injections(
        self, module: Module, node: ast.FunctionDef
    ) -> Iterator[tuple[Module, ast.expr]]:
        """Yield where dependencies are given the class of an `__init__`, which make its objects."""
        for obstacle in self._project.calls.callers_of(module, node).obstacles:
            for place in (obstacle.place, *obstacle.others):
                pair = self._injected_class(place) if obstacle.kind == "framework" else None
                if pair is not None:
                    yield pair

    def _is_related(self, module: Module, owner: ast.ClassDef) -> bool:
        """Whether another `__init__` would be called if a class had none."""
        bases = [base for base in owner.bases if ast.unparse(base) != "object"]
        below = self._project.all_subclasses(module.full_name(owner))
        return bool(bases or owner.keywords or owner.decorator_list or below)

    def name_of(self, module: Module, node: ast.FunctionDef) -> str:
        """Return the name of the class method that makes objects of the class of an `__init__`."""
        top = self._hierarchies.top_of(self._part.place_of(module, node))
        return (
            self._name(module, node, MAKING) if top is None else self._hierarchies.name(top, MAKING)
        )

    def called_above(self, module: Module, call: ast.Call, function: FunctionPlace) -> str:
        """Return what ``super().__init__(...)`` calls instead; empty for other calls."""
        if not above_of(module, call):
            return ""
        top = self._hierarchies.top_of(function)
        return "" if top is None else self._hierarchies.name(top, LOADING)

    def _name(self, module: Module, node: ast.FunctionDef, names: tuple[str, str]) -> str:
        own = f"{module.name}.{module.qualname(node).rpartition('.')[0]}"
        return self._hierarchies.name(own, names)

    def _waiting(self, module: Module, node: ast.FunctionDef) -> set[Place]:
        part = self._part
        function = part.place_of(module, node)
        places = {module.place(item.node) for item in part.operations_of(module, function)}
        places |= {call.place for call in part.calls.get(function, ())}
        places |= set(part.entries.get(function, ()))
        return places | {module.place(item) for item in node.body if part.loads(module.place(item))}


def _defaults(module: Module, parameter: ast.arg) -> list[ast.expr]:
    """Return the default of a parameter, if it has one."""
    arguments = module.parent(parameter)
    pairs = parameters_of(arguments) if isinstance(arguments, ast.arguments) else ()
    return [default for argument, default in pairs if argument is parameter and default]


def _staying(module: Module, node: ast.FunctionDef, waiting: set[Place]) -> int:
    """Return how many statements stay: they wait for nothing, and bind no variable."""
    for number, statement in enumerate(node.body):
        span = module.span(statement)
        if any(span.contains(place.span) for place in waiting) or not _stays(statement):
            return number
    return len(node.body)


def _stays(statement: ast.stmt) -> bool:
    if any(isinstance(node, ast.NamedExpr) for node in ast.walk(statement)):
        return False
    match statement:
        case ast.Assign(targets=targets):
            return all(isinstance(target, ast.Attribute) for target in targets)
        case ast.AnnAssign(target=ast.Attribute()) | ast.Expr():
            return True
    return False


def _other(name: str, names: set[str]) -> str:
    while name in names:
        name += "_"
    return name


def _refusal(function: FunctionPlace, why: str, place: Place | None = None) -> Refused:
    help_text = f"{why[:1].upper()}{why[1:]}. {reasons.IN_CONSTRUCTOR.help}"
    because = () if place is None else (place,)
    return Refused(reasons.IN_CONSTRUCTOR, function.qualname, help_text, because=because)
