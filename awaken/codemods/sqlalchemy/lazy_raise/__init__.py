"""Set `lazy="raise"` on relationships, and load them where they are read.

## Before (unsafe)

```python _users.py
from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from _models import Base, Post


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    posts: Mapped[list[Post]] = relationship()


def post_ids(session: Session) -> list[int]:
    return [post.id for user in session.scalars(select(User)) for post in user.posts]
```

## After (unsafe)

```python _users.py
from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship, selectinload

from _models import Base, Post


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    posts: Mapped[list[Post]] = relationship(lazy="raise")


def post_ids(session: Session) -> list[int]:
    return [
        post.id
        for user in session.scalars(select(User).options(selectinload(User.posts)))
        for post in user.posts
    ]
```

## What

| you write | awaken writes |
| --- | --- |
| a relationship that loads when it is read | `lazy="raise"`, and loader options on every statement whose objects it is read from |
| `backref="posts"` | `backref=backref("posts", lazy="raise")` |
| a relationship with a read that `lazy="raise"` would break | `lazy="raise_on_sql"`; the message names the read |
| `lazy="joined"`, `"selectin"`, `"dynamic"` and other values | no change |

Two kinds of reads need `raise_on_sql`. The object is expired by a commit, and no variable holds it.
Or the relationship leads back to an object in the session. Relationships that one statement loads
are one change.

A statement that gives the object gets a loader option. `session.get(User, key)` becomes a
`select()`, because `get()` loads nothing for objects in the session.

A commit expires the object, so the variable that holds it is loaded again after the commit. So is
an object that the function makes. `refresh(user, attribute_names=[...])` does that, after the
function's own refresh if it has one. A `select()` does it for relationships of relationships. It
also does it where SQLAlchemy before 2.0.4 may run, because that `refresh()` loads columns alone.

## Why

A relationship that loads when it is read hides a statement in an attribute. In a loop, it sends one
statement for each object. With an `AsyncSession`, such a read raises `MissingGreenlet`.

## The models of the example

```python _models.py
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
```

## Safety

Never safe: a read that awaken has not seen raises `InvalidRequestError`.

| what | after the rewrite |
| --- | --- |
| a read by `hasattr()` | it raises too, because the error is not an `AttributeError` |
| a flush, a cascade, `merge()` | it loads what it needs, as before |
| a `lazyload()` option | its relationship still loads when it is read |
| an object that is passed to a template or serializer that awaken cannot read | its own relationships stay as they are; relationships of the objects below may raise |
| other code that gets objects of the same statement | it pays for the load too |
| a mock of `session.get()` | it no longer answers where `select()` takes its place |
| a read after a commit, by `raise_on_sql` | it raises if another statement reloads the object first, or if the session had it before its statement |
| an object that is put into a loaded collection and flushed | its own relationships are not loaded, so reading one raises, whatever the statement loads |

## What it refuses

One read that nothing can load keeps its relationship as it is.

| such a read | why |
| --- | --- |
| of an object whose class or statement is unknown | no statement can get the option |
| of a statement that cannot load it | the option has no place |
| after a write that may change the value, unless a commit expires the object | a value that is loaded earlier would be old |
| of a new object that nothing commits or refreshes before the read | no statement loads it |
| of an object from `Query.get()`, or from a `get()` by several columns | neither loads for objects in the session |
| by `awaitable_attrs` or `run_sync` | `raise` and `raise_on_sql` forbid it |
| after `session.expire(user, ["posts"])` | the read reloads it |

If the class of an object is unknown, the name of the attribute counts. That includes a kept
`attrgetter("posts")`, a text for `format()`, or a schema that a decorator gets. If the name is
unknown too, as in `getattr(row, key)`, the visible names count. If no name is visible, and the
object comes from a query, the read may be of any relationship.

A delete may read a relationship too, so the declared versions of SQLAlchemy count:

| relationship that stays | why |
| --- | --- |
| between tables that refer to each other in a cycle, if a flush deletes their objects | the flush reads it like any other code |
| with a delete cascade, if the project allows SQLAlchemy 1.4 | the delete reads it in the same way |
| any collection, if the project allows SQLAlchemy 1.3 | the delete reads it in the same way |

Revisions of Alembic are not reported. The next table has a cure for each reason.

## On real programs

FastAPI applications that awaken had never met, the largest first:

| program | sides | raise | raise_on_sql | left |
| --- | --- | --- | --- | --- |
| schooladmin | 196 | 186 | 0 | 10 |
| enterprisehms | 90 | 88 | 0 | 2 |
| quizsystem | 37 | 36 | 0 | 1 |
| myerp | 34 | 33 | 0 | 1 |
| ridestartup | 28 | 27 | 0 | 1 |
| grcplatform | 24 | 24 | 0 | 0 |
| staffing | 21 | 19 | 0 | 2 |
| sendlog | 20 | 20 | 0 | 0 |
| 16 others | 167 | 139 | 6 | 22 |

For most of those that are left, the class of an object or its statement is unknown.

## Sources

* SQLAlchemy 2.1, "Relationship Loading Techniques": "Preventing unwanted lazy loads using
  raiseload", "What Kind of Loading to Use?"
* SQLAlchemy 2.1, "Asynchronous I/O (asyncio)": "Preventing Implicit IO when Using AsyncSession"
* `sqlalchemy/orm/strategies.py` of 2.1.9: `_LazyLoader`; `sqlalchemy/orm/dependency.py`:
  `per_state_flush_actions`
"""  # noqa: E501  rows of tables

from awaken.codemods.sqlalchemy.lazy_raise.plan import LazyRaise

__all__ = ["LazyRaise"]
