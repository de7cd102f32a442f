"""Code that changes a class after its body: decorators and metaclasses of the program."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.names.classes import ClassFacts
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, parameter_names
from awaken.project.values.attributes.attributes_by_name import stores_of
from awaken.project.values.domain import ClassOf

_BASES = "__bases__"
_MAKING = {"__call__", "__init__", "__new__", "__prepare__"}


def why_remade(evaluator: ProgramEvaluator, qualified: str, method: str) -> str:
    """Return why another ``method`` may run than a class has as written; empty if none does.

    A decorator or a metaclass of the program may replace it. Those of libraries do not.
    """
    facts = evaluator.classes.facts(qualified)
    for name in () if facts is None else facts.decorators:
        definition = None if name is None else evaluator.forwarding.definition(name)
        if definition is not None and _may_replace(*definition, method):
            return f"a decorator changes `{qualified.rpartition('.')[2]}`"
    if facts is not None and any(
        _may_replace(*making, method) for making in _metaclass_methods(evaluator, facts)
    ):
        return f"a metaclass changes `{qualified.rpartition('.')[2]}`"
    for home, target in stores_of(evaluator, _BASES, evaluator.words.files_with(_BASES)):
        values = evaluator.values(home, target.value)
        if any(isinstance(value, ClassOf) and value.qualified == qualified for value in values):
            return f"the program sets bases of `{qualified.rpartition('.')[2]}`"
    return ""


def _metaclass_methods(
    evaluator: ProgramEvaluator, facts: ClassFacts
) -> Iterator[tuple[Module, Function]]:
    """Yield the methods of the program by which the metaclass of a class makes it."""
    if "metaclass" not in dict(facts.keywords):
        return
    home, body = evaluator.classes.node(facts.qualified) or (None, None)
    if home is None or body is None:
        return
    written = next(part.value for part in body.keywords if part.arg == "metaclass")
    name = evaluator.names.qualified_name(home, written)
    for _, module, metaclass in evaluator.classes.bodies(name) if name is not None else ():
        for node in metaclass.body:
            if isinstance(node, Function) and node.name in _MAKING:
                yield module, node


def _may_replace(module: Module, function: Function, method: str) -> bool:
    """Whether a function may give a class that it gets another ``method``."""
    parameters = parameter_names(function.args)
    return any(_replaces(node, parameters, method) for node in module.walk(function))


def _replaces(node: ast.AST, parameters: set[str] | frozenset[str], method: str) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value=name), *_]):
            return name == method
        case ast.Call(func=ast.Name(id="setattr")):
            return True
        case ast.Attribute(attr=name, ctx=ast.Store()):
            return name == method
        case ast.Subscript(value=ast.Name(id=owner), slice=key, ctx=ast.Store()) if (
            owner in parameters
        ):
            return not isinstance(key, ast.Constant) or key.value == method
        # `super().__new__(cls, name, bases, namespace)`
        case ast.Call(func=ast.Name(id="type") | ast.Attribute(attr="__new__"), args=[*_, last]):
            return len(node.args) > 1 and getattr(last, "id", "") not in parameters
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name == method
    return False
