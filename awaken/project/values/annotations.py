"""Annotations as values."""

from __future__ import annotations

import ast
from dataclasses import replace

from awaken.knowledge.declarations import public_name
from awaken.project.source.modules import Module
from awaken.project.source.trees import items_in_brackets
from awaken.project.values.domain import (
    External,
    InstanceOf,
    NoneValue,
    Producer,
    Session,
    TypeVariable,
    Unknown,
    Value,
    Values,
    union,
    values_inside,
)
from awaken.project.values.library_types.declared_types import (
    TYPING,
    generic,
    how_of,
    is_class,
    of_class,
)
from awaken.project.values.library_types.solving import SELF, without_variables
from awaken.project.values.questions import PARAMETRISED, EvaluatorPart, GenericClass

_MAPPED = {"Mapped", "DynamicMapped", "WriteOnlyMapped"}
_VARIABLES = {"TypeVar", "NewType", "ParamSpec"}
_NOTHING_PARTICULAR = {"typing.Any", "typing_extensions.Any", "builtins.object"}


class Annotations(EvaluatorPart):
    """Turns annotations into values."""

    def values(self, module: Module, node: ast.expr) -> Values:
        """Return what an object annotated with ``node`` may be."""
        return without_variables(self.values_with_variables(module, node), module.place(node))

    def values_with_variables(self, module: Module, node: ast.expr) -> Values:
        """Return the same, with the type variables in ``node``."""
        return self._evaluator.solve(
            ("annotation", node), module, node, lambda: self._values(module, node), "tree"
        )

    def says_nothing(self, module: Module, node: ast.expr) -> bool:
        """Whether an annotation leaves open what an object is: ``Any``, ``object``, with None."""
        match node:
            case ast.BinOp(op=ast.BitOr(), left=left, right=ast.Constant(value=None)):
                return self.says_nothing(module, left)
            case ast.Subscript(value=outer, slice=inner):
                is_optional = (
                    self._evaluator.names.qualified_name(module, outer) == "typing.Optional"
                )
                is_nothing = is_optional and self.says_nothing(module, inner)
                return is_nothing or self._is_open(module, node)
            case ast.Name() if len(module.scopes.bindings_of(node)) > 1:
                # Two imports of one name: the file does not say which of them was meant.
                return self._evaluator.names.qualified_name(module, node) is None
            case ast.Name() | ast.Attribute():
                name = self._evaluator.names.qualified_name(module, node)
                is_named = name in _NOTHING_PARTICULAR or self._is_module(module, node, name)
                return is_named or self._is_open(module, node)
        return False

    def _is_open(self, module: Module, node: ast.expr) -> bool:
        """Whether it is a type variable that may be any class, as far as that is known."""
        values = self.values_with_variables(module, node)
        return all(
            isinstance(value, TypeVariable)
            and value.name != SELF
            and all(isinstance(limit, Unknown) for limit in value.bound)
            for value in values
        )

    def _is_module(self, module: Module, node: ast.expr, name: str | None) -> bool:
        """Whether an annotation names a module, as in ``db: sqlalchemy = None``: it is no type."""
        bindings = module.scopes.bindings_of(node) if isinstance(node, ast.Name) else []
        imports = (module.parent(binding.node) for binding in bindings)
        is_imported = bool(bindings) and all(isinstance(item, ast.Import) for item in imports)
        return is_imported or self._evaluator.names.layout.path_of(name or "") is not None

    def generic_class(self, qualified: str) -> GenericClass | None:
        """Return the type variables of a class of the program, and what it gives its bases."""
        pair = self._evaluator.classes.node(qualified)
        if pair is None:
            return None
        module, node = pair
        listed: Values | None = None
        bases: list[InstanceOf] = []
        appearing: Values = tuple(
            TypeVariable(_own_variable(qualified, item.name))
            for item in getattr(node, "type_params", [])
        )
        for base in node.bases:
            arguments = items_in_brackets(base) if isinstance(base, ast.Subscript) else []
            outer = base.value if isinstance(base, ast.Subscript) else base
            name = self._evaluator.names.qualified_name(module, outer)
            inner = tuple(self.values_with_variables(module, argument) for argument in arguments)
            variables = _variables(union(*inner))
            if name in PARAMETRISED:
                listed = variables or listed
            elif name is not None:
                bases.append(InstanceOf(name, parameters=inner))
            appearing = union(appearing, variables)
        names = [value.name for value in listed or appearing if isinstance(value, TypeVariable)]
        return GenericClass(tuple(names), tuple(bases))

    def _values(self, module: Module, node: ast.expr) -> Values:
        match node:
            case ast.Constant(value=None):
                return (NoneValue(),)
            case ast.Constant(value=str()):
                parsed = module.parse_string(node)
                if parsed is None:
                    return (self._evaluator.unknown(module, node, "the annotation is no type"),)
                return self.values_with_variables(module, parsed)
            case ast.BinOp(op=ast.BitOr()):
                return union(
                    self.values_with_variables(module, node.left),
                    self.values_with_variables(module, node.right),
                )
            case ast.Subscript():
                return self._generic(module, node)
            case ast.Name() | ast.Attribute():
                return self._named_values(module, node)
        return (self._evaluator.unknown(module, node, "the annotation is not a plain type"),)

    def _named_values(self, module: Module, node: ast.expr) -> Values:
        variable = self._own_variable(module, node)
        if variable is not None:
            return (variable,)
        name = self._evaluator.names.qualified_name(module, node)
        if name is None:
            instance = self._optional_class(module, node)
            if instance is not None:
                return (instance,)
            text = module.excerpt(node)
            why = f"the annotation `{text}` could not be followed to a class"
            return (self._evaluator.unknown(module, node, why),)
        if self._is_module(module, node, name):
            why = f"the annotation `{module.excerpt(node)}` is a module"
            return (self._evaluator.unknown(module, node, why),)
        located = self._evaluator.names.locate(name)
        if located is None:
            return self._values_outside(module, node, name)
        if self._evaluator.classes.facts(name) is not None:
            return (InstanceOf(name),)
        return self._alias(module, node, name)

    def _optional_class(self, module: Module, node: ast.expr) -> InstanceOf | None:
        """Return what a class makes of a library that may be missing: it is None in its place."""
        if not isinstance(node, ast.Attribute):
            return None
        result = [
            item for item in self._evaluator.values(module, node) if not isinstance(item, NoneValue)
        ]
        match result:
            case [External(qualified=name)]:
                return InstanceOf(public_name(name))
        return None

    def _own_variable(self, module: Module, node: ast.expr) -> TypeVariable | None:
        """Return the variable of ``class Box[T]`` or ``def first[T]``."""
        if not isinstance(node, ast.Name):
            return None
        bindings = module.scopes.bindings_of(node)
        if not bindings or bindings[0].kind != "type-param":
            return None
        binding = bindings[0]
        bound = getattr(binding.node, "bound", None)
        owner = next(
            (
                ancestor
                for ancestor in module.ancestors(binding.node)
                if isinstance(ancestor, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            ),
            None,
        )
        home = module.full_name(owner) if owner is not None else module.name
        limits = () if bound is None else self.values_with_variables(module, bound)
        return TypeVariable(_own_variable(home, node.id), limits)

    def _values_outside(self, module: Module, node: ast.expr, name: str) -> Values:
        evaluator = self._evaluator
        match name:
            case _ if name in evaluator.knowledge.types or name.startswith("unittest.mock."):
                return of_class(name, module.place(node, "annotated"))
            case _ if name in _NOTHING_PARTICULAR:
                return (evaluator.unknown(module, node, "it is annotated with no particular type"),)
            case _ if name in {"typing.Self", "typing_extensions.Self"}:
                return (TypeVariable(SELF, self._enclosing(module, node)),)
            case _ if (how := how_of(name)) in {"awaitable", "coroutine"} and how is not None:
                unknown = evaluator.unknown(module, node, "the annotation does not say of what")
                return (Producer(how, (unknown,)),)
            case _ if name.rpartition(".")[0] not in TYPING or is_class(name):
                return (InstanceOf(public_name(name)),)
        return (evaluator.unknown(module, node, f"`{name}` does not say of what"),)

    def _enclosing(self, module: Module, node: ast.expr) -> Values:
        """Return an instance of the class around ``node``."""
        owner = next((x for x in module.ancestors(node) if isinstance(x, ast.ClassDef)), None)
        return () if owner is None else (InstanceOf(module.full_name(owner)),)

    def _alias(self, module: Module, node: ast.expr, name: str) -> Values:
        """Follow ``SessionDep = Annotated[...]``, ``type S = ...``, ``NewType`` and ``TypeVar``."""
        evaluator = self._evaluator
        pair = evaluator.names.value_at(name)
        if pair is None:
            why = f"`{name}` is not a type that can be followed"
            return (evaluator.unknown(module, node, why),)
        defining, value = pair
        if not isinstance(value, ast.Call):
            return self.values_with_variables(defining, value)
        made_by = evaluator.names.qualified_name(defining, value.func) or ""
        home, _, simple = made_by.rpartition(".")
        if home not in TYPING or simple not in _VARIABLES:
            sessions = self._of_factory(module, node, defining, value)
            if sessions:
                return sessions
            if evaluator.mapping.is_base(name):
                return (InstanceOf(name),)
            return (evaluator.unknown(module, node, f"`{name}` is not a type of one kind"),)
        if simple == "NewType" and len(value.args) > 1:
            return self.values_with_variables(defining, value.args[1])
        limits = [part.value for part in value.keywords if part.arg == "bound"] or value.args[1:]
        return (
            TypeVariable(
                name, union(*(self.values_with_variables(defining, limit) for limit in limits))
            ),
        )

    def _of_factory(
        self, module: Module, node: ast.expr, defining: Module, value: ast.Call
    ) -> Values:
        """Return the sessions that a factory gives: ``db: SessionLocal`` says it is one of these.

        It is no type, and nothing that runs the program asks for one; people mean a session.
        """
        place = module.place(node, "annotated")
        result: Values = ()
        for alternative in self._evaluator.values(defining, value):
            match alternative:
                case Producer(how="factory", inner=inner):
                    sessions = [each for each in inner if isinstance(each, Session)]
                    if len(sessions) != len(inner):
                        return ()
                    result = union(result, tuple(replace(each, place=place) for each in sessions))
                case Session(kind="scoped" | "async-scoped"):
                    result = union(result, (replace(alternative, place=place),))
                case _:
                    return ()
        return result

    def _generic(self, module: Module, node: ast.Subscript) -> Values:
        evaluator = self._evaluator
        name = evaluator.names.qualified_name(module, node.value) or ""
        home, _, simple = name.rpartition(".")
        arguments = items_in_brackets(node)
        if not name or evaluator.names.locate(name) is not None:
            return self._project_generic(module, node, name, arguments)
        if home in TYPING and simple == "Annotated":
            return evaluator.injected_values(module, arguments)
        role = evaluator.knowledge.types.get(name)
        if role in {"factory", "async-factory"}:
            return (Producer("factory", self.values_with_variables(module, arguments[0])),)
        if role is not None:
            return self._named_values(module, node.value)
        if home == "sqlalchemy.orm" and simple in _MAPPED:
            return self._mapped_values(module, simple, arguments[0])
        return generic(
            name, arguments, lambda argument: self.values_with_variables(module, argument)
        )

    def _mapped_values(self, module: Module, simple: str, argument: ast.expr) -> Values:
        """Return what an attribute annotated ``Mapped[...]`` holds."""
        inner = self.values_with_variables(module, argument)
        if simple == "Mapped":
            return inner
        # The target may be wrapped in a collection, or alone.
        held = union(*(_held_values(value) for value in inner))
        collection = "AppenderQuery" if simple == "DynamicMapped" else "WriteOnlyCollection"
        return (InstanceOf(f"sqlalchemy.orm.{collection}", parameters=(held,)),)

    def _project_generic(
        self, module: Module, node: ast.Subscript, name: str, arguments: list[ast.expr]
    ) -> Values:
        """Return a generic class of the program with the types in the brackets."""
        plain = self._named_values(module, node.value)
        inner = tuple(self.values_with_variables(module, argument) for argument in arguments)
        return tuple(
            InstanceOf(value.qualified, parameters=inner)
            if isinstance(value, InstanceOf) and value.qualified == name
            else value
            for value in plain
        )


def _held_values(value: Value) -> Values:
    is_collection = isinstance(value, InstanceOf) and value.parameters
    return value.parameters[0] if isinstance(value, InstanceOf) and is_collection else (value,)


def _own_variable(home: str, name: str) -> str:
    return f"{home}.{name}"


def _variables(values: Values) -> Values:
    """Return the type variables in ``values``, in order."""
    variables: Values = ()
    for value in values:
        variables = union(variables, _variables_in(value))
    return variables


def _variables_in(value: Value) -> Values:
    match value:
        case TypeVariable(name=name):
            return (TypeVariable(name),) if name != SELF else ()
    return _variables(values_inside(value))
