r"""Wrap raw SQL in `text()`.

## Before

```python
from sqlalchemy.orm import Session


def active(session: Session, city: str):
    statement = "SELECT id FROM users WHERE active AND city = :city"
    return session.execute(statement, {"city": city}).scalars().all()
```

## After

```python
from sqlalchemy import text
from sqlalchemy.orm import Session


def active(session: Session, city: str):
    statement = "SELECT id FROM users WHERE active AND city = :city"
    return session.execute(text(statement), {"city": city}).scalars().all()
```

## What

`session.execute("SELECT ...")` becomes `session.execute(text("SELECT ..."))`. The rule covers
`execute`, `scalar`, `scalars`, `stream` and `stream_scalars` of sessions and connections, also
asynchronous ones, and `exec` of SQLModel. awaken follows a variable to the string that it holds.

## Why

SQLAlchemy 2.0 does not execute plain strings. A session raises `ArgumentError: Textual SQL
expression should be explicitly declared as text(...)`, and a connection `ObjectNotExecutableError`.

## Before: SQL that is not a constant (unsafe)

```python
from sqlalchemy.orm import Session


def count(session: Session, table: str) -> int:
    return session.execute(f"SELECT count(*) FROM {table}").scalar_one()
```

## After: SQL that is not a constant (unsafe)

```python
from sqlalchemy import text
from sqlalchemy.orm import Session


def count(session: Session, table: str) -> int:
    return session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
```

## Safety

A *safe* rewrite does what a session of SQLAlchemy 1.x does itself. With SQLAlchemy 2.0, the call
can only fail today. Every `:name` in the text is a parameter that the call passes.

| an *unsafe* rewrite | what may change |
| --- | --- |
| SQL that is not a constant | a `:name` in an inserted value becomes a parameter; the value itself should be one |
| a call in a `try` that catches the failure, here or in a caller | the call no longer fails |
| a call that a thread or a task runs | they no longer keep the failure |
| a script with its own `sys.excepthook` | that function no longer gets the failure |
| a call that a test reaches with a mock as session | the mock gets a `text()` |
| a session that may be of a subclass with its own `execute` | the method gets a `text()` |

## What it refuses

The table has a cure for each reason. These calls are not reported:

* on a receiver that is not proved to be a session or connection;
* on an engine, which has no `execute` since SQLAlchemy 2.0.

## On real programs

The rule ran on the 33 programs of `benchmarks/recipes/statuses.md`, with `--unsafe-fixes`. Each
place was read, and is right.

| program | safe | unsafe | manual |
| --- | --- | --- | --- |
| apache-superset 6.1.0 | 4 | 0 | 2 |
| ctfd | 6 | 1 | 0 |
| openoversight | 1 | 0 | 1 |
| 30 others | 0 | 0 | 0 |

## Sources

* SQLAlchemy 2.0, "Major Migration Guide": "execute() method more strict"
* `sqlalchemy/sql/elements.py`: `TextClause._bind_params_regex`; run with 2.1.9
"""  # noqa: E501  rows of tables

from awaken.codemods.sqlalchemy.raw_sql_text.plan import RawSqlText

__all__ = ["RawSqlText"]
