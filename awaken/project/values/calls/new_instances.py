"""The objects that calls of classes make."""

from __future__ import annotations

import ast

from awaken.contract import Place
from awaken.knowledge.applications import application_classes
from awaken.knowledge.library_names import name_list
from awaken.project.names.classes import ClassFacts
from awaken.project.source.modules import Module
from awaken.project.source.trees import keyword_of, values_given
from awaken.project.values.calls.bound_arguments import arguments_of, solve
from awaken.project.values.domain import (
    ClassOf,
    Environment,
    FunctionOf,
    InstanceOf,
    NoneValue,
    Origin,
    Producer,
    Session,
    SessionKind,
    Unknown,
    Value,
    Values,
    union,
)
from awaken.project.values.questions import EvaluatorPart, Questions

_OF_MAKERS = name_list("of_session_makers")
_MAKERS = ({"factory"}, {"async-factory"}, {"scoped"}, {"async-scoped"})


class Making(EvaluatorPart):
    """Follows calls of classes."""

    def instance_of(
        self, qualified: str, module: Module, node: ast.Call, known: Environment
    ) -> Values:
        """Return the object that a call of a class makes."""
        role = self._role(qualified)
        place = module.place(node, "made here")
        custom = self._custom_query(module, node, known)
        match role:
            case "session" | "async":
                return (Session(role, custom, place),)
            case "scoped" | "async-scoped":
                return (self._registry(role, module, node, known),)
            case "factory" | "async-factory":
                plain = Session("session" if role == "factory" else "async", custom, place)
                return (Producer("factory", self._makes(plain, qualified, module, node, known)),)
            case _ if other := made_by(self._evaluator, ClassOf(qualified)):
                return other
            case _:
                # Flask-SQLAlchemy derives the classes of its models from it.
                base = keyword_of(node, "model_class")
                names = self._evaluator.names
                parent = None if base is None else names.qualified_name(module, base) or "?"
                made = self.told_apart(qualified, place)
                origins = (Origin(Place(place.path, place.span)),)
                held = self._parameters(qualified, module, node, known)
                return (InstanceOf(qualified, parent, custom, made, held, origins=origins),)

    def _role(self, qualified: str) -> str | None:
        """Return what the objects of a class are to sessions; None for one that changes it."""
        known = self._evaluator.knowledge.types
        ancestors = self._evaluator.classes.ancestors(qualified)
        if ancestors is None or ancestors.unresolved:
            return known.get(qualified)
        roles = {known.get(name) for name in ancestors.outside}
        members = {name for facts in ancestors.inside for name in facts.members}
        return roles.pop() if roles in _MAKERS and not members & _OF_MAKERS else None

    def _parameters(
        self, qualified: str, module: Module, node: ast.Call, known: Environment
    ) -> tuple[Values, ...]:
        """Return the values of a class's type variables in an object that a call makes.

        These are the types in brackets, or the arguments of the initialiser of the class itself.
        """
        evaluator = self._evaluator
        shape = evaluator.generic_class(qualified)
        if shape is None or not shape.variables:
            return ()
        if isinstance(node.func, ast.Subscript):
            declared = evaluator.declared_values(module, node.func)
            return next((x.parameters for x in declared if isinstance(x, InstanceOf)), ())
        solution: dict[str, Values] = {}
        for value in evaluator.attribute(InstanceOf(qualified), "__init__", module, node):
            if isinstance(value, FunctionOf):
                solve(self._evaluator, value, arguments_of(value, module, node, known), solution)
        result = tuple(solution.get(name, ()) for name in shape.variables)
        return result if all(result) else ()

    def told_apart(self, qualified: str, place: Place) -> Place | None:
        """Return ``place`` where instances of a class differ by the call that makes them."""
        bases = self._evaluator.classes.library_names(qualified)
        known = application_classes()
        # Without a note, or it would differ from the same place told by others.
        plain = Place(place.path, place.span)
        return plain if any(base in known for base in bases) else None

    def _custom_query(self, module: Module, node: ast.Call, known: Environment) -> str:
        """Return the class that the call gives for queries, as ``Session.custom_query`` has it."""
        names, plain = self._evaluator.names, self._evaluator.knowledge.query_classes
        for keyword in node.keywords:
            if keyword.arg in {"query_cls", "query_class"}:
                name = names.qualified_name(module, keyword.value)
                if name not in plain:
                    return name or "?"
            elif keyword.arg == "session_options" and _may_customise(keyword.value):
                options = self._evaluator.values(module, keyword.value, known)
                if any(value != NoneValue() for value in options):
                    return "?"
        return ""

    def _makes(
        self, plain: Session, qualified: str, module: Module, node: ast.Call, known: Environment
    ) -> Values:
        """Return what the sessionmaker called in ``node`` makes; ``plain`` without ``class_``."""
        wanted = keyword_of(node, "class_")
        if wanted is None:
            # ``sessionmaker[AsyncSession](...)`` is all that says what it makes; or a base is.
            bodies = self._evaluator.classes.bodies(qualified)
            named = [(home, base) for _, home, body in bodies for base in body.bases]
            for home, part in ((module, node.func), *named):
                if isinstance(part, ast.Subscript) and not plain.custom_query:
                    return self._evaluator.declared_values(home, part.slice)
            return (plain,)
        made: Values = ()
        for value in self._evaluator.values(module, wanted, known):
            role = None
            if isinstance(value, ClassOf):
                role = self._evaluator.knowledge.types.get(value.qualified)
            if role in {"session", "async"}:
                kind: SessionKind = "session" if role == "session" else "async"
                made = (*made, Session(kind, plain.custom_query, plain.place))
            elif isinstance(value, ClassOf):
                made = (*made, InstanceOf(value.qualified))
            else:
                made = (*made, value)
        return made

    def _registry(
        self, kind: SessionKind, module: Module, node: ast.Call, known: Environment
    ) -> Value:
        place = module.place(node, "registry made here")
        factory = node.args[0] if node.args else keyword_of(node, "session_factory")
        made: Values = ()
        if factory is not None:
            for value in self._evaluator.values(module, factory, known):
                made = union(made, self._evaluator.call_results((value,), module, node, known))
        sessions = [self._evaluator.as_session(alternative) for alternative in made]
        given = {item.custom_query for item in sessions if isinstance(item, Session)} - {""}
        custom = (given.pop() if len(given) == 1 else "?") if given else ""
        blocked = next((session for session in sessions if isinstance(session, Unknown)), None)
        if blocked is not None and "overrides" in blocked.why:
            return blocked
        return Session(kind, custom, place)


