"""The objects that factories of factory_boy make: those of the class that ``Meta.model`` names."""

from __future__ import annotations

import ast

from awaken.project.values.domain import ClassOf, InstanceOf, Producer, Values
from awaken.project.values.questions import Questions

_BASES = {"factory.Factory", "factory.base.Factory", "factory.alchemy.SQLAlchemyModelFactory"}
_ONE = {"build", "create"}
_MANY = {"build_batch", "create_batch"}
_MAKING = frozenset({"_build", "_create", "_generate"})
"""What a class overrides whose objects may be others."""


def made_by(evaluator: Questions, owner: ClassOf) -> Values:
    """Return what a call of the class ``owner`` gives, if that is a factory; empty if not."""
    ancestors = evaluator.classes.ancestors(owner.qualified)
    if ancestors is None or not _BASES & set(ancestors.outside):
        return ()
    if any(_MAKING & one.members for one in ancestors.inside):
        return ()
    for facts in ancestors.inside:
        module, node = evaluator.classes.node(facts.qualified) or (None, None)
        model = None if node is None else _model(node)
        if module is not None and model is not None:
            found = evaluator.values(module, model)
            made = tuple(InstanceOf(one.qualified) for one in found if isinstance(one, ClassOf))
            return made if len(made) == len(found) else ()
    return ()


def method_of(evaluator: Questions, owner: InstanceOf | ClassOf, name: str) -> Values:
    """Return the method ``name`` of a factory, by what it gives; empty for everything else."""
    if not isinstance(owner, ClassOf) or name not in _ONE | _MANY:
        return ()
    made = made_by(evaluator, owner)
    if name in _MANY and made:
        made = (InstanceOf("builtins.list", parameters=(made,)),)
    return (Producer("callable", made),) if made else ()


def _model(node: ast.ClassDef) -> ast.expr | None:
    """Return what the options of a factory name as its class."""
    for one in node.body:
        if isinstance(one, ast.ClassDef) and one.name == "Meta":
            for statement in one.body:
                match statement:
                    case ast.Assign(targets=[ast.Name(id="model")], value=value):
                        return value
                    case _:
                        pass
    return None
