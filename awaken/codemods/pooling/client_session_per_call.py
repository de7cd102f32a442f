"""Find HTTP clients that are created for every request.

## Before

```python
import httpx
from fastapi import FastAPI

app = FastAPI()


@app.get("/weather")
async def weather(city: str):
    async with httpx.AsyncClient() as client:
        answer = await client.get("https://weather.example", params={"city": city})
    return answer.json()
```

## After

```python
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request


@asynccontextmanager
async def lifespan(app):
    async with httpx.AsyncClient() as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/weather")
async def weather(city: str, request: Request):
    client = request.app.state.client
    answer = await client.get("https://weather.example", params={"city": city})
    return answer.json()
```

## What

The rule reports calls of `httpx.AsyncClient`, `httpx.Client` and `aiohttp.ClientSession` that run
for each request. They are in a route, a dependency or a middleware, or in any function that one of
them calls. All files count. The finding shows the calls from the route to the client.

## Why

A client is a pool of connections. A client of one request cannot reuse any: each call resolves the
name, connects, and performs a TLS handshake. httpx also loads the certificates of the system each
time. That takes longer than many requests, and blocks the event loop.

## Safety

This is advice: nothing is rewritten. A client keeps cookies, so do not share one if cookies must
not pass from one request to the next.

## What it does not report

* A client that is kept in a global name, an attribute or an item, or by `lru_cache`.
* A client after `or`, or below a check whether a client exists.
* A client with its own cookies, proxy, certificates or transport: its connections cannot be shared.
* A client that only requests URLs from parameters of the function: each may have another host.
* Tests, scripts and examples.
* Code that no visible route calls.

## On real programs

Up to 116 programs, of which 25 were fetched because they may make such clients. A reader who had
not seen the rule judged 30 findings, drawn evenly over the programs:

| findings | judged | true | worth reading |
| --- | --- | --- | --- |
| 67 | 30 | 30 | 28 |

The two that were not worth reading concern rare actions: settings of a robot, and extensions that
an administrator removes.

## Sources

* httpx, "Clients": "Why use a Client?"; "Async Support": "Opening and closing clients"
* aiohttp, "Client Quickstart": "Don't create a session per request"
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.contract import Finding, Phase
from awaken.kit.rule import Advice
from awaken.kit.sites import Site
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.resources import Opening, openings, words
from awaken.project.frameworks.web.endpoints import FRAMEWORKS
from awaken.project.source.modules import Module
from awaken.project.source.trees import root_of

if TYPE_CHECKING:
    from awaken.project import Project

_OWN = name_list("own_settings")
_REQUESTS = {"delete", "get", "head", "options", "patch", "post", "put", "request", "stream"}
_CURE = "Open one client in the lifespan, keep it on `app.state`, and use it from there."


class ClientSessionPerCall(Advice):
    """Advises against HTTP clients that are made for every request."""

    name = "client-session-per-call"
    family = "pooling"
    phase = Phase.SESSIONS
    decides_by = "file"
    since = "0.1.0"
    triggers = words("client")
    anchors = (FRAMEWORKS,)

    def findings(self, project: Project) -> Iterable[Finding]:
        """Return one finding per client that requests lead to."""
        return (
            Site(self.name, opening.module, opening.call).advice(
                f"`{opening.called_name}` and its connections are created for every request",
                _CURE,
                way,
            )
            for opening in openings(project, "client")
            if not _has_its_own(opening) and not _goes_anywhere(opening)
            if (way := project.web.endpoints.leading_to(opening.module, opening.call))
        )


def _has_its_own(opening: Opening) -> bool:
    """Whether the client has settings that others must not share, or unknown ones."""
    return any(keyword.arg is None or keyword.arg in _OWN for keyword in opening.call.keywords)


def _goes_anywhere(opening: Opening) -> bool:
    """Whether the client only asks for URLs that the function is given as they are."""
    urls = list(_urls(opening))
    return bool(urls) and all(_is_given(opening.module, url) for url in urls)


def _urls(opening: Opening) -> Iterator[ast.expr]:
    """Yield the URLs that the client requests, if the function shows them."""
    module, call = opening.module, opening.call
    function = module.enclosing_function(call)
    above = module.parent(call)
    names = [getattr(above, "optional_vars", None), *getattr(above, "targets", ())]
    known = {candidate.id for candidate in names if isinstance(candidate, ast.Name)}
    for node in module.walk(function) if function is not None else ():
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if (
                name in known and method in _REQUESTS
            ):
                given = node.args[1:2] if method in {"request", "stream"} else node.args[:1]
                yield from given or [part.value for part in node.keywords if part.arg == "url"]


def _is_given(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is a parameter, or an attribute of one that is not ``self``."""
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        node = node.args[0]  # ``str(url)``
    root = root_of(node)
    is_self = isinstance(root, ast.Name) and root.id in {"cls", "self"}
    return not is_self and module.scopes.parameter_of(root) is not None
