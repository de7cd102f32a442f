"""The rule: each client that is given an application."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from awaken.codemods.testing.httpx_asgi_transport import reasons
from awaken.codemods.testing.httpx_asgi_transport.absent_applications import may_be_none
from awaken.codemods.testing.httpx_asgi_transport.httpx_clients import TRANSPORTS, Client, clients
from awaken.codemods.testing.httpx_asgi_transport.payload import Transport
from awaken.contract import Phase, Rewriter
from awaken.kit.changes import Decided, decide
from awaken.kit.imports import name_from_same_module
from awaken.kit.rule import SiteRule
from awaken.kit.search import site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import library_names

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module


_CATCHING = library_names().catching_all | {None, "builtins.TypeError"}


class HttpxAsgiTransport(SiteRule):
    """Rewrites ``AsyncClient(app=app)`` to ``AsyncClient(transport=ASGITransport(app=app))``."""

    name = "httpx-asgi-transport"
    family = "testing"
    phase = Phase.REPAIR
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"app=", b"app =", b'"app"', b"'app'")
    anchors = ((b"httpx",),)
    needs: ClassVar[Mapping[str, str]] = {"httpx": ">=0.14"}
    reasons = reasons.ALL

    def decisions(self, project: Project) -> Iterable[Decided]:
        """Return one finding per client that is given an application, and its change."""
        return (
            decide(Site(self.name, module, client.call), _rewrite, project, client)
            for module in site_modules(project, self.triggers)
            for client in clients(project, module)
        )

    def rewriters(self) -> Mapping[str, Rewriter]:
        """Return the function that writes the transport."""
        from awaken.codemods.testing.httpx_asgi_transport import rewrite  # noqa: PLC0415

        return {"client": rewrite.rewrite_client}


def _rewrite(site: Site[ast.Call], project: Project, client: Client) -> Rewrite:
    """Return how the client is given a transport. Raises Refused."""
    caveats = [*_caveats(project, site.module, client), *_hidden_caveats(project, site)]
    transport = TRANSPORTS[client.kind]
    name = transport.rpartition(".")[2]
    written, imports = name_from_same_module(
        project, site, client.named, transport, reasons.NAME_TAKEN
    )
    shown = site.module.excerpt(site.node.func)
    return Rewrite(
        f"`{shown}(app=...)` becomes `{shown}(transport={name}(app=...))`",
        [site.rewrite(site.node, "client", Transport(written)), *imports],
        caveats,
    )


def _hidden_caveats(project: Project, site: Site[ast.Call]) -> list[str]:
    """Return the caveat that a handler hides how the client fails today."""
    handlers = (guard for guard in project.effects.guards(site.module, site.node))
    hides = any(one.kind == "handler" and not _CATCHING.isdisjoint(one.catches) for one in handlers)
    return ["it fails since httpx 0.28, and a surrounding `except` hides that"] if hides else []


def _caveats(project: Project, module: Module, client: Client) -> list[str]:
    """Return what may change if the client is rewritten. Raises Refused."""
    if client.refused is not None:
        raise client.refused
    given = {node.arg: node.value for node in client.call.keywords if node.arg is not None}
    unpacked = [keyword.value for keyword in client.call.keywords if keyword.arg is None]
    if "app" not in given:
        raise Refused(reasons.IN_MAPPING, f"**{ast.unparse(unpacked[0])}")
    # httpx uses the transport and ignores `app`.
    if "transport" in given:
        raise Refused(reasons.TWO_TRANSPORTS)
    # `app=None` uses the network, `ASGITransport(app=None)` fails.
    # A check before the call proves that it is there.
    app = given["app"]
    if may_be_none(module, app) and project.values.of(module, app).may_be_none:
        raise Refused(reasons.NO_APPLICATION, f"`{module.excerpt(given['app'])}`")
    if module.in_fstring(client.call):
        raise Refused(reasons.INSIDE_FSTRING)
    return [
        f"`**{module.excerpt(node)}` may contain a `transport`, which would then be passed twice"
        for node in unpacked
        if not _is_plain(node)
    ]


def _is_plain(node: ast.expr) -> bool:
    """Whether all keys of an unpacked mapping are known, and none is `transport`."""
    if not isinstance(node, ast.Dict):
        return False
    keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
    return None not in keys and "transport" not in keys