def are_told_apart(declared: Values) -> bool:
    """Whether instances of these classes are distinguished by the call that makes them."""
    known = application_classes()
    return any(isinstance(value, InstanceOf) and value.qualified in known for value in declared)


def _may_customise(options: ast.expr) -> bool:
    """Whether a dictionary of options for a session may hold a class, or cannot be read."""
    if isinstance(options, ast.Call) and isinstance(options.func, ast.Name) and not options.args:
        return any(keyword.arg in {None, "query_cls", "class_"} for keyword in options.keywords)
    if not isinstance(options, ast.Dict):
        return True
    keys = [key.value if isinstance(key, ast.Constant) else None for key in options.keys]
    return any(key in {None, "query_cls", "class_"} for key in keys)


_BASES = {"factory.Factory", "factory.base.Factory", "factory.alchemy.SQLAlchemyModelFactory"}
_ONE = {"build", "create"}
_MANY = {"build_batch", "create_batch"}
_MAKING = frozenset({"_build", "_create", "_generate"})
"""What a class overrides whose objects may be others, unless it has its base make them."""


def made_by(evaluator: Questions, owner: ClassOf) -> Values:
    """Return what a call of the class ``owner`` gives, if that is a factory; empty if not."""
    line = evaluator.classes.line(owner.qualified)
    if _BASES.isdisjoint(evaluator.classes.library_ancestors(owner.qualified)):
        return ()
    if not all(_hands_on(evaluator, candidate) for candidate in line):
        return ()
    for facts in line:
        module, node = evaluator.classes.node(facts.qualified) or (None, None)
        model = None if node is None else _model(node)
        if module is not None and model is not None:
            result = evaluator.values(module, model)
            made = tuple(InstanceOf(item.qualified) for item in result if isinstance(item, ClassOf))
            return made if len(made) == len(result) else ()
    return ()


def method_of(evaluator: Questions, owner: InstanceOf | ClassOf, name: str) -> Values:
    """Return the method ``name`` of a factory, by what it gives; empty for everything else."""
    if not isinstance(owner, ClassOf) or name not in _ONE | _MANY:
        return ()
    made = made_by(evaluator, owner)
    if name in _MANY and made:
        made = (InstanceOf("builtins.list", parameters=(made,)),)
    return (Producer("callable", made),) if made else ()


def _hands_on(evaluator: Questions, facts: ClassFacts) -> bool:
    """Whether a factory lets its base make the objects, of the class that it got."""
    overridden = _MAKING & facts.members
    module, node = (overridden and evaluator.classes.node(facts.qualified)) or (None, None)
    if module is None or node is None:
        return not overridden
    methods = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}
    return all(
        name in methods and _is_made_above(module, methods[name], name) for name in overridden
    )


def _is_made_above(module: Module, method: ast.FunctionDef, name: str) -> bool:
    """Whether all that a method returns is what the method above it makes."""
    positional = [*method.args.posonlyargs, *method.args.args]
    bound = module.scopes.scope_made_by(method).bindings
    # `_generate` knows how to make it; the others know its class.
    given = positional[1].arg if len(positional) > 1 else ""
    if not given or len(bound.get(given, ())) != 1:
        return False
    returned = [node.value for node in module.returns_of(method)]
    return bool(returned) and all(_is_above(module, node, name, given) for node in returned)


def _is_above(module: Module, value: ast.expr | None, name: str, given: str) -> bool:
    match value:
        case ast.Call(
            func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=attribute),
            args=[ast.Name(id=first), *_],
        ):
            return attribute == name and first == given
        case ast.Name():
            made = module.scopes.only_value(value)
            return isinstance(made, ast.Call) and _is_above(module, made, name, given)
    return False


def _model(node: ast.ClassDef) -> ast.expr | None:
    """Return what the options of a factory name as its class."""
    for part in node.body:
        if isinstance(part, ast.ClassDef) and part.name == "Meta":
            return dict(values_given(part.body)).get("model")
    return None
