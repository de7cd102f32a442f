"""Inject the session of an endpoint with `Depends()`.

## What

An endpoint that opens a session, `with SessionLocal() as db:`, where the program has a dependency
that yields one of the same factory, gets it injected: `db: Session = Depends(get_db)`. The block
goes, and what stands in it moves out. Asynchronous sessions as well.

An endpoint that makes an engine is reported: an engine belongs to the application, and not to one
request.

## Why

Tests replace a dependency in one place, `app.dependency_overrides`; a session that an endpoint
makes reaches the real database instead. Endpoints that are given a session share it with the other
dependencies of a request, and so their transaction.

## Before (unsafe)

```python
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
SessionLocal = sessionmaker(create_engine("sqlite://"))


def get_db():
    with SessionLocal() as db:
        yield db


@app.get("/now")
def now(db: Session = Depends(get_db)):
    return db.scalar(text("select current_timestamp"))


@app.get("/sum")
def add(one: int, other: int):
    with SessionLocal() as session:
        statement = text("select :one + :other")
        return session.scalar(statement, {"one": one, "other": other})
```

## After (unsafe)

```python
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
SessionLocal = sessionmaker(create_engine("sqlite://"))


def get_db():
    with SessionLocal() as db:
        yield db


@app.get("/now")
def now(db: Session = Depends(get_db)):
    return db.scalar(text("select current_timestamp"))


@app.get("/sum")
def add(one: int, other: int, session: Session = Depends(get_db)):
    statement = text("select :one + :other")
    return session.scalar(statement, {"one": one, "other": other})
```

## Safety

Never safe. The session is opened before the endpoint runs and closed behind it, so a connection is
held longer; with another dependency of the request that uses it, it is the same one. What a test
puts in the place of the dependency is used. Nothing is committed that was not: a dependency that
commits by itself is not taken.

## What it refuses

Endpoints whose session has no dependency of the same factory, and those that open several; that
open it with more managers in one `with`, inside of a loop, a branch or a nested function, or by
hand without `with` (`session-context-manager` writes those); that the program calls itself; that
end a transaction which another dependency of the request shares, or use the session of that
dependency already; and whose name for the session means something else before.

## On real programs

| programs | with places | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 1 | 0 | 0 | 1 |

## Sources

* FastAPI, "SQL (Relational) Databases": "Create a Session Dependency"; "Testing Dependencies with
  Overrides"; "Dependencies with yield"
* SQLAlchemy 2.1, "Session Basics": "When do I construct a Session"
"""

from awaken.codemods.sqlalchemy.session_in_route.plan import SessionInRoute

__all__ = ["SessionInRoute"]
