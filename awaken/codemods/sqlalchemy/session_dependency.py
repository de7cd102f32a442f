"""Close the session of a dependency after the request.

## Before: a session that nothing closes (unsafe)

```python
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
SessionLocal = sessionmaker(create_engine("sqlite://"))


def get_db() -> Session:
    return SessionLocal()


@app.get("/")
def index(db: Session = Depends(get_db)):
    return db.scalar(text("select 1"))
```

## After: a session that nothing closes (unsafe)

```python
from collections.abc import Iterator

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
SessionLocal = sessionmaker(create_engine("sqlite://"))


def get_db() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


@app.get("/")
def index(db: Session = Depends(get_db)):
    return db.scalar(text("select 1"))
```

## What

| you write | awaken writes |
| --- | --- |
| a FastAPI dependency that returns a session | a generator that yields it inside `with` or `async with`; its annotation becomes an iterator |
| one that yields a session and leaves it open | the same `with` |
| `dependency_overrides[get_db] = lambda: Session()` | a function that yields it inside `with`, in place of the lambda |
| one that closes the session only if nothing raises | the same `with`, without `close()` |

## Why

Nothing closes a session that a dependency returns. Each request keeps a connection until the
garbage collector finds the session, and under load the pool has none left. Code after a bare
`yield` does not run when the request fails.

## Before: closed only if nothing raises (unsafe)

```python
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
SessionLocal = sessionmaker(create_engine("sqlite://"))


def get_db():
    db = SessionLocal()
    yield db
    db.commit()
    db.close()


@app.get("/")
def index(db: Session = Depends(get_db)):
    return db.scalar(text("select 1"))
```

## After: closed only if nothing raises (unsafe)

```python
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
SessionLocal = sessionmaker(create_engine("sqlite://"))


def get_db():
    with SessionLocal() as db:
        yield db
        db.commit()


@app.get("/")
def index(db: Session = Depends(get_db)):
    return db.scalar(text("select 1"))
```

## Safety

Never safe:

| what may change | details |
| --- | --- |
| code that uses the session after the request | the session is closed, and its objects are detached |
| background tasks | they run before the session is closed, except with FastAPI 0.106 to 0.117 |
| a streamed body, with FastAPI 0.106 to 0.117 | the session is closed before it |

Closing a session rolls back everything that is not committed, so awaken adds no rollback. It adds
no commit either: a dependency that commits today still does.

## What it refuses

The table has a cure for each reason. A dependency decorated by `contextmanager` gives a request the
manager, not the session. A dependency that closes its session on every path is not reported.

## On real programs

| programs | with places | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 0 | 0 | 0 | 0 |

## Sources

* FastAPI, "Dependencies with yield"; release notes 0.106.0, 0.110.0 and 0.118.0
* SQLAlchemy 2.1, "Session Basics": "When do I construct a Session"
* Run with FastAPI 0.105.0, 0.106.0, 0.110.0, 0.117.1, 0.118.0 and 0.163.2: when exit code runs
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from awaken.contract import Edit, Level, Phase, Reason, Status
from awaken.contract.rewriter_input import SessionBlock
from awaken.kit.changes import Decided, decide
from awaken.kit.imports import name_from_same_module
from awaken.kit.payloads import (
    SESSION_BLOCKS,
    WRITE_STATEMENTS,
    SessionBlocks,
    Statements,
)
from awaken.kit.reasons import NAME_TAKEN
from awaken.kit.rule import SiteRule
from awaken.kit.search import site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.frameworks.sqlalchemy.made_sessions.dependencies import (
    SessionDependency as Given,
)
from awaken.project.frameworks.sqlalchemy.made_sessions.made import closes
from awaken.project.source.trees import Function, FunctionOrLambda, last_name, variable_of

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

CALLED = Reason(
    "called",
    "{}, and would get a generator, or a session that closes with the generator",
    "Let that code create its own session with `with`.",
)
DECORATED = Reason(
    "decorated",
    "`{}` decorates it, so requests may not get the session itself",
    "Inject the function without it: FastAPI enters and leaves a generator itself.",
)
SWALLOWS = Reason(
    "swallows",
    "it catches the error of a request and does not raise it again",
    "Add `raise`. Since FastAPI 0.110, the request otherwise fails without a log message.",
)
OWN_ENDS = Reason(
    "own-ends",
    "`{}` overrides `close()` or `__enter__()`",
    "Check its `__exit__`, then yield the session inside `with`.",
)
OTHER_SHAPE = Reason(
    "other-shape",
    "`{}` does not create the session in a statement of its own body",
    "Yield the session inside `with`, at the top of the function.",
)
_AFTERWARDS = "code that uses the session after the request finds it closed"
_BEFORE_TASKS = "with FastAPI 0.106 to 0.117, so do background tasks and streamed bodies"


class SessionDependency(SiteRule):
    """Rewrites dependencies that leave their session open to ones that close it."""

    name = "session-dependency"
    family = "sqlalchemy"
    phase = Phase.SESSIONS
    decides_by = "file"
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = (b"ession", b"maker")
    anchors = ((b"Depends", b"Security"), (b"sqlalchemy", b"sqlmodel"))
    needs: ClassVar[Mapping[str, str]] = {"sqlalchemy": ">=1.4"}
    status = Status.OPT_IN
    reasons = (CALLED, DECORATED, NAME_TAKEN, OTHER_SHAPE, OWN_ENDS, SWALLOWS)

    def decisions(self, project: Project) -> Iterator[Decided]:
        """Return one finding per dependency that leaves its session open, and its change."""
        for module in site_modules(project, self.triggers):
            for node in module.nodes_of(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda):
                # All files are searched for functions that inject: few return such a value.
                if not isinstance(node, FunctionOrLambda):
                    continue
                if not isinstance(node, ast.Lambda) and not _may_give_session(module, node):
                    continue
                dependency = project.orm.session_dependency(module, node)
                if dependency is None:
                    continue
                if isinstance(node, ast.Lambda):
                    yield decide(Site(self.name, module, node), _rewrite_of_lambda, dependency)
                elif dependency.closed != "always" or dependency.swallows or node.decorator_list:
                    yield decide(Site(self.name, module, node), _rewrite, project, dependency)


def _may_give_session(module: Module, function: Function) -> bool:
    """Whether the text of a function looks as if it gave a session."""
    text = module.text_of(function)
    gives = "yield" in text or "return" in text
    return gives and any(word in text for word in ("ession", "aker", "db", "Db", "DB"))


def _rewrite_of_lambda(site: Site[ast.Lambda], dependency: Given) -> Rewrite:
    """Return how a function yields the session that a lambda gives in place of a dependency."""
    module, node = site.module, site.node
    if dependency.made.own_ends:
        raise Refused(OWN_ENDS, dependency.made.own_ends)
    name = module.scopes.fresh_name("override_session", "overriding_session")
    before = "async " if dependency.made.is_async else ""
    made = module.text_of(node.body)
    code = f"{before}def {name}():\n    {before}with {made} as session:\n        yield session\n"
    place = module.place(module.statement_of(node) or node)
    edits: list[Edit] = [
        site.insert_statements(place, "before", code),
        site.replace(node, name),
    ]
    message = f"`{name}()` gives the session, and closes it after the request"
    return Rewrite(message, edits, [_AFTERWARDS])


def _rewrite(site: Site[Function], project: Project, dependency: Given) -> Rewrite:
    function = site.node
    for decorator in function.decorator_list:
        raise Refused(DECORATED, site.module.excerpt(decorator))
    if dependency.swallows is not None:
        raise Refused(SWALLOWS, because=(dependency.swallows,))
    if dependency.made.own_ends:
        raise Refused(OWN_ENDS, dependency.made.own_ends)
    if dependency.called:
        raise Refused(
            CALLED, f"the program also calls `{function.name}` directly", because=dependency.called
        )
    if dependency.hidden:
        raise Refused(CALLED, dependency.hidden)
    edits = (
        _edits_of_generator(site, dependency)
        if dependency.gives == "yield"
        else _edits_of_return(project, site, dependency)
    )
    caveats = [_AFTERWARDS]
    # These versions run the code after `yield` before they send the response.
    if project.targets.admits("fastapi", ">=0.106,<0.118"):
        caveats.append(_BEFORE_TASKS)
    message = f"`{function.name}` closes its session after the request"
    inside = tuple(site.module.place(node, "is then inside the block") for node in function.body)
    return Rewrite(message, edits, caveats, (*inside, dependency.injected))


def _edits_of_generator(site: Site[Function], dependency: Given) -> list[Edit]:
    """Return the edits that put the code after the opening of a session into ``with``."""
    body = site.node.body
    last = len(body) - 1
    ends = "closes" if closes(body[last], dependency.name) else "nothing"
    first = _opening(site, dependency)
    # Nothing would be left inside the block.
    if last == first or (ends == "closes" and last == first + 1):
        raise Refused(OTHER_SHAPE, site.node.name)
    block = SessionBlock(first, last, dependency.name, ends, dependency.made.is_async)
    return [site.rewrite(site.node, SESSION_BLOCKS, SessionBlocks((block,)))]


def _opening(site: Site[Function], dependency: Given) -> int:
    """Return which statement of the body makes the session. Raises Refused for none."""
    for number, statement in enumerate(site.node.body):
        is_call = isinstance(getattr(statement, "value", None), ast.Call)
        if is_call and last_name(variable_of(statement)) == dependency.name:
            return number
    raise Refused(OTHER_SHAPE, site.node.name)


def _edits_of_return(project: Project, site: Site[Function], dependency: Given) -> list[Edit]:
    """Return the edits that make a function that returns a session one that yields it."""
    module, function = site.module, site.node
    is_async = dependency.made.is_async
    *_, last = function.body
    if not isinstance(last, ast.Return) or not isinstance(last.value, ast.Call):
        raise Refused(OTHER_SHAPE, function.name)
    name = module.fresh_local(last, "session", "db_session", "opened_session")
    keyword = "async with" if is_async else "with"
    code = f"{keyword} {module.text_of(last.value)} as {name}:\n    yield {name}\n"
    edits: list[Edit] = [site.rewrite(last, WRITE_STATEMENTS, Statements(code))]
    if is_async and isinstance(function, ast.FunctionDef):
        edits.append(site.insert_before(function, "async "))
    if function.returns is not None:
        is_coroutine = is_async or isinstance(function, ast.AsyncFunctionDef)
        iterator = "AsyncIterator" if is_coroutine else "Iterator"
        written, imports = name_from_same_module(project, site, None, f"collections.abc.{iterator}")
        edits += [
            site.insert_before(function.returns, f"{written}["),
            site.insert_behind(function.returns, "]"),
            *imports,
        ]
    return edits
