"""What the names of a program are bound to: by assignments, imports, loops, and parameters."""

from __future__ import annotations

import ast

from awaken.project.names.tables import NameTarget, target_of
from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.calls.uses import Uses
from awaken.project.values.containers.building import operated
from awaken.project.values.containers.items import list_of, place_of
from awaken.project.values.containers.unpacking import Step, received
from awaken.project.values.domain import (
    ClassOf,
    DeclarativeBase,
    Environment,
    External,
    FunctionOf,
    InstanceOf,
    ModuleOf,
    NotRelevant,
    Session,
    TupleOf,
    Unknown,
    Values,
    union,
)
from awaken.project.values.library.promises import holds_own, is_made, narrower
from awaken.project.values.parameters import Parameters
from awaken.project.values.questions import Questions


class Bound:
    """Follows bindings; ``parameters`` says what callers pass, ``uses`` what ``with`` gives."""

    def __init__(self, evaluator: Questions, parameters: Parameters, uses: Uses) -> None:
        self._evaluator = evaluator
        self._parameters = parameters
        self._uses = uses

    def of(self, module: Module, binding: Binding, known: Environment) -> Values:
        """Return what one binding gives to its name."""
        node = binding.node
        match binding.kind:
            case "import":
                return self._imported(module, binding)
            case "parameter":
                return self._parameters.of(module, binding, known)
            case "function" if isinstance(node, Function):
                return (FunctionOf(module, node, known),)
            case "class" if isinstance(node, ast.ClassDef):
                return (ClassOf(f"{module.name}.{module.qualname(node)}"),)
            case "assignment" | "walrus" | "annotation":
                found = self.assigned(module, node, binding.value, binding.annotation, known)
                # Nothing else gives values to a local variable: what it is given may say more.
                if binding.annotation is None or not isinstance(binding.scope.node, Function):
                    return found
                return self._seen(module, binding.value, found, known)
            case "with" | "for" if isinstance(node, ast.expr):
                return self._received(module, node, known)
            case "augmented" if isinstance(node, ast.Name):
                return self._augmented(module, node, known)
            case "except" if isinstance(node, ast.ExceptHandler):
                return self._caught(module, node, known)
            case _:
                why = f"what `{binding.name}` matches is not followed"
                return (self._evaluator.unknown(module, node, why),)

    def _received(self, module: Module, node: ast.expr, known: Environment) -> Values:
        """Return what a target of a loop, a ``with`` or an unpacking receives."""
        found = received(module, node)
        if found is None:
            return self._augmented(module, node, known)
        values = self._evaluator.values(module, found.value, known)
        match found.how:
            case "iterated":
                values = self._evaluator.iterated(values, module, node)
            case "entered":
                values = self._uses.enter(values, module, node)
            case "whole":
                pass
        for step in found.steps:
            values = self._taken_apart(values, step, module, node)
        return values

    def _taken_apart(self, values: Values, step: Step, module: Module, node: ast.expr) -> Values:
        found: Values = ()
        for value in values:
            if isinstance(value, TupleOf):
                # A tuple of another length raises, so it gives nothing.
                found = union(found, place_of(value, step.position, step.before, step.after) or ())
                continue
            items = self._evaluator.iterated((value,), module, node)
            is_starred = step.position == step.before
            found = union(found, (list_of(items),) if is_starred else items)
        return found

    def _augmented(self, module: Module, node: ast.expr, known: Environment) -> Values:
        """Return what ``x += y`` leaves in its target."""
        statement = module.parent(node)
        if not isinstance(statement, ast.AugAssign):
            return (self._evaluator.unknown(module, node, "what it is bound to is not followed"),)
        right = self._evaluator.values(module, statement.value, known)
        found = operated(self._evaluator.values(module, node, known), statement.op, right)
        if found is not None:
            return found
        return (self._evaluator.unknown(module, node, "what the operator gives is not known"),)

    def _caught(self, module: Module, node: ast.ExceptHandler, known: Environment) -> Values:
        if isinstance(module.parent(node), ast.TryStar):
            return (InstanceOf("builtins.ExceptionGroup"),)
        if node.type is None:
            return (InstanceOf("builtins.BaseException"),)
        found: Values = ()
        for one in self._evaluator.values(module, node.type, known):
            for kind in union(*one.items) if isinstance(one, TupleOf) else (one,):
                match kind:
                    case ClassOf() | External():
                        found = union(found, (InstanceOf(kind.qualified),))
                    case _:
                        found = union(found, (NotRelevant("an exception"),))
        return found

    def assigned(
        self,
        module: Module,
        node: ast.AST,
        value: ast.expr | None,
        annotation: ast.expr | None,
        known: Environment,
    ) -> Values:
        """Return what an assignment gives: its annotation, unless the value says otherwise."""
        given: Values = ()
        if value is not None:
            given = self._evaluator.values(module, value, known)
        if annotation is not None:
            declared = self._evaluator.declared(module, annotation)
            # A test may annotate a mock as what it stands for.
            mocked = any(isinstance(one, NotRelevant) and one.mock for one in given)
            if not mocked and not any(isinstance(one, Unknown) for one in declared):
                return _narrowed(declared, given)
        if value is None and isinstance(node, ast.expr):
            return self._received(module, node, known)
        return given

    def _seen(
        self, module: Module, value: ast.expr | None, declared: Values, known: Environment
    ) -> Values:
        """Return what a value is, as far as that says more than what is ``declared`` of it."""
        if value is None or not holds_own(self._evaluator, declared):
            return declared
        return narrower(self._evaluator, declared, self._evaluator.values(module, value, known))

    def _imported(self, module: Module, binding: Binding) -> Values:
        target = target_of(module, binding)
        if target.kind == "module":
            return self._module(module, binding, target.text)
        source = self._evaluator.names.absolute(target, module.path)
        if source is None:
            return (self._evaluator.unknown(module, binding.node, "the import leaves the project"),)
        found = self._evaluator.names.layout.find(source, module.path)
        if found.path is None:
            return self._from_outside(module, binding, target)
        defining = self._evaluator.load(found.path)
        if defining is None:
            why = f"{found.path} cannot be parsed"
            return (self._evaluator.unknown(module, binding.node, why),)
        # What a package binds hides its submodule, except while the package itself imports that.
        if target.name not in defining.scopes.module.bindings or defining.path == module.path:
            submodule = self._evaluator.names.layout.submodule(found.path, target.name)
            if submodule is not None:
                return (ModuleOf(submodule),)
        return self._evaluator.global_values(defining, target.name)

    def _from_outside(self, module: Module, binding: Binding, target: NameTarget) -> Values:
        name = self._evaluator.names.imported(module.path, target)
        if name is None:
            why = "the import could not be followed"
            return (self._evaluator.unknown(module, binding.node, why),)
        return self._evaluator.named(name, module, binding.node)

    def _module(self, module: Module, binding: Binding, dotted: str) -> Values:
        found = self._evaluator.names.layout.find(dotted, module.path)
        if found.path is not None:
            return (ModuleOf(found.path),)
        if found.ambiguous:
            return (self._evaluator.unknown(module, binding.node, f"two files may be `{dotted}`"),)
        return (External(dotted),)


def _narrowed(declared: Values, given: Values) -> Values:
    """Return the annotation; where the value says more, as of a session or a base, the value."""
    if given and all(isinstance(one, Session | DeclarativeBase) for one in given):
        return given
    if is_made(given):
        # An annotation names the class, the value also which instance it is.
        return given
    return declared
