"""Pydantic models that are completed when they first validate, which fails in a greenlet.

Annotations of a model may name a class that is defined below it. The model looks for that class in
the frames that call it, and a greenlet has too few. Source: `model_rebuild` of Pydantic 2.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.contract import Edit
from awaken.kit.sites import Site
from awaken.project.source.modules import Module
from awaken.project.source.worklist import Worklist

if TYPE_CHECKING:
    from awaken.project import Project

_VALIDATES = "model_validate"


def completing_edits(
    project: Project, site: Site[ast.AST], validating: ast.expr, model: ast.expr | None
) -> Iterator[Edit]:
    """Yield the statement that completes a model before an expression that validates by it."""
    module = site.module
    statement = module.statement_of(validating)
    if model is None or statement is None:
        return
    if any(_may_be_incomplete(project, name) for name in project.classes_of(module, model)):
        code = f"{module.text_of(model)}.model_rebuild()\n"
        yield site.insert_statements(module.place(statement), "before", code)


def model_of(call: ast.expr) -> ast.expr | None:
    """Return the model whose ``model_validate`` is called."""
    match call:
        case ast.Call(func=ast.Attribute(value=model, attr=name)) if name == _VALIDATES:
            return model
    return None


def _may_be_incomplete(project: Project, qualified: str) -> bool:
    """Whether a class, or one in its annotations, names a class that is defined below it."""
    waiting = Worklist([facts.qualified for facts in project.class_line(qualified)])
    for name in waiting:
        pair = project.class_definition(name)
        for other in () if pair is None else _named_classes(project, *pair):
            facts = project.class_facts(other)
            if pair is None or facts is None:
                continue
            if facts.path == pair[0].path and facts.span.start > pair[0].span(pair[1]).start:
                return True
            waiting += [facts.qualified]
    return False


def _named_classes(project: Project, module: Module, node: ast.ClassDef) -> Iterator[str]:
    for field in (part for part in node.body if isinstance(part, ast.AnnAssign)):
        for part in module.walk(field.annotation):
            quoted = module.parse_string(part) if isinstance(part, ast.Constant) else None
            for name in (part,) if quoted is None else ast.walk(quoted):
                if isinstance(name, ast.Name | ast.Attribute):
                    yield (
                        project.qualified_name(module, name) or f"{module.name}.{ast.unparse(name)}"
                    )
