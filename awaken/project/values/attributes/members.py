"""The attributes of modules, classes, instances and sessions."""

from __future__ import annotations

import ast
import sys

from msgspec.structs import replace

from awaken.contract import Place
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.names.functions.decorators import method_kind
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, parameters_of
from awaken.project.source.worklist import MOST_FILES, Worklist
from awaken.project.values.attributes.attributes_by_name import stores_of
from awaken.project.values.attributes.own_attributes import OwnAttributes
from awaken.project.values.calls.library_calls import of_role
from awaken.project.values.calls.new_instances import method_of
from awaken.project.values.domain import (
    MOST_ALTERNATIVES,
    NEVER,
    NOWHERE,
    UNKNOWN_MODULE,
    ClassOf,
    DeclarativeBase,
    External,
    FunctionOf,
    InstanceOf,
    Lacking,
    ModuleOf,
    NoneValue,
    NotRelevant,
    Producer,
    Session,
    TupleOf,
    Unknown,
    UnknownResult,
    Value,
    Values,
    as_instance,
    holds_tree,
    placed_values,
    union,
)
from awaken.project.values.library.automap_classes import automap_attribute
from awaken.project.values.library.of_requests import STATE, is_state, kept_for_request
from awaken.project.values.library.origins import (
    begun_values,
    parameters_in,
    passed_on,
    related_objects,
)
from awaken.project.values.questions import EvaluatorPart, Questions

_CLASS_OF_KIND = library_names().session_classes
_PLAIN = name_list("plain_values")
_NAMES = {"__name__", "__qualname__", "__module__"}  # of functions and classes
_DECLARATIVE = ClassOf("sqlalchemy.orm.DeclarativeBase")
_OF_CLASS = name_list("implicit_class_methods")


