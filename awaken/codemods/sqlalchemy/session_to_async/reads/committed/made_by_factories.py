"""Objects that a factory made and flushed: their relationships are loaded before they are read.

The session has these objects, but of their relationships only the values that the factory got.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.kit.search import modules_with
from awaken.project.source.trees import Function

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
    function = module.enclosing_function(call)
    match module.parent(call):
        case ast.Assign(targets=[ast.Name() as target]) if isinstance(function, Function):
            pass
        case _:
            return
    end = module.span(call).end
    reads = [name for name in module.scopes.reads_of(target) if module.span(name).start > end]
    given = {keyword.arg for keyword in call.keywords}
    given |= {part.attr for part in _attributes(module, reads) if isinstance(part.ctx, ast.Store)}
    for node in reads:
        above = module.parent(node)
        if not isinstance(above, ast.Attribute) or above.attr not in given:
            yield node


def _attributes(module: Module, reads: list[ast.Name]) -> Iterator[ast.Attribute]:
    for name in reads:
        above = module.parent(name)
        if isinstance(above, ast.Attribute):
            yield above
