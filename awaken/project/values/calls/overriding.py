"""Results of methods that a class leaves to its overrides."""

from __future__ import annotations

import ast

from awaken.project.names.classes import PROTOCOLS
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function, last_name
from awaken.project.values.domain import FunctionOf, InstanceOf, NoneValue, Producer, Values, union
from awaken.project.values.questions import Questions


def only_declares(node: Function) -> bool:
    """Whether the body of a function does nothing, or refuses to be called."""
    return all(
        isinstance(statement, ast.Pass | ast.Raise)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in node.body
    )


def given_by_overriding(evaluator: Questions, function: FunctionOf) -> Values:
    """Return what the methods give that override ``function``.

    Empty where others may override it: code outside of the project, and any class with the methods
    of a protocol.
    """
    module, node, owner = function.module, function.node, function.bound
    is_hidden = evaluator.names.layout.published and not is_test_file(module.path)
    if not isinstance(owner, InstanceOf) or not isinstance(node, Function) or is_hidden:
        return ()
    ancestors = evaluator.classes.ancestors(owner.qualified)
    is_protocol = ancestors is None or bool(PROTOCOLS & set(ancestors.outside))
    # Else too many files would be read.
    if is_protocol or not evaluator.follows_callers:
        return ()
    result: Values = ()
    for below in evaluator.classes.all_subclasses(owner.qualified):
        facts = evaluator.classes.facts(below)
        if facts is None or node.name not in {*facts.members, *facts.assigned}:
            continue
        for method in evaluator.attribute(InstanceOf(below), node.name, module, node):
            if not isinstance(method, FunctionOf):
                return ()
            result = union(result, evaluator.returned(method))
    is_abstract = any(last_name(decorator) == "abstractmethod" for decorator in node.decorator_list)
    if result and not is_abstract and not any(isinstance(part, ast.Raise) for part in node.body):
        nothing: Values = (NoneValue(),)
        is_lazy = isinstance(node, ast.AsyncFunctionDef)
        result = union(result, (Producer("coroutine", nothing),) if is_lazy else nothing)
    return result
