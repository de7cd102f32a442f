"""Find connections that a FastAPI application opens at import time.

## Before

```python
from fastapi import FastAPI
from redis.asyncio import Redis

redis = Redis(host="localhost")
app = FastAPI()


@app.get("/visits")
async def count_visits():
    return await redis.incr("visits")
```

## After

```python
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from redis.asyncio import Redis


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with Redis(host="localhost") as redis:
        app.state.redis = redis
        yield  # requests are served here


app = FastAPI(lifespan=lifespan)


@app.get("/visits")
async def count_visits(request: Request):
    return await request.app.state.redis.incr("visits")
```

## What

The rule reports, at the top level of a module that the application imports:

* a database call, such as `Base.metadata.create_all(engine)` or `engine.connect()`;
* an HTTP client, a connection pool or a database client that nothing in the program closes.

## Why

An import should not need a network. If a module queries the database at import, so do tests,
builds of the documentation, and server workers. None of them starts without the database. A
client that is made at import belongs to no event loop, and is not closed when the application
stops. Its connections are dropped, and buffered data is lost.

## Safety

This is advice: nothing is rewritten. A test client that does not run the lifespan finds nothing on
`app.state`. The rule `lifespan-in-tests` finds such clients.

## What it does not report

* A SQLAlchemy engine that is only made at import: it connects on first use. `engine-dispose`
  closes its connections.
* A client for which the program has a `close()` or `aclose()` that may be its own.
* Modules that the application does not import, tests, scripts, examples and migrations.
* Code below `if __name__ == "__main__":`.

## On real programs

Up to 116 programs, of which 25 were fetched because they may open something at import. A reader who
had not seen the rule judged all findings:

| findings | judged | true and worth reading |
| --- | --- | --- |
| 13 | 13 | 13 |

Two of the 13 are one place of a program at two commits.

## Sources

* FastAPI, "Lifespan Events"; redis-py, "Asyncio Examples"; Motor, "Tutorial: Creating a Client"
* SQLAlchemy 2.0, "Engine Configuration": "the Engine is lazily initialized"
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.contract import Finding, Phase
from awaken.kit.rule import Advice
from awaken.kit.search import nodes_with, site_modules
from awaken.kit.sites import Site
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.resources import Opening, is_aside, openings, words
from awaken.project.frameworks.web.endpoints import FRAMEWORKS
from awaken.project.source.trees import last_name, variable_of

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_ASKING = (b"create_all", b"drop_all", b".connect(", b".begin(")
_CLOSES = {"aclose", "close", "disconnect", "terminate"}
_ENGINES = library_names().engine_makers
_ASK_CURE = "Do it in the lifespan, before the `yield`, or in a migration."
_OPEN_CURE = "Open it in the lifespan, keep it on `app.state`, and close it after the `yield`."


class ModuleLevelResource(Advice):
    """Advises against connections that are made when a module is imported."""

    name = "module-level-resource"
    family = "fastapi"
    phase = Phase.TIDY
    decides_by = "file"
    since = "0.1.0"
    triggers = (*words("client", "pool"), *_ASKING)
    # A program that serves nothing has no lifespan to advise.
    anchors = (FRAMEWORKS,)

    def findings(self, project: Project) -> Iterable[Finding]:
        """Return one finding per thing that importing the application opens, or asks."""
        result = [*self._asked_sites(project), *self._opened_sites(project)]
        imported = _imported_files(project) if result else set()
        findings = [finding for finding in result if finding.place.path in imported]
        return sorted(findings, key=lambda finding: finding.place)

    def _asked_sites(self, project: Project) -> Iterator[Finding]:
        for module in site_modules(project, _ASKING, unless=is_aside):
            for call in module.nodes(ast.Call):
                if not _is_at_import(module, call):
                    continue
                if _asks(project, module, call):
                    text = module.excerpt(call)
                    message = f"`{text}` queries the database when this module is imported"
                    yield Site(self.name, module, call).advice(message, _ASK_CURE)

    def _opened_sites(self, project: Project) -> Iterator[Finding]:
        for opening in openings(project, "client", "pool"):
            name = _name(opening)
            if not name or not _is_at_import(opening.module, opening.call):
                continue
            if not _may_be_closed(project, name):
                message = f"importing this module creates `{name}`, and nothing closes it"
                yield Site(self.name, opening.module, opening.call).advice(message, _OPEN_CURE)


def _is_at_import(module: Module, call: ast.Call) -> bool:
    """Whether importing the module makes the call, in any case."""
    if module.enclosing_function(call) is not None:
        return False
    for above in module.ancestors(call):
        # `if __name__ == "__main__":` is not run by an import.
        if isinstance(above, ast.If | ast.ClassDef | ast.comprehension):
            return False
    return True


def _asks(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether the call is ``metadata.create_all(engine)``, or connects an engine."""
    match call.func:
        case ast.Attribute(attr="create_all" | "drop_all"):
            # `create_all` takes the engine as `bind`.
            passed = [*call.args, *(node.value for node in call.keywords if node.arg == "bind")]
            return any(_is_engine(project, module, argument) for argument in passed)
        case ast.Attribute(value=engine, attr="connect" | "begin"):
            return _is_engine(project, module, engine)
    return False


def _is_engine(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is a name at the top of a module to which an engine is assigned."""
    # Rebound, the name may be something else by then.
    home, value = project.value_at(project.qualified_name(module, node)) or (module, None)
    return isinstance(value, ast.Call) and project.qualified_name(home, value.func) in _ENGINES


def _name(opening: Opening) -> str:
    """Return the name that is given what is opened, empty if it is not one."""
    above = opening.module.parent(opening.call)
    if isinstance(above, ast.Await):
        above = opening.module.parent(above)
    return last_name(variable_of(above))


def _may_be_closed(project: Project, name: str) -> bool:
    """Whether something in the program closes a thing of that name, or enters it."""
    for _, node in nodes_with(project, (name.encode(),), ast.AST, unless=is_aside):
        match node:
            case ast.Attribute(value=owner, attr=method) if method in _CLOSES:
                pass
            case ast.withitem(context_expr=owner):
                pass
            case _:
                continue
        if last_name(owner) == name:
            return True
    return False


def _imported_files(project: Project) -> set[str]:
    """Return the files that are imported with an application of the program, and those of it."""
    result: set[str] = set()
    for server in project.web.serving.all:
        result |= {server.module.path} | project.web.imports.files_imported_by(server.module)
    return result
