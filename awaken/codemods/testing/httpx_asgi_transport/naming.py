"""How the class of the transport is written where a client is made, and what imports it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.codemods.testing.httpx_asgi_transport import reasons
from awaken.codemods.testing.httpx_asgi_transport.clients import TRANSPORTS, Client
from awaken.contract import Edit, NeedImport, TextEdit
from awaken.editing.import_lines import LineStyle, add_name
from awaken.kit.sites import Refused, Site

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_HTTPX = "httpx"


def named(project: Project, client: Client, site: Site) -> tuple[str, list[Edit]]:
    """Return how the class of the transport is written, and the edits that import it.

    Raises Refused.
    """
    module, transport = site.module, TRANSPORTS[client.kind]
    match client.named:
        case ast.Attribute(value=value) if project.qualified_name(module, value) == _HTTPX:
            return f"{module.text_of(value)}.{transport}", []
        case ast.Name() as name:
            statements = _imports(module, name)
        case _:
            statements = []
    for statement in statements:
        known = next((one for one in statement.names if one.name == transport), None)
        if known is not None:
            return known.asname or transport, []
    _raise_if_taken(module, client.call, transport)
    inner = [one for one in statements if module.parent(one) is not module.tree]
    if inner:
        return transport, [_extended(one, transport, site) for one in inner]
    need = NeedImport(path=module.path, module=_HTTPX, name=transport, site=site.id)
    return transport, [need]


def _imports(module: Module, name: ast.Name) -> list[ast.ImportFrom]:
    """Return the statements that import ``name`` from httpx itself."""
    above = (module.parent(one.node) for one in module.scopes.bindings_of(name))
    return [one for one in above if isinstance(one, ast.ImportFrom) and one.module == _HTTPX]


def _raise_if_taken(module: Module, node: ast.AST, transport: str) -> None:
    owner = module.scopes.owner(transport, module.scopes.scope_of(node))
    for binding in () if owner is None else owner.bindings[transport]:
        statement = module.parent(binding.node)
        if not isinstance(statement, ast.ImportFrom) or statement.module != _HTTPX:
            raise Refused(reasons.NAME_TAKEN, transport)


def _extended(statement: ast.ImportFrom, transport: str, site: Site) -> TextEdit:
    """Return the edit that imports the transport where the client is imported.

    An import at the top of the file may fail where that one is not even tried.
    """
    module, span = site.module, site.module.span(statement)
    text = module.source.text
    line = text[: span.start].rpartition(b"\n")[2]
    indent = line[: len(line) - len(line.lstrip(b" \t"))].decode()
    newline = "\r\n" if b"\r\n" in text else "\n"
    style = LineStyle(newline=newline, line_indent=indent)
    new = add_name(module.text_of(statement), transport, style)
    return TextEdit(path=module.path, anchor=span, text=new, site=site.id)
