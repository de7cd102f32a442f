"""Sessions in properties, which may give another one when they are read again."""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.query_to_select.names import Reader
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof


def made_anew(reader: Reader, session: ast.expr) -> str | None:
    """Return where a property stands that may make another session each time it is read, if any.

    That is ``path:line`` of the property that ``session`` may name.

    Classes are not told apart: a property of the project that has the attribute's name and calls
    something counts, unless the attribute is a registry, which keeps its session.
    """
    if not isinstance(session, ast.Attribute):
        return None
    proof = reader.project.orm.session_of(reader.module, session)
    # A scoped_session gives the same session until it is removed.
    if isinstance(proof, SessionProof) and proof.kind == "scoped":
        return None
    defining = reader.project.files_with([b"def " + session.attr.encode()])
    for path in sorted({*defining}.intersection(reader.project.files_with([b"property"]))):
        module = reader.project.module(path)
        for node in module.walk() if module else ():
            if isinstance(node, ast.FunctionDef) and _calls_as(session.attr, node):
                return f"{path}:{node.lineno}"
    return None


def _calls_as(name: str, function: ast.FunctionDef) -> bool:
    """Whether ``function`` is a property called ``name`` that calls something and keeps nothing."""
    if function.name != name:
        return False
    decorators = {ast.unparse(one).rpartition(".")[2] for one in function.decorator_list}
    if "property" not in decorators:
        return False
    return any(isinstance(node, ast.Call) for part in function.body for node in ast.walk(part))
