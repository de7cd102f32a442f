"""The attributes of modules, classes, instances and sessions."""

from __future__ import annotations

import ast
import sys

from msgspec.structs import replace

from awaken.contract import Place
from awaken.project.names.functions.decorators import method_kind
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, parameters_of
from awaken.project.source.worklist import MOST_FILES, Worklist
from awaken.project.values.attributes.attributes_by_name import stores_of
from awaken.project.values.attributes.library_attributes import OutsideAttributes
from awaken.project.values.attributes.own_attributes import OwnAttributes
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
from awaken.project.values.library.made_objects import method_of
from awaken.project.values.library.of_requests import STATE, is_state, kept_for_request
from awaken.project.values.library.origins import (
    begun_values,
    parameters_in,
    passed_on,
    related_objects,
)
from awaken.project.values.questions import Questions

_NAMES = {"__name__", "__qualname__", "__module__"}  # of functions and classes
_DECLARATIVE = ClassOf("sqlalchemy.orm.DeclarativeBase")
_OF_CLASS = {"__new__", "__init_subclass__", "__class_getitem__"}  # without a decorator


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
        result = self._own.nearest_values(owner, name)
        if result is None:
            result = self._own.of_made_bases(owner, name)
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
