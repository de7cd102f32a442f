"""Objects that a factory made and flushed: their relationships are loaded before they are read.

The session has these objects, but of their relationships only the values that the factory got.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.kit.search import modules_with
from awaken.project.source.trees import Function, variable_of

if TYPE_CHECKING:
    from awaken.contract import Place
    from awaken.project import Project
    from awaken.project.source.modules import Module

_PERSISTENCE = (b"sqlalchemy_session_persistence", b"force_flush")
"""What a factory says that flushes, or commits. What is in no database yet loads nothing."""


def read_of_made(project: Project) -> Iterator[tuple[Place, Place]]:
    """Yield the variables with such an object, where it is read, each with the factory's call."""
    if not project.files_with(_PERSISTENCE):
        return
    for module in modules_with(project, project.object_factories.words):
        for call in project.object_factories.calls(module):
            for name in _read(module, call):
                yield module.place(name), module.place(call)


def _read(module: Module, call: ast.Call) -> Iterator[ast.Name]:
    """Yield the reads, after a call, of the variable that holds its result."""
    target = variable_of(module.parent(call))
    if target is None or not isinstance(module.enclosing_function(call), Function):
        return
    end = module.span(call).end
    reads = [name for name in module.scopes.reads_of(target) if module.span(name).start > end]
    given = {keyword.arg for keyword in call.keywords}
    above = [module.parent(name) for name in reads]
    attributes = [part for part in above if isinstance(part, ast.Attribute)]
    given |= {part.attr for part in attributes if isinstance(part.ctx, ast.Store)}
    known = {part.value for part in attributes if part.attr in given}
    yield from (name for name in reads if name not in known)
