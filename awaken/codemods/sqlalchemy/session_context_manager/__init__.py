"""Close sessions with a `with` block.

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

## What

| you write | awaken writes |
| --- | --- |
| `session = Session()`, then `try:` with `finally: session.close()` | `with Session() as session:` instead of `try`, or around the rest of it |
| the same with more in front of `session.close()` in the `finally` | `with` around the `try`, whose `finally` keeps the rest |
| the same with several sessions, of which the last one is closed first | a `with` for each, one in the other |
| a `try` that begins with `session = Session()`, with `finally: session.close()` | `with Session() as session:` instead of `try`, or around the rest of it |
| `session = Session()`, then `session.close()` in the same block | a `with` around the statements between them |
| a session that nothing closes, and that does not leave its function | a `with` around the rest of its block |
| the same with an asynchronous session | `async with` |

## Why

A session that is not closed keeps its connection until the garbage collector finds it. Under load,
the pool has no connections left. A `return` or an exception skips a `close()` at the end. `with`
always closes the session, and the SQLAlchemy docs recommend it.

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

In a *safe* rewrite, the session is closed on every path today, at the same moment. `with` only
calls `close()`. For an asynchronous session, it also finishes `close()` if the task is cancelled.

Every other rewrite is *unsafe*:

| case | what may change |
| --- | --- |
| `Session()` in the `try` itself | its own error reaches no handler, and no `finally` raises `UnboundLocalError` |
| a session that was not closed on every path | it is closed there; its objects are detached, and reading an attribute that is not loaded raises |
| a test, a caller, a subclass or an object may have another factory | `with` cannot enter every fake; a mock returns another mock for `with` |

## What it refuses

| left alone | why |
| --- | --- |
| a session that is closed in a branch or a handler, or only if it exists | no single block closes it |
| several statements on one line, or a block that begins with `elif`, `else` or `except` | the code cannot be moved |
| a session whose factory a test replaces with a fake that has no `__enter__`, or with a mock | `with` cannot enter the fake, or gets another mock |
| a session that nothing closes, if it may use a connection whose transaction other code began | closing it may end the transaction |

These sessions are not reported:

* one that the next `finally` closes first, before it does more: no path leaves it open;
* one that nothing closes, and that is returned, kept or passed to an object: other code may close
  it;
* one at module level;
* the thread-local one of a `scoped_session`, if its function does not close it.

## On real programs

| programs | with places | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 16 | 19 | 124 | 102 |

## Sources

* SQLAlchemy 2.1, "Session Basics": "Opening and Closing a Session"; "Asynchronous I/O": "Synopsis"
* `sqlalchemy/orm/session.py` and `sqlalchemy/ext/asyncio/session.py` of 1.4.54, 2.0.57 and 2.1.9
"""  # noqa: E501  rows of tables

from awaken.codemods.sqlalchemy.session_context_manager.plan import SessionContextManager

__all__ = ["SessionContextManager"]
