"""Inject the session of an endpoint with `Depends()`.

## Before (unsafe)

```python
from fastapi import APIRouter, Depends
from sqlalchemy import text
from sqlalchemy.orm import Session

import database

router = APIRouter()


@router.get("/now")
def now(db: Session = Depends(database.get_db)):
    return db.scalar(text("select current_timestamp"))


@router.get("/today")
def today():
    with database.SessionLocal() as session:
        return session.scalar(text("select current_date"))
```

## After (unsafe)

```python
from fastapi import APIRouter, Depends
from sqlalchemy import text
from sqlalchemy.orm import Session

import database

router = APIRouter()


@router.get("/now")
def now(db: Session = Depends(database.get_db)):
    return db.scalar(text("select current_timestamp"))


@router.get("/today")
def today(session: Session = Depends(database.get_db)):
    return session.scalar(text("select current_date"))
```

## What

| you write | awaken writes |
| --- | --- |
| `with SessionLocal() as db:` in an endpoint, if a dependency yields sessions of `SessionLocal` | a parameter `db: Session = Depends(get_db)`; the block is dedented |
| `async with` for an asynchronous session | the same |
| an endpoint that makes an engine | no change, but a finding: an engine belongs to the application, not to one request |

## Why

A test replaces a dependency in one place, `app.dependency_overrides`. A session that an endpoint
makes still reaches the real database. An injected session is shared with the other dependencies of
the request, and so is its transaction.

## The dependency of the example

```python database.py
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker(create_engine("sqlite://"))


def get_db():
    with SessionLocal() as db:
        yield db
```

## Safety

Never safe:

| what may change | details |
| --- | --- |
| how long a connection is held | the session opens before the endpoint runs, and closes after it |
| the session | it is the same one as in other dependencies of the request |
| tests that replace the dependency | the endpoint gets the replacement |

Nothing else is committed: awaken does not use a dependency that commits.

## What it refuses

| left alone | why |
| --- | --- |
| an endpoint that opens several sessions | they may belong to different transactions |
| a `with` that enters other objects too, or is in a loop, a branch or a nested function | the block cannot be removed |
| a session without `with` | `session-context-manager` writes the `with` first |

The next table has a cure for each reason.

## On real programs

| programs | with places | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 1 | 0 | 0 | 1 |

## Sources

* FastAPI, "SQL (Relational) Databases": "Create a Session Dependency"; "Testing Dependencies with
  Overrides"; "Dependencies with yield"
* SQLAlchemy 2.1, "Session Basics": "When do I construct a Session"
"""  # noqa: E501  rows of tables

from awaken.codemods.sqlalchemy.session_in_route.plan import SessionInRoute

__all__ = ["SessionInRoute"]
