"""Set `lazy="raise"` on relationships, and load them where they are read.

## What

Each side of a relationship that loads when it is read gets `lazy="raise"`, together with the loads
of all its reads: every statement that gives objects of which it is read loads it by an option. A
side declared by `backref="posts"` gets `backref=backref("posts", lazy="raise")`. Sides that one
statement loads are one change. What other rows of the mapping say (`lazy="joined"`, `"selectin"`,
`"dynamic"`, ...) stays.

A relationship with a read that only `lazy="raise_on_sql"` keeps working gets that, and the message
names the read: where the object may be loaded again after a commit, and where the way leads back to
an object that the session holds. The option `mode` takes `"raise"` or `"raise_on_sql"` for all.

## Why

A relationship that loads when it is read hides a statement in an attribute: in a loop, one for each
object. Under asyncio there is no place where that statement could be awaited, and reading it fails.

## Before (unsafe)

```python _models.py
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    posts: Mapped[list["Post"]] = relationship(back_populates="author")


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column()
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    author: Mapped["User"] = relationship(back_populates="posts")
```

```python _views.py
from sqlalchemy import select
from sqlalchemy.orm import Session

from _models import User


def titles(session: Session) -> list[str]:
    return [post.title for user in session.scalars(select(User)) for post in user.posts]
```

## After (unsafe)

```python _models.py
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    posts: Mapped[list["Post"]] = relationship(back_populates="author", lazy="raise")


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column()
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    author: Mapped["User"] = relationship(back_populates="posts", lazy="raise")
```

```python _views.py
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from _models import User


def titles(session: Session) -> list[str]:
    return [
        post.title
        for user in session.scalars(select(User).options(selectinload(User.posts)))
        for post in user.posts
    ]
```

## Safety

Never safe: a read that awaken has not seen raises `InvalidRequestError` from now on, also one by
`hasattr()`, for it is no `AttributeError`. Flushes, cascades and `merge()` load what they need as
before; `lazyload()` options still load when read.

What is given to a template or a serialiser that is not read keeps its own relationships as they
are; those of the objects that these lead to may be read there as well, and are not held back. An
object that is put into a loaded collection, and flushed, has not loaded its own relationships:
reading one of these raises, whatever the statement says.

## What it refuses

One read held back keeps a relationship as it is. Such reads are those of objects whose class, or
whose statement, cannot be told; those of statements that cannot load it, or that other callers get
objects of who do not read it; those behind a write that may change what is read, unless a commit
expires the object, for what was loaded before would be older; those of new objects behind a flush,
unless they are refreshed; those of objects that `session.get()` gives, for one that the session
already holds comes without the load; `awaitable_attrs` and `run_sync`; and those behind
`session.expire(user, ["posts"])`.

An object of unknown class is held by the name that is read: also by `attrgetter("posts")` that is
kept somewhere, a text for `format()`, or a schema that is handed to a decorator. Where neither the
class nor the name is known, as in `getattr(row, key)`, the names in sight count; if there are none,
and the object comes out of a query, any relationship may be meant.

A flush that deletes objects whose tables refer to each other in a circle, as those of a tree do,
reads what they refer to as any code would: these sides stay. So do sides with a delete cascade
where SQLAlchemy 1.4 may run, which loads them in the same way, or where no version is declared, and
all collections where 1.3 may run; sides of classes that are not proved
to be mapped, or whose class, name, target or `lazy` is not told by the declaration; those that the
generated methods of a dataclass mapping read; and public ones of a published project, for other
programs may read them. What revisions of Alembic declare are no sites.

## On real programs

Six programs, none of which is said to be published here:

| program | sides | raise | raise_on_sql | left |
| --- | --- | --- | --- | --- |
| timesketch | 124 | 16 | 0 | 108 |
| openoversight | 43 | 11 | 0 | 32 |
| quetz | 48 | 4 | 0 | 44 |
| ctfd | 43 | 3 | 0 | 40 |
| octavia | 35 | 0 | 0 | 35 |
| ihatemoney | 6 | 0 | 0 | 6 |

Most of those that are left are read from objects whose class is not known.

## Sources

* SQLAlchemy 2.1, "Relationship Loading Techniques": "Preventing unwanted lazy loads using
  raiseload", "What Kind of Loading to Use?"
* SQLAlchemy 2.1, "Asynchronous I/O (asyncio)": "Preventing Implicit IO when Using AsyncSession"
* `sqlalchemy/orm/strategies.py` of 2.1.9: `_LazyLoader`; `sqlalchemy/orm/dependency.py`:
  `per_state_flush_actions`
"""

from awaken.codemods.sqlalchemy.lazy_raise.plan import LazyRaise

__all__ = ["LazyRaise"]
