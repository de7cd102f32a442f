"""Rewrites `session.query(...)` to `select(...)`.

## What

A query that begins and ends in one expression becomes a `select()` that the session executes, or
that stands inside another statement. Builders keep their names where `Select` has them; `filter`
becomes `where`, and the few that differ are written in their 2.0 form. Bulk `update()` and
`delete()` become statements of that name, with `.rowcount` where their number is used.

A query that is kept in local variables, over branches and loops, is rewritten together with all
that is done with it, or not at all. So is one that functions return to their callers or pass on to
others, over all files, where every call is in sight and reaches one function: the session is
written by the name that it has where the query is executed. Where one variable holds a query for a
class on some ways, and one for columns on others, what the statement selects decides how it is
executed (`column_descriptions`). A query with which nothing is done but `delete()`, or `update()`,
is kept as such a statement.

Where a type checker is set up, or a function says what it returns, what the checker asks for is
written: `list(...)` where an annotation says list, `scalar_one()` for a count, and a `cast` where
the number of rows is read, which `Session.execute` no longer promises.

`Model.query` of Flask-SQLAlchemy, and of a registry's `query_property()`, is read as a query of
the session behind it; `get_or_404`, `first_or_404`, `one_or_404` and `paginate` become methods of
the extension's object.

## Why

`Query` is legacy since SQLAlchemy 2.0 and does not exist on `AsyncSession`. A `select()` is a
value: it needs no session to be built, passed on or tested.

## Before

```python
from sqlalchemy.orm import Session

from models import Post, User


def find(session: Session) -> User | None:
    return session.query(User).filter_by(name="ann").first()


def authors(session: Session) -> list[User]:
    return session.query(User).join(User.posts).filter(Post.score > 3).all()


def number(session: Session) -> int:
    return session.query(User).filter(User.age > 26).count()
```

## After

```python
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Post, User


def find(session: Session) -> User | None:
    return session.scalars(select(User).filter_by(name="ann").limit(1)).first()


def authors(session: Session) -> list[User]:
    return list(
        session.scalars(select(User).join(User.posts).where(Post.score > 3))
        .unique()
        .all()
    )


def number(session: Session) -> int:
    return session.execute(
        select(func.count()).select_from(User).where(User.age > 26)
    ).scalar_one()
```

## Before: writes in bulk

```python
from sqlalchemy.orm import Session

from models import User


def forget(session: Session):
    return session.query(User).filter(User.name == "bob").delete()
```

## After: writes in bulk

```python
from sqlalchemy import delete
from sqlalchemy.orm import Session

from models import User


def forget(session: Session):
    return session.execute(delete(User).where(User.name == "bob")).rowcount
```

## Before: queries over several statements

```python
from sqlalchemy.orm import Session

from models import User


def search(session: Session, name: str | None) -> tuple[int, list[User]]:
    query = session.query(User)
    if name is not None:
        query = query.filter(User.name == name)
    return query.count(), query.order_by(User.age).all()
```

## After: queries over several statements

```python
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import User


def search(session: Session, name: str | None) -> tuple[int, list[User]]:
    query = select(User)
    if name is not None:
        query = query.where(User.name == name)
    return session.execute(
        select(func.count()).select_from(query.subquery())
    ).scalar_one(), list(session.scalars(query.order_by(User.age)).all())
```

## Before: queries that functions return and take

```python
from sqlalchemy.orm import Session

from models import User


def _adults(session: Session):
    return session.query(User).filter(User.age >= 18)


def _page(query, number: int):
    return query.order_by(User.id).offset(20 * number).limit(20)


def adults(db: Session, page: int) -> list[User]:
    return _page(_adults(db), page).all()
```

## After: queries that functions return and take

```python
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import User


def _adults(session: Session):
    return select(User).where(User.age >= 18)


def _page(query, number: int):
    return query.order_by(User.id).offset(20 * number).limit(20)


def adults(db: Session, page: int) -> list[User]:
    return list(db.scalars(_page(_adults(db), page)).all())
```

## Before: rows with two keys of one name (unsafe)

```python
from sqlalchemy.orm import Session

from models import Post, User


def pairs(session: Session) -> list[tuple[int, int]]:
    return session.query(User.id, Post.id).join(Post).all()
```

## After: rows with two keys of one name (unsafe)

```python
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Post, User


def pairs(session: Session) -> list[tuple[int, int]]:
    return list(session.execute(select(User.id, Post.id).join(Post)).all())
```

## Before: queries that begin at a class

```python
from directory import Person


def called(name: str) -> Person | None:
    return Person.query.filter_by(name=name).first()
```

## After: queries that begin at a class

```python
from sqlalchemy import select

from directory import Person, registry


def called(name: str) -> Person | None:
    return registry.scalars(select(Person).filter_by(name=name).limit(1)).first()
```

## The models of the examples

```python directory.py
from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import declarative_base, scoped_session, sessionmaker

registry = scoped_session(sessionmaker())
Directory = declarative_base()
Directory.query = registry.query_property()


class Person(Directory):
    __tablename__ = "people"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))
```

```python models.py
from sqlalchemy import Column, ForeignKey, Integer, String
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))
    age = Column(Integer)
    posts = relationship("Post")


class Post(Base):
    __tablename__ = "posts"
    id = Column(Integer, primary_key=True)
    score = Column(Integer)
    user_id = Column(ForeignKey("users.id"))


def seed(session):
    ann = User(name="ann", age=30, posts=[Post(score=5), Post(score=9)])
    session.add_all([ann, User(name="bob", age=25)])
```

## Safety

*Safe* means: the same objects or rows in the same containers, the same exceptions, the same number
of statements with the same parameters. What is asked for decides how: one mapped class gives
objects (`scalars`), everything else rows (`execute`). `.unique()` is written wherever `Query` might
have removed a duplicate: behind a join that may give a row several partners, a second FROM object
or a joined collection, and where the model cannot be seen. That a join gives one partner at most is
read from the primary, unique and foreign keys in the models. `filter_by` is written as
`where(Target.key == value)` as soon as SQLAlchemy 2.1, which searches every FROM object, could
understand it otherwise. `.scalar()` becomes `session.scalar()` only where one row is certain, for
that hides what `Query` raises on two. `Query.update()` and `Query.delete()` give `session.execute`
the very statement that is written here, so autoflush, the default of `synchronize_session` and
loaded objects are as before. Of a query that is kept they are given its criteria,
`delete(User).where(query.whereclause)`, if each way adds some: without any this would be None,
which deletes nothing. A set operation becomes what Query makes of it, a select from an alias of its
subquery; where later builders name the class, the alias gets a name in place, by `:=`, and they use
that. A function that is passed a query and no session is given the session as a parameter, by all
of its callers. Rows of Core objects alone are read at once (`.all()`) where they are iterated, as
Query reads them.

*Unsafe* is what depends on something out of sight, and the message says what may change:

* keys of rows that go out of sight, or are asked whether they have an attribute: of two columns
  with one name `row.name` is the last for `Query`, the first for `select()`; expressions without a
  label get a key;
* a subclass of Session that overrides `execute`, `scalars`, `scalar`, `get` or `query`, or an
  assignment or patch that replaces one: `Query` calls `execute` alone, what is written here each by
  its name; of a patch that ends (a `with`, a decorated test), the queries that may run meanwhile;
* an attribute that only a `backref` makes, behind `query(...)`: Query configures mappers at once,
  `select()` when it is executed, so that the first statement of a process does not find it; a call
  of `configure_mappers()` anywhere makes it safe;
* execution options that are unpacked: `yield_per` may be among them, which Query refuses;
* before SQLAlchemy 2.1 a statement of Core objects alone (a Table, `text()`, `exists()`) does not
  flush pending changes first;
* functions that return or take a query and that code outside the project may call as well, or a
  base class out of sight;
* `session.execute(query)` of a kept query: SQLAlchemy 2.1 takes no Query there, before it rows that
  a joined collection repeats were left out, and keys were those of `Query`;
* the text of a kept query that a logger or `print()` shows: other names of columns, no database;
* a variable, or what a function returns, that holds a query or None: where nothing asks which, the
  exception is another;
* a generator, `map()`, `groupby()` and the like over a query that are not used up where they stand:
  a Query runs when the first row is asked for, a `select()` at once;
* rows that may repeat with a column of a type without a hash, such as JSON: `Query` leaves out
  equal rows in which it is None;
* slices by numbers that are computed: Query refuses negative ones, and asks nothing for none;
* a class that is an item of a dictionary at the top of a file, which other files may change;
* a library's class that is known by its spelling only; values that may have no hash in rows that
  must be unique; a call that made the session of a query which is only embedded.

All versions that the project admits count: with 1.4 in range `execute(...).scalars()` takes the
place of `scalars(...)` (new in 1.4.24), and some orders of DISTINCT are refused.

## What it refuses

A query that is stored in an attribute or a container (but a tuple that a function returns and its
callers unpack), read by a function inside, or given to a function that is not in sight (but one
that does the same with a `select()`: `paginate(db, query)` of fastapi-pagination, for a class); one
that a function returns, or takes, whose calls are not all in sight: passed as a value, decorated,
named in a string. One whose variable may hold something else, or a query of another kind that is
more than executed, or not to be told by what it selects; a session that may have been replaced
before the query is executed, or has no name there and cannot be given one. A receiver that nothing
proves to be a session; an entity of unknown kind; set operations behind which names cannot be
followed; slices by calls or negative numbers; `get()` and bulk writes with settings that they
ignore; what raises today and would not afterwards; what only `Query` has; what hooks of `Query`,
methods of it that are replaced (`Query.all = logged`), or `after_bulk_update` and
`after_bulk_delete` would see.

A query that an object with a `query` of its own may answer: a facade, a class in front of a
session, a double of a test that is not followed. It is looked for wherever a session is only
annotated: in calls, what they unpack, defaults, attributes, fields, what functions return, and
what is injected, `dependency_overrides` included. The message names the call.

Queries that a test answers by a double of Query: a mock that is told what `query` gives, or asked
what it was asked, a patched `query`, a class with a `query` of its own. They are held back in the
functions that the test gives the double, or whose names it patches, and the double is reported as
well. A mock that is told nothing answers `select()` as it answers a query, and holds nothing back.

Where the double only answers, it is rewritten with all queries that it answers, in one change that
is never safe: `db.query.return_value.filter.return_value.all.return_value = rows` becomes
`db.scalars.return_value.all.return_value = rows`, and the method `query` of a class that hands
itself on until `all()` becomes `scalars`. It stays if a query would be answered that was not told
before, if a test looks at what was asked, or if it tells the new methods something already.

The methods that a Query class of the program's own adds or replaces (`query_class`, `query_cls`),
and those of Query that call them; all of its queries if it has special or private methods, or may
change anything else.

Of queries that begin at a class, those whose session has no name where they stand, and could not
be imported from where the class comes from; what Flask-SQLAlchemy's object does otherwise than its
Query (`one_or_404()` of joined rows, `paginate()` of columns), and its methods before
Flask-SQLAlchemy 3.0.

## On real programs

Queries that begin and end in one expression, counted by hand without awaken, and what becomes of
them (`benchmarks/account.py`):

| program (SQLAlchemy) | queries | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| apache-superset 6.1.0 (1.4) | 395 | 377 | 16 | 2 |
| mlflow 3.18.0 (2.0) | 244 | 241 | 3 | 0 |
| ckan 2.12.0 (2.0) | 180 | 178 | 2 | 0 |
| flask-appbuilder 5.3.0 (2.0) | 37 | 36 | 1 | 0 |
| optuna 5.0.0 (2.0) | 40 | 40 | 0 | 0 |

Those over several statements; of the manual ones 21 go to filters of Flask-AppBuilder, which takes
a Query by contract, and 10 are united in a function of ckan, whose callers go on to filter them:

| program (SQLAlchemy) | queries | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| apache-superset 6.1.0 (1.4) | 95 | 52 | 25 | 18 |
| mlflow 3.18.0 (2.0) | 47 | 33 | 7 | 7 |
| ckan 2.12.0 (2.0) | 103 | 67 | 12 | 24 |
| flask-appbuilder 5.3.0 (2.0) | 5 | 0 | 0 | 5 |
| optuna 5.0.0 (2.0) | 6 | 6 | 0 | 0 |

## Sources

* SQLAlchemy 2.0, Major Migration Guide: "2.0 Migration - ORM Usage"
* SQLAlchemy 2.1, What's New: `filter_by` (8601)
* `orm/query.py` (`Query._iter`, `Query.count`, `Query.exists`, `Query.update`, `Query.delete`),
  `orm/loading.py` (`instances`), `orm/util.py` (`_getitem`)
* issue 9809: autoflush of Core statements
"""

from awaken.codemods.sqlalchemy.query_to_select.plan import QueryToSelect

__all__ = ["QueryToSelect"]
