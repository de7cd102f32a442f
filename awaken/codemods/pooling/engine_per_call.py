"""Find engines and connection pools that are created for every request.

## Before

```python
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

app = FastAPI()


def get_db():
    engine = create_engine("postgresql+psycopg://localhost/shop")
    with Session(engine) as session:
        yield session


@app.get("/orders")
def list_orders(db: Session = Depends(get_db)):
    return []
```

## After

```python
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

app = FastAPI()
engine = create_engine("postgresql+psycopg://localhost/shop")


def get_db():
    with Session(engine) as session:
        yield session


@app.get("/orders")
def list_orders(db: Session = Depends(get_db)):
    return []
```

## What

The rule reports calls of `create_engine`, `create_async_engine`, `asyncpg.create_pool`,
`AsyncIOMotorClient` and similar functions that run for each request. They are in a route, a
dependency or a middleware, or in any function that one of them calls. All files count. The finding
shows the calls from the route to the engine.

## Why

An engine *is* the pool of connections. An engine of one request opens new connections each time,
and keeps none for the next request. The garbage collector closes them at some time. Under load, the
database has no connections left. The SQLAlchemy docs recommend one engine per database and process.

## Safety

This is advice: nothing is rewritten. Create the engine at the top of a module, or in the lifespan
of the application.

## What it does not report

* An engine that is kept in a global name, an attribute or an item, or by `lru_cache`.
* An engine after `or`, or below a check whether an engine exists.
* An engine with `NullPool` or `StaticPool`, which keeps no connections.
* An engine for a database that the caller names, such as one per tenant. A form that tests a
  connection is another example.
* Tests, migrations, scripts and examples.
* Code that no visible route calls.

## Sources

* SQLAlchemy 2.0, "Engine Configuration" and "Connection Pooling"; FAQ, "Connections / Engines"
* asyncpg, "Connection Pools"; PyMongo, "Frequently Encountered Issues"
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from awaken.contract import Finding, Phase, Status
from awaken.kit.rule import Advice
from awaken.kit.sites import Site
from awaken.knowledge.libraries import Resource
from awaken.project.frameworks.resources import Opening, openings, words
from awaken.project.frameworks.web.endpoints import FRAMEWORKS
from awaken.project.source.worklist import Worklist

if TYPE_CHECKING:
    from awaken.project import Project

_RESOURCES: tuple[Resource, ...] = ("engine", "async-engine", "pool")
_CURE = "Create it once, at module level or in the lifespan, and share it between requests."


class EnginePerCall(Advice):
    """Advises against engines and pools that are made for every request."""

    name = "engine-per-call"
    family = "pooling"
    phase = Phase.SESSIONS
    decides_by = "file"
    since = "0.1.0"
    triggers = words(*_RESOURCES)
    anchors = (FRAMEWORKS,)
    status = Status.PREVIEW

    def findings(self, project: Project) -> Iterable[Finding]:
        """Return one finding per engine or pool that requests lead to."""
        return (
            Site(self.name, opening.module, opening.call).advice(
                f"`{opening.called_name}` opens a new connection pool for every request", _CURE, way
            )
            for opening in openings(project, *_RESOURCES)
            if not _is_named_by_caller(opening)
            and not any(keyword.arg == "connection_pool" for keyword in opening.call.keywords)
            if (way := project.web.endpoints.leading_to(opening.module, opening.call))
        )


def _is_named_by_caller(opening: Opening) -> bool:
    """Whether a parameter of the function around says which database it is."""
    module, call = opening.module, opening.call
    waiting = Worklist[ast.AST](call.args[:1])
    for part in waiting:
        for node in module.walk(part):
            if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
                continue
            for binding in module.scopes.bindings_of(node):
                if binding.kind == "parameter" and not _is_settings(module.parent(node), node.id):
                    return True
                statement = module.statement_of(binding.node)
                is_local = binding.scope.kind == "function" and isinstance(statement, ast.Assign)
                waiting += [statement] if is_local and statement is not None else []
    return False


def _is_settings(above: ast.AST | None, name: str) -> bool:
    """Whether the attribute of a parameter is read that has the program's settings."""
    return isinstance(above, ast.Attribute) and any(
        part in name.lower() for part in ("conf", "setting", "self", "request")
    )
