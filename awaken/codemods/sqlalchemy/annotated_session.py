"""Name the annotation of injected sessions once, and reuse it.

## Before

```python
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import text
from sqlalchemy.orm import Session

from factory import SessionLocal

router = APIRouter()


def get_db():
    with SessionLocal() as db:
        yield db


@router.get("/now")
def now(db: Annotated[Session, Depends(get_db)]):
    return db.scalar(text("select current_timestamp"))


@router.get("/today")
def today(db: Annotated[Session, Depends(get_db)]):
    return db.scalar(text("select current_date"))
```

## After

```python
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import text
from sqlalchemy.orm import Session

from factory import SessionLocal

router = APIRouter()


def get_db():
    with SessionLocal() as db:
        yield db


SessionDep = Annotated[Session, Depends(get_db)]


@router.get("/now")
def now(db: SessionDep):
    return db.scalar(text("select current_timestamp"))


@router.get("/today")
def today(db: SessionDep):
    return db.scalar(text("select current_date"))
```

## What

| you write | awaken writes |
| --- | --- |
| `db: Annotated[Session, Depends(get_db)]` in several endpoints | `db: SessionDep`, and `SessionDep = Annotated[...]` once, after the dependency |
| an alias that exists already | that alias in the other places |
| several such dependencies | aliases with the names of the functions: `get_db` gives `DbDep` |
| `db: Session = Depends(get_db)` | no change: `annotated-dependency` first moves `Depends(get_db)` into the annotation |

## Why

The FastAPI docs recommend this form for sessions. Another session class, or another dependency, is
then one edit.

## Before: a dependency in another file

```python database.py
from collections.abc import Iterator

from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

SessionLocal = sessionmaker(create_engine("sqlite://"))


def get_db() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db
```

```python main.py
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import text
from sqlalchemy.orm import Session

from database import get_db

app = FastAPI()


@app.get("/now")
def now(db: Annotated[Session, Depends(get_db)]):
    return db.scalar(text("select current_timestamp"))


@app.get("/version")
def version(db: Annotated[Session, Depends(get_db)]):
    return db.scalar(text("select sqlite_version()"))
```

## After: a dependency in another file

```python database.py
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

SessionLocal = sessionmaker(create_engine("sqlite://"))


def get_db() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db


SessionDep = Annotated[Session, Depends(get_db)]
```

```python main.py
from fastapi import FastAPI
from sqlalchemy import text

from database import SessionDep

app = FastAPI()


@app.get("/now")
def now(db: SessionDep):
    return db.scalar(text("select current_timestamp"))


@app.get("/version")
def version(db: SessionDep):
    return db.scalar(text("select sqlite_version()"))
```

## The factory of the first example

```python factory.py
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker(create_engine("sqlite://"))
```

## Safety

*Safe*: the alias is the same object as the annotation that it replaces. FastAPI sees the same
parameters. A dependency override still works everywhere, because it names the function. Nothing
but a test gives the dependency another value.

## What it refuses

The table has a cure for each reason. These parameters are not reported:

* the only parameter with its dependency: an alias that is used once says nothing;
* a parameter whose dependency is a method, or belongs to a library: the alias would have no place.

## On real programs

The rule ran on the 33 programs of `benchmarks/recipes/statuses.md`, with `--unsafe-fixes`. None has
a place for it: those that inject sessions already have an alias, or have no annotation yet.

| program | safe | unsafe | manual |
| --- | --- | --- | --- |
| 33 programs | 0 | 0 | 0 |

## Sources

* FastAPI, "SQL (Relational) Databases": "Create a Session Dependency"; "Dependencies": "Share
  `Annotated` dependencies"
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from msgspec import structs

from awaken.contract import ChangeId, Constraints, Edit, Level, Phase, Plan, Reason
from awaken.kit.changes import (
    Decided,
    decide,
    plan_of,
    refused_together,
    rewritten_together,
)
from awaken.kit.imports import imports_here, name_from_same_module, release_imports
from awaken.kit.reasons import NAME_TAKEN
from awaken.kit.rule import Rule
from awaken.kit.search import modules_with, site_modules
from awaken.kit.sites import Refused, Rewrite, Site, outcome_of
from awaken.knowledge import knowledge
from awaken.knowledge.injection import injection
from awaken.project.source.trees import Function, parameters_of, values_given
from awaken.project.source.worklist import multimap

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_DEPENDS = "fastapi.Depends"
_FEWEST = 2
"""Parameters that make an alias worth its name."""

ALIAS_ELSEWHERE = Reason(
    "alias-elsewhere",
    "`{}` is the same annotation, in another file than the dependency",
    "Use that alias here, or move it to the file that defines the dependency.",
)
HANDED_ON = Reason(
    "handed-on",
    "`{}` is not imported at the top of this file",
    "Import it at the top, from the file that defines it.",
)
REPLACED = Reason(
    "replaced",
    "{} gives the dependency another value, which the alias may be older than",
    "Put it into `app.dependency_overrides`, or define the dependency as it is needed.",
)


@dataclass(frozen=True)
class _Injected:
    """A session that a parameter of ``module`` is given, by a dependency that has a name."""

    module: Module
    annotation: ast.Subscript
    dependency: ast.expr


@dataclass(frozen=True)
class _Kind:
    """The key that parameters share: the class of the session, and the dependency."""

    session: str
    dependency: str

    @property
    def home(self) -> str:
        """The module that defines the dependency."""
        return self.dependency.rpartition(".")[0]


class AnnotatedSession(Rule):
    """Names `Annotated[Session, Depends(get_db)]`, and uses the name."""

    name = "annotated-session"
    family = "sqlalchemy"
    phase = Phase.ALIASES
    since = "0.1.0"
    levels = (Level.SAFE, Level.MANUAL)
    triggers = (b"Annotated",)
    anchors = ((b"fastapi",), (b"Depends",), (b"sqlalchemy", b"sqlmodel"))
    needs: ClassVar[Mapping[str, str]] = {"fastapi": ">=0.95", "python": ">=3.9"}
    reasons = (ALIAS_ELSEWHERE, HANDED_ON, NAME_TAKEN, REPLACED)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return a finding for each annotation, and a change for those of one dependency."""
        modules = site_modules(project, self.triggers)
        parameters = multimap(
            pair for one in modules for pair in _injected_parameters(project, one)
        )
        several = len({item.dependency for item in parameters}) > 1
        return plan_of(
            decision
            for kind, uses in parameters.items()
            for decision in self._decide(project, constraints, kind, uses, several)
        )

    def _decide(
        self,
        project: Project,
        constraints: Constraints,
        kind: _Kind,
        uses: Sequence[_Injected],
        several: bool,
    ) -> Iterator[Decided]:
        aliases = list(_aliases(project, kind))
        home = project.definition(kind.dependency)
        here = [name for path, name in aliases if home is not None and path == home.path]
        if home is None or (not here and len(uses) < _FEWEST):
            return
        name = here[0] if here else _alias_name(kind, several)
        sites = [(Site(self.name, use.module, use.annotation), use) for use in uses]
        if here:
            yield from (decide(site, _use, project, item, kind, name) for site, item in sites)
            return
        if aliases:
            refused = Refused(ALIAS_ELSEWHERE, aliases[0][1])
            yield refused_together([site for site, _ in sites], refused)
            return
        module, function = project.function_definition(kind.dependency) or (None, None)
        if module is None or function is None:
            return
        defining: Site[Function] = Site(self.name, module, function)
        definition = outcome_of(_define, defining, project, kind, name)
        if isinstance(definition, Refused):
            yield refused_together([site for site, _ in sites], definition)
            return
        defined = rewritten_together((defining,), definition)
        decided = [decide(site, _use, project, parameter, kind, name) for site, parameter in sites]
        yield from (_requiring(decision, defined.changes[0].id) for decision in decided)
        changes = (change for decision in decided for change in decision.changes)
        if any(constraints.excluded.isdisjoint(change.sites) for change in changes):
            yield defined