class OutsideAttributes(EvaluatorPart):
    """Follows invisible assignments, as far as the library files know."""

    def of_library_class(
        self, owner: InstanceOf | ClassOf, name: str, module: Module, node: ast.AST
    ) -> Values | None:
        """Return an attribute of what is no class of the program; None where no stub says so.

        The values of type parameters are looked up for each reader, and not kept.
        """
        value = self._of_library(owner, owner.qualified, name, module, node)
        if isinstance(value, External):
            return (replace(value, receiver=owner),)
        if value is not None:
            return (value,)
        declared = self._evaluator.library.attribute(owner, name, module, node)
        if declared is not None:
            return declared
        if not self._evaluator.library.knows(owner.qualified):
            return None
        why = f"`{owner.qualified}` declares no `{name}`"
        # Objects of other classes may get attributes that no stub declares.
        if owner.qualified in _PLAIN and not self._evaluator.classes.subclasses(owner.qualified):
            return (Lacking(why, module.place(node)),)
        return (self._evaluator.unknown(module, node, why),)

    def of_bases(
        self, owner: InstanceOf | ClassOf, name: str, module: Module, node: ast.AST
    ) -> Values:
        """Return what the bases outside the project say, as far as the library files know."""
        ancestors = self._evaluator.classes.ancestors(owner.qualified)
        bases = (owner.qualified,) if ancestors is None else ancestors.outside
        for base in bases:
            value = self._of_library(owner, base, name, module, node)
            if value is not None:
                return (value,)
        library = self._evaluator.library
        if ancestors is None or not any(map(library.knows, ancestors.outside)):
            return ()
        return library.attribute(owner, name, module, node) or ()

    def _of_library(
        self, owner: InstanceOf | ClassOf, base: str, name: str, module: Module, node: ast.AST
    ) -> Value | None:
        facts, full = self._evaluator.knowledge, f"{base}.{name}"
        if full in facts.declarative_attributes:
            parent = owner.model_base if isinstance(owner, InstanceOf) else None
            return DeclarativeBase(None if parent == "?" else parent, parent != "?")
        if full in facts.mapped_attributes:
            return ClassOf(facts.mapped_attributes[full])
        if full in facts.attributes:
            # Kept for all who read it, so it has the place of none of them.
            value = of_role(facts.attributes[full], full)
            custom = owner.custom_query if isinstance(owner, InstanceOf) else ""
            if custom and isinstance(value, Session):
                return Session(value.kind, custom_query=custom, place=value.place)
            return value
        if full in facts.instance_attributes:
            return InstanceOf(self._evaluator.names.defined_name(facts.instance_attributes[full]))
        if full in facts.calls or full in facts.managers or full in facts.declarative_factories:
            return External(full)
        for delegate in facts.delegates.get(base, ()):
            if facts.has(delegate, name):
                return self._evaluator.values_of_name(f"{delegate}.{name}", module, node)[0]
        return self._of_role(base, full, name)

    def _of_role(self, base: str, full: str, name: str) -> Value | None:
        """Return the attribute of what is a session, a registry, or a manager of contexts."""
        role = self._evaluator.knowledge.types.get(base)
        if role in _CLASS_OF_KIND:
            return External(f"{_CLASS_OF_KIND[role]}.{name}")
        if role is not None or base.startswith("contextlib."):
            return External(full)
        return None

    def of_external(self, owner: str, module: Module, node: ast.Attribute) -> Values:
        """Return an attribute of a name of a library."""
        name = self._evaluator.names.member(owner, node.attr)
        if name is None:
            why = f"the value of `{module.excerpt(node)}` is unknown"
            return (self._evaluator.unknown(module, node, why),)
        role = self._evaluator.knowledge.attributes.get(name)
        if role is not None:
            return (of_role(role, name, module.place(node)),)
        made = self._evaluator.knowledge.instance_attributes.get(name)
        if made is not None:
            return (InstanceOf(self._evaluator.names.defined_name(made)),)
        kept = kept_for_request(self._evaluator, owner, node.attr, module, node)
        return self._evaluator.values_of_name(name, module, node) if kept is None else kept

    def of_session(self, owner: Session, module: Module, node: ast.Attribute) -> Values:
        """Return an attribute of a session, or of a registry."""
        name = f"{_CLASS_OF_KIND[owner.kind]}.{node.attr}"
        role = self._evaluator.knowledge.attributes.get(name)
        if role is not None:
            return (of_role(role, name, module.place(node)),)
        declared = self._evaluator.library.attribute(owner, node.attr, module, node)
        return declared or (External(name, owner),)

    def as_session(self, value: Value) -> Value:
        """Return ``value``, or the session that an instance of a project's subclass is."""
        if not isinstance(value, InstanceOf):
            return value
        evaluator = self._evaluator
        ancestors = evaluator.classes.ancestors(value.qualified)
        if ancestors is None:
            return value
        roles = [evaluator.knowledge.types.get(name) for name in ancestors.outside]
        kind = next((role for role in roles if role in _CLASS_OF_KIND), None)
        if kind is None:
            return value
        for facts in ancestors.inside:
            pair = evaluator.classes.node(facts.qualified)
            if pair is None:
                continue
            module, node = pair
            place = module.place(node, "a session class of the project")
            bound = module.scopes.scope_made_by(node).bindings
            if "query" in bound or "_query_cls" in bound:
                return Unknown(f"`{facts.qualified}` overrides `query`", place)
            # Told by the text alone: there are many ways to hand such a class to a session.
            if b"query_cls" in module.source.text:
                return Session(kind, custom_query="?", place=place)  # type: ignore[arg-type]
        return Session(kind)  # type: ignore[arg-type]


