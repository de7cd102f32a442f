"""The function whose callers are searched: which mentions mean it, and with how many arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Literal

from awaken.project.graph.callers.composed_names import Lookup, fits
from awaken.project.graph.callers.method_mentions import Definition, Mention, Receiver
from awaken.project.graph.callers.search_inputs import Surroundings
from awaken.project.graph.classes.hierarchies import Hierarchy
from awaken.project.names.file_facts import written_parameters
from awaken.project.names.functions.decorators import (
    MANAGERS,
    REMEMBERING,
    TRANSPARENT,
    decorator_names,
    method_kind,
)
from awaken.project.names.functions.generated_init import GeneratedInit
from awaken.project.source.bindings import NAMING, Binding, Scope
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, is_overload, root_of
from awaken.project.values.domain import ClassOf, FunctionOf, InstanceOf, ModuleOf, Unknown, Values

_SAME_PARAMETERS = TRANSPARENT | MANAGERS | REMEMBERING


class Target:
    """A function or method; of ``__init__`` and ``__new__`` the class. Holds no tree."""

    def __init__(self, surroundings: Surroundings, module: Module, function: Function) -> None:
        self._surroundings = surroundings
        self._evaluator = evaluator = surroundings.evaluator
        scope = scope_around(module, function)
        owner = scope.node if isinstance(scope.node, ast.ClassDef) else None
        self.owner_name = owner.name if owner is not None else ""
        self.makes = owner is not None and function.name in {"__init__", "__new__"}
        self.name = function.name
        self.never_runs = is_overload(function)
        self.shown = self.owner_name or self.name if self.makes else self.name
        self.place = module.place(function)
        self._definition = Definition.of(module, function)
        self.owner = Definition.of(module, owner) if owner is not None else None
        self.is_method = owner is not None and not self.makes
        self.is_local = scope.kind not in {"module", "class"}
        # A class inside of another one may be read from any instance of that.
        self._is_attribute = (
            owner is not None and scope.parent is not None and (scope.parent.kind == "class")
        )
        self._qualified = module.full_name(function)
        decorators = decorator_names(evaluator.names, module, function)
        self._method_kind = method_kind(decorators)
        # Any other decorator may change the parameters.
        self._parameters = (
            written_parameters(function.args) if decorators <= _SAME_PARAMETERS else None
        )
        self.hierarchy: Hierarchy | None = None
        self.made: set[str] = set()
        if owner is not None:
            self.hierarchy = surroundings.hierarchy(module.full_name(owner))
            if self.makes:
                self.made = self.hierarchy.made_by(self.name)
        # Bases and decorators may keep a class, and find it by its name.
        is_alone = owner is None or not (owner.bases or owner.decorator_list or len(self.made) != 1)
        self.is_plain = is_alone and not (self.is_method or self._is_attribute)

    def home(self) -> set[str]:
        """Return the files of the function: of a method, those of all relatives of its class."""
        relatives = set() if self.hierarchy is None else self.hierarchy.paths()
        return {self.place.path} | relatives

    def typed_in(self) -> set[str]:
        """Return the files whose importers may know that a receiver has the method.

        Those of a method are the files of its class, of all subclasses, and of bases that declare
        it. A base that does not declare it is a type only in its own code.
        """
        declaring = set() if self.hierarchy is None else self.hierarchy.declaring(self.name)
        return {self.place.path} | declaring

    def may_name(self, module: Module, lookup: Lookup) -> bool:
        """Whether ``lookup`` may give the method."""
        node, owner, name = lookup.node, lookup.owner, lookup.name
        if not isinstance(node, ast.Call) or owner is None or name is None:
            return False
        composed = not isinstance(name, ast.Name | ast.Attribute)
        is_used = composed or module.call_of(node) is not None
        return is_used and fits(name, self.shown) and self._may_own(module, owner)

    def _may_own(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node`` may be something that has the method."""
        if self.hierarchy is None:
            return True
        values = self._evaluator.values(module, node)
        hierarchy, name = self.hierarchy, self.name
        return any(hierarchy.reaches(value, name) is not False for value in values)

    def makes_by(self, module: Module, node: ast.AST, *, inherits: bool, makes: bool) -> int | None:
        """Return how many arguments a call binds that reaches the method; None for others.

        The class around the call ``makes`` objects by the method, or one that inherits from it.
        """
        match node:
            case ast.Call(func=ast.Name(id="cls")):
                return 1 if makes else None
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name)):
                # `__new__` is given the class.
                return int(name == "__init__") if name == self.name and inherits else None
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr="__init__")):
                return 1 if makes and self.name == "__init__" else None
            case ast.Call(func=ast.Attribute(value=base, attr=name)) if name == self.name:
                # ``Base.__init__(self, ...)`` passes `self` itself.
                return (
                    0 if self._evaluator.names.qualified_name(module, base) in self.made else None
                )
            case ast.Call(func=ast.Call() | ast.Attribute() as made):
                is_own = ast.unparse(made) in {"type(self)", "self.__class__"}
                return 1 if makes and is_own else None
        return None

    def is_imported_as(self, qualified: str | None) -> bool:
        """Whether an import may bring the function; one that cannot be followed may."""
        return qualified is None or qualified in self._targets()

    def _targets(self) -> set[str]:
        return self.made or {self._qualified}

    def bound_arguments(
        self, module: Module, node: ast.Name | ast.Attribute
    ) -> int | Literal[False] | None:
        """Return how many arguments the mention binds; False if another thing is meant.

        None where it is unknown. The target is a function or a class.
        """
        refers = self._refers(module, node)
        if not refers:
            return refers
        return 1 if self.makes else 0

    def bound_by(self, mention: Mention) -> int | Literal[False] | None:
        """Return the same of a mention of the name of the target, a method."""
        if mention.receiver is None:
            return 0 if self._definition in mention.definitions else False
        bound = self._bound_method(mention.receiver)
        return False if bound is None and not self._may_run(mention) else bound

    def _may_run(self, mention: Mention) -> bool:
        """Whether the method can be called with the arguments of a call, whatever its receiver."""
        parameters = self._parameters
        if mention.kind != "call" or parameters is None:
            return True
        signatures = [parameters] if self._method_kind != "class" else []
        signatures += [parameters.behind_first()] if self._method_kind != "static" else []
        return any(item.bind(mention.arguments) for item in signatures)

    def _refers(self, module: Module, node: ast.Name | ast.Attribute) -> bool | None:
        """Whether a name or a dotted name means the function, or the class that it makes."""
        if isinstance(node, ast.Name):
            return self._name_refers(module, node)
        if self.is_local:
            return False
        name = self._evaluator.names.qualified_name(module, node)
        if name is not None and (name in self._targets() or not self._is_of_variable(name)):
            return name in self._targets()
        root, path = root_of(node), self.place.path
        is_imported = isinstance(root, ast.Name) and any(
            binding.kind == "import" for binding in module.scopes.bindings_of(root)
        )
        if self._is_attribute:
            return _any(self._is_target(value) for value in self._evaluator.values(module, node))
        if not is_imported and not self._surroundings.module_values.travels(path):
            return False
        return _any(self._module_refers(node, self._evaluator.values(module, node.value)))

    def _is_of_variable(self, name: str) -> bool:
        """Whether a name is that of an attribute of a variable, which may hold a module."""
        names, owner = self._evaluator.names, name.rpartition(".")[0]
        located = names.locate(owner)
        return bool(located and located.rest) and self._evaluator.classes.facts(owner) is None

    def _module_refers(self, node: ast.Attribute, owners: Values) -> Iterator[bool | None]:
        for owner in owners:
            match owner:
                case ModuleOf():
                    name = self._evaluator.names.attribute(owner.path, node.attr)
                    yield None if name is None else name in self._targets()
                case Unknown():
                    yield None
                case _:
                    yield False

    def _name_refers(self, module: Module, node: ast.Name) -> bool | None:
        bindings = module.scopes.bindings_of(node)
        wanted = self.owner if self.makes else self._definition
        if wanted is not None and _defines(module, bindings, wanted):
            return True
        if self.is_local:
            return False
        # Parameters and loop variables get it only where it is passed on, which is noted there.
        if bindings and not any(binding.kind in NAMING for binding in bindings):
            return False
        name = self._evaluator.names.qualified_name(module, node)
        if name is not None:
            return name in self._targets()
        if not any(binding.kind == "import" for binding in bindings):
            # A star import may have brought the name.
            return None if module.scopes.import_stars and not bindings else False
        return _any(self._is_target(value) for value in self._evaluator.values(module, node))

    def _is_target(self, value: object) -> bool | None:
        match value:
            case Unknown():
                return None
            case FunctionOf():
                return self._definition.is_at(value.module, value.node)
            case ClassOf():
                return value.qualified in self.made
        return False

    def _bound_method(self, receiver: Receiver) -> int | Literal[False] | None:
        hierarchy = self.hierarchy
        if hierarchy is None:
            return False
        above = receiver.above
        if above is not None:
            return (
                self._parameters_filled_by(InstanceOf(above))
                if hierarchy.is_above(above, self.name)
                else False
            )
        result: list[int | Literal[False] | None] = []
        for value in receiver.values:
            reaches = hierarchy.reaches(value, self.name)
            result.append(self._parameters_filled_by(value) if reaches else reaches)
        numbers = {item for item in result if item is not None and item is not False}
        # One call on instances and on the class: the binding is unknown.
        if len(numbers) > 1 or None in result:
            return None
        return numbers.pop() if numbers else False

    def _parameters_filled_by(self, receiver: object) -> int:
        """Return how many parameters a receiver fills: its class or itself, or nothing."""
        match self._method_kind:
            case "static":
                return 0
            case "class":
                return 1
            case "instance":
                return 0 if isinstance(receiver, ClassOf) else 1


def _defines(module: Module, bindings: Sequence[Binding], wanted: Definition) -> bool:
    """Whether one of ``bindings``, which are of ``module``, is the definition ``wanted``."""
    return any(wanted.is_at(module, binding.node) for binding in bindings)


def _any(answers: Iterator[bool | None]) -> bool | None:
    """Return True if one answer is, else None if one is, else False."""
    result = list(answers)
    return True if True in result else (None if None in result else False)


def scope_around(module: Module, function: Function) -> Scope:
    """Return the scope in which ``function`` is defined."""
    if isinstance(function, GeneratedInit):
        return module.scopes.scope_made_by(function.owner)
    scope = module.scopes.scope_of(function)
    # The scope of a generic function is the one around its type parameters.
    while scope.kind == "type-params" and scope.parent is not None:
        scope = scope.parent
    return scope