def _requiring(decided: Decided, change: ChangeId) -> Decided:
    """Return what was decided, with changes that are dropped without another one."""
    changes = (structs.replace(item, requires=(change,)) for item in decided.changes)
    return Decided(decided.findings, tuple(changes))


def _injected_parameters(project: Project, module: Module) -> Iterator[tuple[_Kind, _Injected]]:
    """Yield the parameters of a file that are given a session, with what they have in common."""
    for node in module.functions:
        for parameter, default in parameters_of(node.args):
            annotation = parameter.annotation
            if default is None and isinstance(annotation, ast.Subscript):
                pair = _read(project, module, annotation)
                if pair is not None:
                    yield pair[0], _Injected(module, annotation, pair[1])


def _read(
    project: Project, module: Module, annotation: ast.Subscript
) -> tuple[_Kind, ast.expr] | None:
    """Return what an annotation injects, if it is a session by a function of the program."""
    match annotation.slice:
        case ast.Tuple(elts=[session, ast.Call(func=marker, args=[dependency], keywords=[])]):
            pass
        case _:
            return None
    is_annotated = project.qualified_name(module, annotation.value) in injection().annotated
    if not is_annotated or project.qualified_name(module, marker) != _DEPENDS:
        return None
    of, by = project.qualified_name(module, session), project.qualified_name(module, dependency)
    if of is None or by is None or knowledge().types.get(of) not in {"async", "session"}:
        return None
    definition = project.definition(by)
    if definition is None or definition.kind != "function":
        return None
    return _Kind(of, by), dependency


