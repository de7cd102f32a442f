"""Sessions in properties, which may give another one when they are read again."""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.modules import Module
from awaken.project.values.domain import ModuleOf


def property_place(reader: Reader, session: ast.expr) -> str | None:
    """Return the place of a property that may make another session each time it is read, if any.

    That is ``path:line`` of the property that ``session`` may name.

    Any property of the project counts that has the attribute's name and calls something, whatever
    its class. A registry does not count, because it keeps its session; nor a variable of a module.
    """
    if not isinstance(session, ast.Attribute):
        return None
    defining = reader.project.files_with([b"def " + session.attr.encode()])
    for path in sorted({*defining}.intersection(reader.project.files_with([b"property"]))):
        module = reader.project.module(path)
        for node in module.walk() if module else ():
            if not isinstance(node, ast.FunctionDef) or not _is_property(session.attr, node):
                continue
            if any(not _is_of_registry(reader, module, call) for call in _calls(node)):
                # Asked last: most names are those of no property.
                return None if _is_kept(reader, session) else f"{path}:{node.lineno}"
    return None


def _is_kept(reader: Reader, session: ast.Attribute) -> bool:
    """Whether a registry keeps a session until it is removed, or a variable of a module does."""
    if _is_registry(reader, reader.module, session):
        return True
    owners = reader.project.values.of(reader.module, session.value).alternatives
    return bool(owners) and all(isinstance(owner, ModuleOf) for owner in owners)


def _is_property(name: str, function: ast.FunctionDef) -> bool:
    """Whether ``function`` is a property called ``name`` that keeps nothing."""
    decorators = {ast.unparse(node).rpartition(".")[2] for node in function.decorator_list}
    return function.name == name and "property" in decorators


def _calls(function: ast.FunctionDef) -> list[ast.Call]:
    nodes = (node for part in function.body for node in ast.walk(part))
    return [node for node in nodes if isinstance(node, ast.Call)]


def _is_of_registry(reader: Reader, module: Module | None, call: ast.Call) -> bool:
    """Whether a call gives what a ``scoped_session`` keeps: the same until it is removed."""
    if module is None or call.args or call.keywords:
        return False
    return _is_registry(reader, module, call.func)


def _is_registry(reader: Reader, module: Module, node: ast.expr) -> bool:
    proof = reader.project.orm.session_of(module, node)
    return isinstance(proof, SessionProof) and proof.kind == "scoped"
