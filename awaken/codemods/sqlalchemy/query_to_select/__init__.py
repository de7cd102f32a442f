"""Replace `session.query(...)` with `select(...)`.

## What

| you write | awaken writes |
| --- | --- |
| a query in one expression | a `select()` that the session executes |
| a query in another statement | an embedded `select()` |
| `.filter()` | `.where()`; other builders keep their names if `Select` has them |
| a bulk `update()` or `delete()` | a statement of that name, with `.rowcount` if the number is used |
| a query in a variable, over branches and loops | all statements of the query together, or none |
| a query that functions return or pass on | all functions together, if every call is known |
| one that a function returns, and whose rows each caller reads once, as a response does | the function executes it |
| `Model.query` of Flask-SQLAlchemy or `query_property()` | a `select()` that its session executes |
| `get_or_404`, `first_or_404`, `one_or_404`, `paginate` | methods of the extension's object |

If the project has a type checker or annotations, the new code satisfies them. An annotated list
gets `list(...)`, and a count gets `scalar_one()`. A row count gets a `cast` for a type checker.

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

## Before: rows with two columns of one name (unsafe)

```python
from sqlalchemy.orm import Session

from models import Post, User


def pairs(session: Session) -> list[tuple[int, int]]:
    return session.query(User.id, Post.id).join(Post).all()
```

## After: rows with two columns of one name (unsafe)

```python
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Post, User


def pairs(session: Session) -> list[tuple[int, int]]:
    return list(session.execute(select(User.id, Post.id).join(Post)).all())
```

## Before: queries that start from a class

```python
from directory import Person


def called(name: str) -> Person | None:
    return Person.query.filter_by(name=name).first()
```

## After: queries that start from a class

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

A *safe* rewrite returns the same objects or rows in the same containers. It raises the same
exceptions, and executes the same number of statements with the same parameters.

| what stays the same | how |
| --- | --- |
| objects or rows | one mapped class returns objects (`scalars`); everything else returns rows (`execute`) |
| removed duplicates | `.unique()` after a join that may match several rows, a second FROM object or a joined collection. The keys in the models show which joins match one row |
| the target of `filter_by()` | if SQLAlchemy 2.1 could choose another target, `where(Target.key == value)` |
| errors of `.scalar()` | `session.scalar()` only if one row is certain, because it hides a second row |
| bulk writes | the same statement that `Query` executes, so autoflush and `synchronize_session` stay |
| a bulk write of a query in a variable | `delete(User).where(query.whereclause)`, if every branch adds criteria |
| set operations | a select from an alias of the subquery, as in `Query` |
| the session | a function that takes a query without a session gets the session as a parameter |
| rows of Core objects | `.all()` before the iteration, as in `Query` |

An *unsafe* rewrite depends on something that awaken cannot prove. Its message says what may change:

| case | what may change |
| --- | --- |
| the program reads or inspects the keys of rows | of two columns with one name, `row.name` is the first, no longer the last; unlabelled expressions get a key |
| a Session subclass or a patch replaces `execute`, `scalars`, `scalar`, `get` or `query` | `Query` calls only `execute` |
| an attribute comes from a `backref`, and nothing calls `configure_mappers()` | the first statement of a process does not find the attribute |
| execution options are unpacked | they may include `yield_per`, which `Query` rejects |
| a statement has only Core objects, before SQLAlchemy 2.1 | it does not flush pending changes first |
| code outside the project may call the function, or its base class is unknown | that code gets a `select()` |
| `session.execute(query)` of a query in a variable | duplicates and keys of the rows |
| a logger or `print()` shows the query | the column names and the dialect of the text |
| a variable or a result is a query or None | the exception when the program uses None |
| a generator, `map()` or `groupby()` over the query is not used up immediately | the statement runs immediately, not when the first row is read |
| rows may repeat, and a column type is not hashable, such as JSON | `Query` removes equal rows in which the column is None |
| a slice has computed numbers | `Query` rejects negative numbers, and runs no statement for an empty range |
| a class comes from a module-level dictionary | other files may change the dictionary |
| a class of a library is known only by its spelling | it may not be a mapped class |
| values of unique rows may not be hashable | `unique()` raises |
| a call creates the session of an embedded query | the call no longer runs |

awaken considers all versions that the project allows. With SQLAlchemy 1.4, it writes
`execute(...).scalars()`, because 1.4.24 added `scalars(...)`. It also rejects some orders of
DISTINCT.

## What it refuses

| left alone | why |
| --- | --- |
| a query in an attribute or a container | awaken does not follow it; a tuple that callers unpack is an exception |
| a query that a nested function reads | the function may run at another time |
| a query that is passed to an unknown function | the function may rely on `Query`; `paginate(db, query)` of fastapi-pagination is an exception |
| a function with a query whose calls are not all known | it is passed as a value, decorated or named in a string |
| a variable with a query or another value, or with different kinds of queries | no single statement replaces it |
| a session that may be replaced before the query is executed, or has no name there | the statement could run in another session |
| a receiver that may not be a session, or an unknown entity | the result could differ |
| set operations whose names awaken cannot follow, slices by calls or negative numbers | `select()` behaves differently |
| `get()` and bulk writes with settings that they ignore | the settings look like a mistake |
| code that raises today, and methods that only `Query` has | the rewrite would not raise, or has no counterpart |
| hooks of `Query`, replaced methods, `after_bulk_update` and `after_bulk_delete` | a `select()` does not call them |
| an object with its own `query` method: a facade, a wrapper or an unknown mock | it may not execute statements; the message names the call that passes it |
| queries of a custom Query class that adds or replaces methods (`query_class`, `query_cls`) | a `select()` does not have these methods |
| a query that starts from a class, if its session has no name in the file | the session cannot be imported |
| methods of Flask-SQLAlchemy before 3.0, `one_or_404()` of joined rows, `paginate()` of columns | the extension's object behaves differently |

**Mocks of Query.** A test may mock the answers of a query, or assert its calls. Then awaken leaves
the queries of that test alone, and reports the mock as well. A mock without configured answers
also answers `select()`, so it blocks nothing.

If the mock only returns values, awaken rewrites it together with all its queries. That change is
always unsafe. `db.query.return_value.filter.return_value.all.return_value = rows` becomes
`db.scalars.return_value.all.return_value = rows`. In a class that returns itself until `all()`, the
method `query` becomes `scalars`. The mock stays if a test asserts its calls, or if it already
configures the new methods. It also stays if the rewrite would give it a new answer.

A variable may link mocks: `db.query.return_value = query` and `query.filter.return_value = query`
become `db.scalars.return_value = query`. With `mocks_by_hand = true` awaken rewrites the queries of
all other mocks, too. Their tests fail until you rewrite them, and the output lists their lines.

## On real programs

Queries in one expression, counted by hand without awaken, and the level of each
(`benchmarks/account.py`):

| program (SQLAlchemy) | queries | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| apache-superset 6.1.0 (1.4) | 395 | 377 | 16 | 2 |
| mlflow 3.18.0 (2.0) | 244 | 241 | 3 | 0 |
| ckan 2.12.0 (2.0) | 180 | 178 | 2 | 0 |
| flask-appbuilder 5.3.0 (2.0) | 37 | 36 | 1 | 0 |
| optuna 5.0.0 (2.0) | 40 | 40 | 0 | 0 |

Queries over several statements. Of the manual ones, 21 go to filters of Flask-AppBuilder, which
require a Query. A function of ckan unites 10 others, and its callers filter the result:

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
"""  # noqa: E501  rows of tables

from awaken.codemods.sqlalchemy.query_to_select.plan import QueryToSelect

__all__ = ["QueryToSelect"]