def _aliases(project: Project, kind: _Kind) -> Iterator[tuple[str, str]]:
    """Yield the aliases that the program has for an annotation: their files and names."""
    for module in modules_with(project, (b"Annotated",)):
        for name, value in values_given(module.tree.body):
            pair = _read(project, module, value) if isinstance(value, ast.Subscript) else None
            if pair is not None and pair[0] == kind:
                yield module.path, name


def _alias_name(kind: _Kind, several: bool) -> str:
    if not several:
        return "SessionDep"
    words = kind.dependency.rpartition(".")[2].removeprefix("get_").split("_")
    return "".join(word[:1].upper() + word[1:] for word in words) + "Dep"


# ------------------------------------------------------------------------------------- rewriting
def _use(
    site: Site[ast.Subscript], project: Project, use: _Injected, kind: _Kind, name: str
) -> Rewrite:
    """Return how a parameter uses the alias. Raises Refused."""
    written, imports = _written_pair(site, project, use, kind, name)
    edits: list[Edit] = [site.replace(use.annotation, written), *imports]
    names = use.module.nodes_below(use.annotation, ast.Name)
    edits += release_imports(site, *names)
    return Rewrite(f"`{use.module.excerpt(use.annotation)}` becomes `{written}`", edits)


def _written_pair(
    site: Site[ast.Subscript], project: Project, use: _Injected, kind: _Kind, name: str
) -> tuple[str, list[Edit]]:
    module, dependency = use.module, use.dependency
    home = project.definition(kind.dependency)
    is_home = home is not None and module.path == home.path
    for replaced in project.replaced_names.of_name(kind.dependency):
        # A test that puts it back replaces it after all imports. Its own file replaces it earlier.
        is_earlier = not is_home or replaced.place.path == module.path
        if is_earlier and not project.in_force.ends(replaced.place):
            raise Refused(REPLACED, replaced.place.path, because=(replaced.place,))
    if is_home:
        return name, []
    if isinstance(dependency, ast.Attribute):
        return f"{module.text_of(dependency.value)}.{name}", []
    handed_on = Refused(HANDED_ON, module.text_of(dependency))
    bindings = module.scopes.bindings_of(dependency)
    statements = [module.parent(binding.node) for binding in bindings]
    if len(statements) != 1 or module.parent(site.node) is None:
        raise handed_on
    statement = statements[0]
    is_at_top = isinstance(statement, ast.ImportFrom) and statement in module.tree.body
    if not is_at_top or not isinstance(statement, ast.ImportFrom):
        raise handed_on
    origin = _origin(project, module, statement, kind)
    if origin is None:
        raise handed_on
    if module.scopes.is_bound(name, site.node):
        imports_here(module, site.node, name, {origin}, Refused(NAME_TAKEN, name))
    return name, [site.need_import(origin, name)]


def _origin(project: Project, module: Module, statement: ast.ImportFrom, kind: _Kind) -> str | None:
    """Return how an import names the home of a dependency, which ``statement`` imports.

    That may get it from a file that only imports it.
    """
    home, names = project.definition(kind.dependency), [kind.home]
    if not statement.level:
        # An absolute import is written as the file has it, whatever the root of its modules is.
        written = statement.module or ""
        path = project.layout.find(written, module.path).path
        root = "" if path is None else project.layout.name_of(path).removesuffix(written)
        names = [written, kind.home.removeprefix(root)]
    located = ((name, project.layout.find(name, module.path).path) for name in names)
    return next((name for name, path in located if home and path == home.path), None)


def _define(site: Site[Function], project: Project, kind: _Kind, name: str) -> Rewrite:
    """Return how the alias is defined after the dependency. Raises Refused."""
    module, function = site.module, site.node
    if module.parent(function) is not module.tree:
        raise Refused(HANDED_ON, kind.dependency.rpartition(".")[2])
    if name in module.scopes.module.bindings:
        raise Refused(NAME_TAKEN, name)
    imports: list[Edit] = []
    words: list[str] = []
    for qualified in ("typing.Annotated", kind.session, _DEPENDS):
        written, needed = name_from_same_module(project, site, None, qualified)
        words.append(written)
        imports += needed
    annotated, session, depends = words
    code = f"\n\n{name} = {annotated}[{session}, {depends}({function.name})]\n"
    edits = [site.insert_statements(module.place(function), "after", code), *imports]
    return Rewrite(f"`{name}` is the annotation for the session from `{function.name}`", edits)
