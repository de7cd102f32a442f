"""The translation of a name across a call: how one function writes what the other one knows."""

from __future__ import annotations

import ast

from awaken.kit.names_here import Written, is_dotted
from awaken.project import Project
from awaken.project.graph.contexts import CallEdge, FunctionContext
from awaken.project.source.trees import parameters_of


def written_by_caller(project: Project, edge: CallEdge, written: Written) -> Written | None:
    """Return how the caller of ``edge`` writes what the called function knows as ``written``.

    None where the function alone knows it: a local variable, or what is passed by no name.
    """
    into, caller = edge.into, edge.context
    name, _, rest = written.text.partition(".")
    if not name.isidentifier():
        return None
    own = into.flow.scope.bindings.get(into.flow.scope.mangled(name), [])
    if not own:
        return _of_module(project, into, written, caller, edge.call.func)
    parameter = own[0].node
    if len(own) != 1 or own[0].kind != "parameter" or not isinstance(parameter, ast.arg):
        return None
    given = edge.given(parameter)
    if given is None or not is_dotted(given):
        return None
    text = ast.unparse(given)
    return Written(f"{text}.{rest}" if rest else text)


def written_by_called(
    project: Project, edge: CallEdge, written: Written, site: ast.expr
) -> Written | None:
    """Return how the called function of ``edge`` writes at ``site`` what its caller writes so.

    None where it is not given it.
    """
    into, caller = edge.into, edge.context
    for parameter, _ in parameters_of(into.function.args):
        given = edge.given(parameter)
        text = None if given is None else ast.unparse(given)
        if text is not None and f"{written.text}.".startswith(f"{text}."):
            return Written(f"{parameter.arg}{written.text.removeprefix(text)}")
    name = written.text.partition(".")[0]
    if caller.flow.scope.mangled(name) in caller.flow.scope.bindings:
        return None
    return _of_module(project, caller, written, into, site)


def _of_module(
    project: Project,
    source: FunctionContext,
    written: Written,
    target: FunctionContext,
    site: ast.expr,
) -> Written | None:
    """Return how ``target`` writes at ``site`` what stands at the top of a file for ``source``."""
    if not all(part.isidentifier() for part in written.text.split(".")):
        return None
    name = written.text.partition(".")[0]
    scopes = target.module.scopes
    if source.path == target.path:
        is_top = scopes.owner(name, scopes.scope_of(site)) is scopes.module
        return written if is_top else None
    node: ast.expr = ast.parse(written.text, mode="eval").body
    rest = ""
    while True:
        owner = project.qualified_name(source.module, node)
        definition = None if owner is None else project.definition(owner)
        if owner is not None and definition is not None and definition.kind == "assignment":
            found = _in_scope(project, target, owner, site)
            return None if found is None else Written(f"{found.text}{rest}", found.needs)
        if not isinstance(node, ast.Attribute):
            return None
        rest = f".{node.attr}{rest}"
        node = node.value


def _in_scope(
    project: Project, target: FunctionContext, owner: str, site: ast.expr
) -> Written | None:
    """Return how ``target`` writes ``owner``, a variable of another file, at ``site``."""
    module = target.module
    seen = {
        ast.unparse(node.value): node
        for node in module.walk(target.function)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    for beside in (site, *seen.values()):
        way = project.name_in_scope(module, site, owner, beside)
        if not isinstance(way, str):
            needs = None if way.module is None else (way.module, way.text.partition(".")[0], None)
            return Written(way.text, needs)
    return None