class Members:
    """Follows attributes; ``given_to`` and ``as_session`` are those of its parts."""

    def __init__(self, evaluator: Questions) -> None:
        self._evaluator = evaluator
        self._own = OwnAttributes(evaluator)
        self._outside = OutsideAttributes(evaluator)
        self.given_to = self._own.given_to
        self.as_session = self._outside.as_session

    def values_of(self, owner: Value, module: Module, node: ast.Attribute) -> Values:
        """Return what ``node``, an attribute of ``owner``, may be."""
        known = _DECLARATIVE if owner == DeclarativeBase() else owner
        return automap_attribute(owner, node.attr) or self._values_of(known, module, node)

    def _values_of(self, owner: Value, module: Module, node: ast.Attribute) -> Values:
        match owner:
            case ModuleOf():
                return self.of_file(owner.path, node.attr, module, node)
            case External():
                return self._outside.of_external(owner.qualified, module, node)
            case InstanceOf() | ClassOf():
                return self._of_object(owner, module, node)
            case TupleOf():
                of_class = _of_row(owner, node.attr)
                return of_class or self.attribute(as_instance(owner), node.attr, module, node)
            case Session():
                return self._outside.of_session(owner, module, node)
            case Producer(how="factory"):
                return self._of_factory(owner, module, node)
            # Every attribute of a mock is a mock.
            case Unknown() if is_state(self._evaluator, module, node):
                return (InstanceOf(STATE),)
            case Unknown() | NotRelevant(mock=True):
                return (owner,)
            # Reading it raises, so this alternative adds nothing.
            case NoneValue():
                return ()
        return self._of_function(owner, module, node)

    def _of_factory(self, owner: Producer, module: Module, node: ast.Attribute) -> Values:
        """Return an attribute of a factory, whose arguments its sessions have as attributes."""
        match node.attr, owner.inner:
            case "begin", inner:
                return (Producer("callable", (Producer("manager", inner),)),)
            case "kw", (Session() as made, *_):
                bind = self._evaluator.library.attribute(made, "bind", module, node) or ()
                named = (("bind", bind),)
                return (InstanceOf("builtins.dict", parameters=((), bind), named=named),)
        return (self._no(module, node),)

    def _of_object(
        self, owner: InstanceOf | ClassOf, module: Module, node: ast.Attribute
    ) -> Values:
        """Return an attribute of an object or a class, with what loads the objects in it."""
        if owner == NEVER:
            return (NEVER,)
        if owner == UNKNOWN_MODULE and not node.attr.startswith("__"):
            return (self._no(module, node),)
        kept = kept_for_request(self._evaluator, owner.qualified, node.attr, module, node)
        result = self.attribute(owner, node.attr, module, node) if kept is None else kept
        # `cls` may be a subclass; the name of a class is that class.
        if isinstance(owner, ClassOf) and module.scopes.parameter_of(node.value) is not None:
            result = self._evaluator.other_code.to_attribute(owner, node.attr, result)
        result = begun_values(result, node.attr, module.place(node))
        if not isinstance(owner, InstanceOf) or owner.origins is None:
            return result
        if self._evaluator.mapping.is_relationship(owner, node.attr):
            return related_objects(result, owner, node.attr)
        # The result of a property from its own object has the source of that object.
        asked = parameters_in(result)
        given = dict.fromkeys(self._receivers(owner, node.attr), owner.origins) if asked else {}
        return passed_on(result, given)

    def _receivers(self, owner: InstanceOf, name: str) -> list[Place]:
        """Return the first parameters of the functions that a class and its bases call ``name``."""
        places: list[Place] = []
        for _, module, body in self._evaluator.classes.bodies(owner.qualified):
            for binding in module.scopes.scope_made_by(body).bindings_of(name):
                if isinstance(binding.node, Function):
                    places += [module.place(x) for x, _ in parameters_of(binding.node.args)][:1]
        return places

    def _of_function(self, owner: Value, module: Module, node: ast.Attribute) -> Values:
        is_function = isinstance(owner, FunctionOf)
        is_function = is_function or (isinstance(owner, Producer) and owner.how == "callable")
        if is_function and node.attr in _NAMES:
            return (InstanceOf("builtins.str"),)
        if isinstance(owner, Producer) and owner.how == "generator" and node.attr == "__next__":
            return (Producer("callable", owner.inner),)
        return (self._no(module, node),)

    def super_attribute(self, module: Module, node: ast.Attribute) -> Values | None:
        """Return what ``super().name`` is; None where ``node`` is no such attribute.

        That is the attribute of the nearest class above, as for an instance of the class itself.
        One of a subclass may have another class in between.
        """
        call = node.value
        # Asked of every attribute: the text decides most.
        if not isinstance(call, ast.Call) or last_name(call.func) != "super":
            return None
        around = module.enclosing_class(node)
        if around is None:
            return None
        qualified = module.full_name(around)
        if not self._is_super(module, call, qualified):
            return None
        function = module.enclosing_function(node)
        if not isinstance(function, Function) or module.parent(function) is not around:
            return (self._no(module, node),)
        names = {self._own.decorator(module, decorator) for decorator in function.decorator_list}
        of_class = method_kind(names) == "class" or function.name in _OF_CLASS
        owner = ClassOf(qualified) if of_class else InstanceOf(qualified)
        evaluator = self._evaluator
        result = evaluator.solve(
            ("above", owner, node.attr),
            module,
            node,
            lambda: self._values_above(owner, module, node) or (self._no(module, node),),
        )
        return placed_values(result, module, node)

    def _values_above(
        self, owner: InstanceOf | ClassOf, module: Module, node: ast.Attribute
    ) -> Values | None:
        """Return what the classes above that of ``owner`` have; None where it is not certain."""
        classes, knows = self._evaluator.classes, self._evaluator.library.knows
        for facts in classes.line(owner.qualified):
            pair = classes.node(facts.qualified)
            if facts.qualified != owner.qualified and pair is not None:
                values = self._own.of_class(owner, node.attr, *pair)
                if values is not None:
                    return values
            # An invisible one may have it, and come before the others.
            out_of_sight = [
                one for one in facts.bases if one is None or not (classes.facts(one) or knows(one))
            ]
            if out_of_sight and len(facts.bases) > 1:
                return None
        return self._outside.of_bases(owner, node.attr, module, node)

    def _is_super(self, module: Module, call: ast.Call, qualified: str) -> bool:
        """Whether ``call`` is ``super()`` of the class ``qualified``, or written out as such."""
        if (
            call.keywords
            or self._evaluator.names.qualified_name(module, call.func) != "builtins.super"
        ):
            return False
        match call.args:
            case []:
                return True
            case [owner, ast.Name()]:
                return self._evaluator.names.qualified_name(module, owner) == qualified
        return False

    def _no(self, module: Module, node: ast.AST) -> Unknown:
        text = module.excerpt(node) if isinstance(node, ast.expr) else "it"
        return self._evaluator.unknown(module, node, f"the value of `{text}` is unknown")

    def of_file(
        self, path: str, name: str, module: Module, node: ast.AST, *, hides: bool = True
    ) -> Values:
        """Return what ``name`` of a file is; a binding ``hides`` the submodule of a package."""
        defining = self._evaluator.load(path)
        if defining is None:
            return (self._evaluator.unknown(module, node, f"{path} cannot be parsed"),)
        if not hides or name not in defining.scopes.module.bindings:
            submodule = self._evaluator.names.layout.submodule(path, name)
            if submodule is not None:
                return (ModuleOf(submodule),)
            if self._evaluator.lacks_name(defining, name):
                return (NEVER,)
        return self._evaluator.global_values(defining, name)

    def attribute(
        self, owner: InstanceOf | ClassOf, name: str, module: Module, node: ast.AST
    ) -> Values:
        """Return what ``name`` of a class or of its instance may be."""
        if self._evaluator.classes.facts(owner.qualified) is None:
            result = self._outside.of_library_class(owner, name, module, node)
            if result is not None:
                return result
        # An attribute is the same wherever its owner comes from.
        if isinstance(owner, InstanceOf) and owner.origins is not None:
            owner = replace(owner, origins=None)
        result = self._evaluator.solve(
            ("attribute", owner, name),
            module,
            node,
            lambda: self._attribute(owner, name, module, node),
            "question" if holds_tree((owner,)) else "program",
        )
        # It is kept for all who read it, and has the place of none of them.
        return placed_values(result, module, node)

    def _attribute(
        self, owner: InstanceOf | ClassOf, name: str, module: Module, node: ast.AST
    ) -> Values:
        mapped = self._evaluator.mapping.attribute(owner, name)
        if mapped:
            return mapped
        if isinstance(owner, InstanceOf) and self._own.has_own_lookup(owner.qualified, name):
            return (Unknown(f"`__getattribute__` of `{owner.qualified}` gives `{name}`", NOWHERE),)
        result = self._own.nearest_values(owner, name)
        if result is None:
            result = self._own.of_made_bases(owner, name)
        if result is not None and isinstance(owner, InstanceOf):
            return self._evaluator.other_code.to_attribute(owner, name, result)
        if result is not None:
            return result
        follows = self._evaluator.follows_callers  # else too many files would be read
        return (
            method_of(self._evaluator, owner, name)
            or self._outside.of_bases(owner, name, module, node)
            or _of_object(owner, name)
            or (follows and _assigned_attribute(self._evaluator, owner, name))
            or (follows and self._of_subclasses(owner, name, module, node))
            or (self._missing(owner, name),)
        )

    def lacks(self, owner: InstanceOf, name: str, module: Module, node: ast.AST) -> bool:
        """Whether an instance of a class of the program is proved to have no method ``name``."""
        classes = self._evaluator.classes
        ancestors = classes.ancestors(owner.qualified)
        if ancestors is None or ancestors.unresolved or classes.subclasses(owner.qualified):
            return False
        # The stubs of the standard library leave out no method.
        tops = {word.partition(".")[0] for word in ancestors.outside}
        if not tops <= sys.stdlib_module_names:
            return False
        inherited = self._own.nearest_values(owner, name)
        return inherited is None and not self._outside.of_bases(owner, name, module, node)

    def _missing(self, owner: InstanceOf | ClassOf, name: str) -> Value:
        if self._evaluator.classes.facts(owner.qualified) is None:
            why = f"`{owner.qualified}` is defined outside the project"
            return UnknownResult(why, NOWHERE, owner.qualified)
        return Unknown(f"nothing visible assigns `{name}` of `{owner.qualified}`", NOWHERE)

    def _of_subclasses(
        self, owner: InstanceOf | ClassOf, name: str, module: Module, node: ast.AST
    ) -> Values:
        """Return what all nearest subclasses with it agree on: the class is a mixin for them.

        Each is asked once, by however many ways it inherits. Where they come to more than counts
        as an answer, the rest are not asked.
        """
        classes = self._evaluator.classes
        of_subclasses: Values = ()
        waiting = Worklist([*reversed(classes.subclasses(owner.qualified))])
        without: set[str] = set()
        for subclass in waiting:
            if subclass == owner.qualified:
                continue
            inheriting = type(owner)(subclass)
            values = self._own.nearest_values(inheriting, name, without)
            if values is None:
                values = self._outside.of_bases(inheriting, name, module, node) or None
            # Below a class that has the attribute, others only override it.
            below = classes.subclasses(subclass) if values is None else ()
            waiting += reversed(below)
            if values is not None:
                of_subclasses = union(of_subclasses, values)
            elif not below:
                of_subclasses = union(of_subclasses, (self._missing(inheriting, name),))
            if len(of_subclasses) > MOST_ALTERNATIVES:
                return (*of_subclasses, Unknown("it may be too many things", NOWHERE))
        return of_subclasses


