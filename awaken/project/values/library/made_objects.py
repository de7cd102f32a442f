"""The objects that factories of factory_boy make: those of the class that ``Meta.model`` names."""

from __future__ import annotations

import ast

from awaken.project.names.classes import ClassFacts
from awaken.project.source.modules import Module
from awaken.project.source.trees import values_given
from awaken.project.values.domain import ClassOf, InstanceOf, Producer, Values
from awaken.project.values.questions import Questions

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
