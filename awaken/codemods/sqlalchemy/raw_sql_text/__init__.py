r"""Wrap raw SQL in `text()`.

## What

`session.execute("SELECT ...")` becomes `session.execute(text("SELECT ..."))`, for `execute`,
`scalar`, `scalars`, `stream` and `stream_scalars` of sessions and connections, asynchronous ones
included. What is executed is followed to the string that a variable holds.

## Why

SQLAlchemy 2.0 executes no plain strings: `ArgumentError: Textual SQL expression should be
explicitly declared as text(...)`, and `ObjectNotExecutableError` of connections.

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

## Before: SQL that is put together (unsafe)

```python
from sqlalchemy.orm import Session


def count(session: Session, table: str) -> int:
    return session.execute(f"SELECT count(*) FROM {table}").scalar_one()
```

## After: SQL that is put together (unsafe)

```python
from sqlalchemy import text
from sqlalchemy.orm import Session


def count(session: Session, table: str) -> int:
    return session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
```

## Safety

*Safe* means: sessions of SQLAlchemy 1.x do just that themselves. With SQLAlchemy 2.0 nothing can
rely on the call, for all it does is fail; and the text has no `:name` but those that are passed.

*Unsafe* is SQL that is not a constant: a `:name` in what is put into it becomes a parameter, and
values in it should be parameters. So is a call whose failure a `try` catches, here or in a function
that leads here, and one that a test reaches with a double in place of the session.

## What it refuses

What `text()` reads otherwise: a `:name` that nothing is passed for, `%s` and `?` in place of
parameters, a doubled `%`, and a backslash before a colon. Connections of SQLAlchemy 1.x hand such
SQL to the driver as it is. Parameters that are keyword arguments. Receivers that are not proved to
be sessions or connections are no sites, nor are engines, which have no `execute` any more.

## On real programs

On the 33 programs of `benchmarks/recipes/statuses.md`, with `--unsafe-fixes`. Each place was read,
and is right.

| program | safe | unsafe | manual |
| --- | --- | --- | --- |
| apache-superset 6.1.0 | 4 | 0 | 2 |
| ctfd | 6 | 1 | 0 |
| openoversight | 1 | 0 | 1 |
| 30 others | 0 | 0 | 0 |

## Sources

* SQLAlchemy 2.0, "Major Migration Guide": "execute() method more strict"
* `sqlalchemy/sql/elements.py`: `TextClause._bind_params_regex`; run with 2.1.9
"""

from awaken.codemods.sqlalchemy.raw_sql_text.plan import RawSqlText

__all__ = ["RawSqlText"]
