"""Close sessions with a `with` block.

## What

A session that a function makes and closes by hand is made by `with`, or `async with`:

* `session = Session()`, then `try:` with `finally: session.close()`: the block takes the place of
  `try`, or stands around what is left of it;
* `session = Session()`, then `session.close()` in the same block: what stands between becomes the
  block;
* a session that nothing closes, and that does not leave its function: the rest of the block it is
  made in becomes the block of `with`.

## Why

A session that is not closed keeps its connection until the garbage collector finds it: the pool
runs dry under load. A `close()` at the end is passed over by every `return` and every error. `with`
closes on every way out, and is how the documentation writes it.

## Before

```python
from sqlalchemy import text
from sqlalchemy.orm import Session


def count(engine):
    session = Session(engine)
    try:
        return session.scalar(text("select 1"))
    finally:
        session.close()
```

## After

```python
from sqlalchemy import text
from sqlalchemy.orm import Session


def count(engine):
    with Session(engine) as session:
        return session.scalar(text("select 1"))
```

## Before: not closed on every path (unsafe)

```python
from sqlalchemy import text
from sqlalchemy.orm import Session


def count(engine):
    session = Session(engine)
    number = session.scalar(text("select 1"))
    session.close()
    return number
```

## After: not closed on every path (unsafe)

```python
from sqlalchemy import text
from sqlalchemy.orm import Session


def count(engine):
    with Session(engine) as session:
        number = session.scalar(text("select 1"))
    return number
```

## Safety

*Safe* means: the session is closed on every path today, at the same moment. `with` calls `close()`
and does nothing else; that of an asynchronous session is also finished when the task is cancelled.

*Unsafe* is everything else. A session is closed where it was not before, so what it loaded is
detached then: reading an attribute that is not loaded fails, where it sent a statement before. And
a test, a caller, a subclass or an object may have a factory of its own: `with` cannot enter every
double, and of a mock it is another one.

## What it refuses

Sessions that are closed somewhere else, as in a branch or a handler, or only if there is one; that
get another value before they are closed; of a class of the program with a `close()`, an
`__enter__` or an `__exit__` of its own; several statements on one line, and blocks that begin with
`elif`, `else` or `except`; that nothing closes, and that may work on a connection whose transaction
others began. A session that is returned, kept or given to an object is no site, if
nothing closes it: somebody else may. Nor is one at the top of a file, or the thread's own one of a
`scoped_session`, if its function does not close it.

## On real programs

| programs | with places | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 16 | 19 | 124 | 102 |

## Sources

* SQLAlchemy 2.1, "Session Basics": "Opening and Closing a Session"; "Asynchronous I/O": "Synopsis"
* `sqlalchemy/orm/session.py` and `sqlalchemy/ext/asyncio/session.py` of 1.4.54, 2.0.57 and 2.1.9
"""

from awaken.codemods.sqlalchemy.session_context_manager.plan import SessionContextManager

__all__ = ["SessionContextManager"]
