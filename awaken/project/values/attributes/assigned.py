"""The attributes that a program assigns to objects from outside of their classes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from awaken.project.source.modules import Module
from awaken.project.source.worklist import MOST_FILES
from awaken.project.values.domain import ClassOf, InstanceOf, Unknown, Values, union
from awaken.project.values.library.of_requests import stored_attributes
from awaken.project.values.questions import Questions


def assigned_attribute(evaluator: Questions, owner: InstanceOf | ClassOf, name: str) -> Values:
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
    for module, target in _stores(evaluator, name, paths):
        owners = evaluator.values(module, target.value)
        is_of_line = any(
            isinstance(value, InstanceOf | ClassOf) and value.qualified in line for value in owners
        )
        if is_of_line or any(isinstance(value, Unknown) for value in owners):
            result = union(result, evaluator.assigned_values(module, target, None, None, ()))
        is_assigned |= is_of_line
    return result if is_assigned else ()


def _stores(
    evaluator: Questions, name: str, paths: Iterable[str]
) -> Iterator[tuple[Module, ast.Attribute]]:
    """Yield the assignments to attributes of a name."""
    written = re.compile(rb"\.%s\s*(?:=(?!=)|[,:)\]]|in\b)" % name.encode())
    for path in (path for path in paths if written.search(evaluator.text(path))):
        module = evaluator.load(path)
        for target in stored_attributes(module, name) if module is not None else ():
            if module is not None:
                yield module, target
