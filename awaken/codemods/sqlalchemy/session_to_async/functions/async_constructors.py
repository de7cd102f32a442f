"""Classes whose `__init__` waits: a class method makes their objects, which can be awaited.

The statements before the first one that waits stay in `__init__`. The rest becomes a coroutine
method, which the class method calls.

Each becomes a coroutine method, which calls the one above it as before. A class method of the
class on top makes the objects of all of them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.properties import (
    names_taken,
    owner_of,
)
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import PartFacts
from awaken.codemods.sqlalchemy.session_to_async.payload import (
    CONSTRUCT,
    INITIALIZE,
    Constructed,
    Initialized,
)
from awaken.contract import Edit, Place
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Refused, Site
from awaken.knowledge.library_names import library_names
from awaken.project.graph.callers.call_sites import Callers, Obstacle
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import (
    Function,
    last_name,
    named_parameters,
    parameters_of,
    variadic,
)

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project

MAKING = ("create", "create_awaited")
LOADING = ("_load", "_load_awaited")
_HARMLESS = library_names().harmless_bases
_SELF = (3, 11)  # `typing.Self` is of this version


class ConstructorHierarchies(PartFacts):
    """Answers for one program."""

    def top_of(self, function: FunctionPlace) -> str | None:
        """Return the class on top of those whose constructors wait together with ``function``.

        None if no other one does.
        """
        own = owner_of(self._project, function)
        top = own
        while (above := self._nearest_above(top)) is not None:
            top = above
        below = [name for name in self._project.all_subclasses(top) if self._constructor(name)]
        return top if top != own or below else None

    def _nearest_above(self, qualified: str) -> str | None:
        """Return the nearest class above whose constructor waits, if there is one."""
        for facts in self._project.class_line(qualified)[1:]:
            if self._constructor(facts.qualified) in self._part.steps:
                return facts.qualified
        return None

    def why_not(self, function: FunctionPlace, top: str) -> tuple[str, Place | None] | None:
        """Return why the constructors of a hierarchy cannot be awaited; None if they can."""
        for subclass in (top, *self._project.all_subclasses(top)):
            name = subclass.rpartition(".")[2]
            if not self._is_plain(subclass, top):
                return (
                    f"`{name}` has several base classes, or a base class outside the project",
                    None,
                )
            constructor = self._constructor(subclass)
            if constructor is not None and constructor not in self._part.steps:
                return (
                    f"the constructor of `{name}` does not call that of its base class",
                    constructor.place,
                )
        node = self._part.node_of(function)
        return ("it cannot be parsed", None) if node is None else self._why_called(*node, function)

    def _is_plain(self, qualified: str, top: str) -> bool:
        """Whether a class has one visible base, and no other code makes its objects."""
        facts = self._project.class_facts(qualified)
        if facts is None or not facts.unique or facts.keywords or facts.decorators:
            return False
        if {"__new__", "__post_init__"} & facts.members:
            return False
        ours = [base for base in facts.bases if base is None or base not in _HARMLESS]
        outside = set(self._project.library_ancestors(qualified)) - _HARMLESS
        return None not in facts.bases and len(ours) <= 1 and (qualified == top or not outside)

    def _why_called(
        self, module: Module, node: Function, function: FunctionPlace
    ) -> tuple[str, Place | None] | None:
        """Return why what makes objects may not be able to await that."""
        callers = self._project.calls.callers_of(module, node)
        known = {caller.place for caller in self._project.calls.graph().callers(function)}
        places = [site.place for site in callers.sites]
        for obstacle in callers.obstacles:
            if obstacle.kind != "outside":
                return obstacle.why, obstacle.place
        for place in dict.fromkeys((*places, *sorted(known))):
            for home, call in self._project.calls_at(place):
                # The graph of all calls knows the base classes.
                if above_of(home, call):
                    continue
                if place not in known or _names_constructor(call):
                    return "awaken does not follow one of its calls", place
        return None

    # ------------------------------------------------------------------------------------ writing
    def edits(self, site: Site[ast.AST], node: ast.FunctionDef, top: str) -> Iterator[Edit]:
        """Yield what makes a coroutine method of a constructor."""
        module = site.module
        owner = module.enclosing_class(node)
        is_top = owner is not None and module.full_name(owner) == top
        returned = anything = ""
        if is_top and node.returns is not None:
            anything, imports = name_from_same_module(self._project, site, None, "typing.Any")
            yield from imports
            returned, imports = made_object(self._project, site, node)
            yield from imports
        yield site.rewrite(
            node,
            INITIALIZE,
            Initialized(
                name=self.name(top, MAKING) if is_top else "",
                loading=self.name(top, LOADING),
                returned=returned,
                anything=anything,
            ),
        )

    def name(self, top: str, names: tuple[str, str]) -> str:
        """Return a name that no class of a hierarchy has."""
        taken = names_taken(self._project, (top, *self._project.all_subclasses(top)))
        return next((name for name in names if name not in taken), f"{names[-1]}_{len(taken)}")

    # -------------------------------------------------------------------------------------- parts
    def _constructor(self, qualified: str) -> FunctionPlace | None:
        """Return the constructor that a class defines itself."""
        facts = self._project.class_facts(qualified)
        if facts is None or "__init__" not in facts.members:
            return None
        pair = self._project.class_definition(qualified)
        for node in () if pair is None else pair[1].body:
            if pair is not None and isinstance(node, ast.FunctionDef) and node.name == "__init__":
                return self._part.place_of(pair[0], node)
        return None


def made_object(
    project: Project, site: Site[ast.AST], node: ast.FunctionDef
) -> tuple[str, list[Edit]]:
    """Return how what makes an object is annotated, as its ``__init__`` is, and the imports."""
    owner = site.module.enclosing_class(node)
    if node.returns is None or owner is None:
        return "", []
    if project.targets.lowest_python < _SELF:
        return f'"{owner.name}"', []
    return name_from_same_module(project, site, None, "typing.Self")


def above_of(module: Module, call: ast.Call) -> bool:
    """Whether a call is that of the constructor above, ``super().__init__(...)``, in one."""
    match call.func:
        case ast.Attribute(value=ast.Call(func=ast.Name(id="super"), args=[]), attr="__init__"):
            around = module.enclosing_function(call)
            return isinstance(around, ast.FunctionDef) and around.name == "__init__"
    return False


def _names_constructor(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "__init__"


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