def _of_row(row: TupleOf, name: str) -> Values:
    """Return the objects of the class ``name`` in a row: a plain tuple has no such attribute."""
    objects = (
        place
        for place in row.items
        if any(isinstance(one, InstanceOf) and one.qualified.endswith(f".{name}") for one in place)
    )
    return next(objects, ())


def _of_object(owner: InstanceOf | ClassOf, name: str) -> Values:
    """Return what every class or instance has of itself; empty for all else."""
    match name:
        case "__class__" if isinstance(owner, InstanceOf):
            return (ClassOf(owner.qualified),)
        case "__module__":
            return (InstanceOf("builtins.str"),)
        case _ if name in _NAMES and isinstance(owner, ClassOf):
            return (InstanceOf("builtins.str"),)
    return ()


def _assigned_attribute(evaluator: Questions, owner: InstanceOf | ClassOf, name: str) -> Values:
    """Return what ``service.name = value`` gives to objects of a class; empty if nothing does.

    An object that is not known may be one of them.
    """
    if evaluator.classes.facts(owner.qualified) is None:
        return ()
    paths = evaluator.files_naming(name) or ()
    if len(paths) > MOST_FILES:
        return ()
    line = {facts.qualified for facts in evaluator.classes.line(owner.qualified)}
    line |= set(evaluator.classes.all_subclasses(owner.qualified))
    result: Values = ()
    is_assigned = False
    for module, target in stores_of(evaluator, name, paths):
        owners = evaluator.values(module, target.value)
        is_of_line = any(
            isinstance(value, InstanceOf | ClassOf) and value.qualified in line for value in owners
        )
        if is_of_line or any(isinstance(value, Unknown) for value in owners):
            result = union(result, evaluator.assigned_values(module, target, None, None, ()))
        is_assigned |= is_of_line
    return result if is_assigned else ()
