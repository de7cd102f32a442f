"""Give asynchronous engines a URL with an asynchronous driver.

## Before

```python
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("sqlite:///shop.db", echo=True)
```

## After

```python
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("sqlite+aiosqlite:///shop.db", echo=True)
```

## What

| you write | awaken writes |
| --- | --- |
| `create_async_engine("sqlite:///shop.db")` | `create_async_engine("sqlite+aiosqlite:///shop.db")` |
| `AsyncEngine(create_engine(...))` | an asynchronous driver in its URL |
| a URL in a variable, an f-string, `URL.create()` or `make_url()` | the new driver where the URL is written |

If a database has several drivers, awaken takes the one that the project requires. The option
`driver` names another one.

## Why

An asynchronous engine needs an asynchronous driver. Otherwise SQLAlchemy raises
`InvalidRequestError: The asyncio extension requires an async driver to be used`.

## Before: a failure that is hidden (unsafe)

```python
from sqlalchemy.ext.asyncio import create_async_engine

try:
    engine = create_async_engine("sqlite:///shop.db")
except Exception:
    engine = None
```

## After: a failure that is hidden (unsafe)

```python
from sqlalchemy.ext.asyncio import create_async_engine

try:
    engine = create_async_engine("sqlite+aiosqlite:///shop.db")
except Exception:
    engine = None
```

## Safety

In a *safe* rewrite, the call can only fail today, so nothing can rely on it. The message says where
the new driver is stricter. With SQLAlchemy 2.1, `postgresql://` is asynchronous and is left alone;
with 2.0, it is rewritten.

A rewrite is *unsafe* if a `try` around the call hides the failure.

## What it refuses

| left alone | why |
| --- | --- |
| a URL from the environment or settings whose default is not asynchronous | the default has to change together with the values that are set elsewhere |
| a database with several drivers, if the project requires none or several of them | you have to choose one |
| parameters after `?`, and `connect_args`, that the new driver does not have | they need other names or values |

The next table has a cure for each reason.

## Sources

* SQLAlchemy 2.1, "Asynchronous I/O (asyncio)" and "Dialects"; "What's New in SQLAlchemy 2.1":
  default drivers; run with 2.1.9
* `sqlalchemy/ext/asyncio/engine.py`: `AsyncEngine.__init__`
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta, Struct

from awaken.contract import Constraints, Phase, Place, Plan, Reason, Status, TextEdit
from awaken.contract.nearest import did_you_mean
from awaken.kit.caveats.failures import HIDDEN, caught_by_callers
from awaken.kit.caveats.replaced_names import caveats_of
from awaken.kit.changes import Member, connected_groups, decide_group, plan_of
from awaken.kit.rule import Rule
from awaken.kit.search import site_modules
from awaken.kit.sites import Refused, Rewrite, Site, outcome_of, shown_places
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.frameworks.sqlalchemy.engines.engine_facts import (
    AsyncDriver,
    Engine,
    Url,
    UrlText,
    async_databases,
    async_drivers,
    full_drivername,
    is_async_driver,
)
from awaken.project.frameworks.sqlalchemy.engines.program_engines import ENGINE_WORDS
from awaken.project.source.f_strings import is_literal

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module
    from awaken.workspace.formats.toml_text import KeyPath

SET_ELSEWHERE = Reason(
    "set-elsewhere",
    "{}",
    "Change the default and the deployed value, or pass the engine "
    '`make_url(url).set(drivername="...")`.',
)
CHOOSE_DRIVER = Reason("choose-driver", "{}", 'Set the option `driver = "asyncpg"` of this rule.')
READ_ELSEWHERE = Reason(
    "read-elsewhere",
    "other code reads the URL as well: {}",
    'Pass this engine `make_url(url).set(drivername="...")`, or its own URL.',
)
OTHER_PARAMETERS = Reason(
    "other-parameters",
    "{} does not accept these parameters",
    "Rewrite the parameters together with the driver.",
)
NOT_IN_ONE_PIECE = Reason(
    "not-in-one-piece",
    "the name of the driver is not in one string",
    "Write the URL in one string, with an asynchronous driver.",
)
BESIDE = Reason("beside-another", "{} stays, and has the same URL", "Fix the other engine first.")
EXPECTED_FAILURE = Reason(
    "expected-failure",
    "the surrounding code expects that `create_async_engine()` fails",
    "Remove that expectation.",
)

_CATCHING = library_names().catching_all | name_list("errors_of_sqlalchemy") | {None}


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    """The driver to use if there are several."""

    driver: Annotated[
        str, Meta(description="Driver to use if there are several, such as `asyncpg`.")
    ] = ""


class AsyncDriverUrl(Rule):
    """Rewrites the drivers in the URLs of asynchronous engines."""

    name = "async-driver-url"
    family = "pooling"
    phase = Phase.REPAIR
    since = "0.1.0"
    triggers = ENGINE_WORDS
    anchors = ((b"create_async_engine", b"AsyncEngine"),)
    needs: ClassVar[Mapping[str, str]] = {"sqlalchemy": ">=1.4"}
    status = Status.PREVIEW
    options = Options
    reasons = (
        SET_ELSEWHERE, CHOOSE_DRIVER, READ_ELSEWHERE, OTHER_PARAMETERS, NOT_IN_ONE_PIECE,
        EXPECTED_FAILURE, BESIDE,
    )  # fmt: skip

    def wrong_options(
        self, project: Project | None, options: Struct
    ) -> Iterable[tuple[KeyPath, str]]:
        """Yield that no asynchronous driver has the name of the option."""
        known = {item.distribution for name in async_databases() for item in async_drivers(name)}
        driver = options.driver if isinstance(options, Options) and project is None else ""
        if driver and driver not in known:
            hint = did_you_mean(driver, known, f"choose from {', '.join(sorted(known))}")
            yield ("driver",), f"'driver' names {driver!r}, no asynchronous driver{hint}"

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per asynchronous engine with a URL that cannot work.

        And one per string elsewhere that is rewritten for it, together with all its engines.
        """
        options = constraints.options if isinstance(constraints.options, Options) else Options()
        engines = [
            _decision(Site(self.name, module, engine.call), project, engine, url, options)
            for module in site_modules(project, self.triggers)
            for engine in project.orm.engines.in_file(module)
            if engine.is_async
            and (url := project.orm.engines.url_of(engine)) is not None
            and any(_blocks(project, engine, text) for text in url.texts)
            and not _fills_in_driver(url)
        ]
        links = ((engine, other) for engine in engines for other in engines if engine.shares(other))
        return plan_of(
            decide_group([*_members(self.name, project, group)], constraints, BESIDE)
            for group in connected_groups(engines, links)
        )


@dataclass(frozen=True, eq=False)
class _Decided:
    """The decision on one engine, and the edits of strings in other statements, by place."""

    site: Site[ast.Call]
    outcome: Rewrite | Refused
    strings: Mapping[Place, TextEdit]
    places: frozenset[Place]

    def shares(self, other: _Decided) -> bool:
        """Whether both have the URL from one string."""
        return not self.places.isdisjoint(other.places)


def _decision(
    site: Site[ast.Call], project: Project, engine: Engine, url: Url, options: Options
) -> _Decided:
    strings: dict[Place, TextEdit] = {}
    outcome = outcome_of(_rewrite, site, project, engine, url, options, strings)
    return _Decided(site, outcome, strings, frozenset(text.place for text in url.texts))


def _members(rule: str, project: Project, group: Sequence[_Decided]) -> Iterator[Member]:
    strings = {place: edit for decision in group for place, edit in decision.strings.items()}
    for place, edit in strings.items():
        module = project.module(place.path)
        node = None if module is None else _string_at(module, place)
        if module is not None and node is not None:
            site = Site(rule, module, node)
            own = TextEdit(path=edit.path, anchor=edit.anchor, text=edit.text, site=site.id)
            said = f"the URL of an asynchronous engine gets the driver `{edit.text}`"
            yield Member(site, Rewrite(said, [own]), "its URL")
    for item in group:
        yield Member(item.site, item.outcome, f"`{item.site.module.excerpt(item.site.node)}`")


def _string_at(module: Module, place: Place) -> ast.expr | None:
    """Return the string at a place, or the f-string around it."""
    for node in module.walk():
        is_string = is_literal(node)
        if is_string and not module.in_fstring(node):
            span = module.span(node)
            if span.start <= place.span.start < span.end:
                return node  # type: ignore[return-value]  # both are expressions
    return None


def _fills_in_driver(url: Url) -> bool:
    """Whether the program itself gives a URL from outside an asynchronous driver."""
    is_replaced = any(candidate.is_adapted for candidate in url.outside)
    names = (text.drivername for text in url.texts)
    has_async = any(is_async_driver(name, current=False) for name in names if name)
    return bool(url.outside) and (is_replaced or has_async)


def _blocks(project: Project, engine: Engine, text: UrlText) -> bool:
    """Whether an asynchronous engine cannot have this URL, with any version that may be meant."""
    if not text.drivername:
        return False
    current = project.targets is None or project.targets.guarantees("sqlalchemy", ">=2.1")
    older = project.targets is not None and project.targets.guarantees("sqlalchemy", "<2.1")
    # Where both versions may be meant, only what neither of them takes is a site.
    versions = {True} if current else {False} if older else {True, False}
    if all(is_async_driver(text.drivername, current=version) is False for version in versions):
        return True
    # `AsyncEngine(create_engine(url))`: the synchronous form of a driver that has both is taken.
    is_wrapped = not engine.name.startswith("sqlalchemy.ext.asyncio")
    full = full_drivername(text.drivername, current=current)
    return is_wrapped and any(
        item.is_for_both and item.drivername == full for item in async_drivers(full)
    )


def _rewrite(  # noqa: PLR0913
    site: Site[ast.Call],
    project: Project,
    engine: Engine,
    url: Url,
    options: Options,
    strings: dict[Place, TextEdit],
) -> Rewrite:
    """Return how the URL gets an asynchronous driver. Raises Refused.

    Edits of other statements are put into ``strings``.
    """
    replaced = project.replaced_names.replacements_of(site.module, site.node.func)
    caveats, places = caveats_of(site.module, site.node.func, replaced)
    caveats += _of_guards(project, site.module, site.node)
    seen = [*islice(caught_by_callers(project, site.module, site.node, _CATCHING), 1)]
    caveats += [clause for clause, _ in seen]
    places += tuple(place for _, place in seen)
    blocking = [candidate for candidate in url.texts if _blocks(project, engine, candidate)]
    if url.outside:
        raise Refused(SET_ELSEWHERE, _said_of_default(url, blocking[0]))
    edits: list[TextEdit] = []
    changed: list[str] = []
    driver: AsyncDriver | None = None
    for text in blocking:
        driver = _choose_driver(project, engine, text, options)
        _check(project, engine, text, driver)
        edit = _edit(project, site, text, driver.drivername)
        if _is_in_statement(site, text):
            edits.append(edit)
        else:
            strings[text.place] = edit
        changed.append(f"`{text.drivername}` becomes `{driver.drivername}`")
    said = " and ".join(dict.fromkeys(changed))
    if driver is not None and not _depends_on(project, driver):
        said += f"; add `{driver.distribution}` to the dependencies"
    differences = () if driver is None else driver.differences(engine, url)
    said += "".join(f"; {difference}" for difference in differences)
    return Rewrite(said, list(dict.fromkeys(edits)), list(dict.fromkeys(caveats)), places)


def _is_in_statement(site: Site[ast.Call], text: UrlText) -> bool:
    """Whether a text is in the statement of the call."""
    statement = site.module.statement_of(site.node)
    if statement is None or text.place.path != site.module.path:
        return False
    span = site.module.span(statement)
    return span.start <= text.place.span.start < span.end


def _said_of_default(url: Url, text: UrlText) -> str:
    named = next((candidate.name for candidate in url.outside if candidate.name), "")
    source = f"`{named}`" if named else "a setting"
    return f"the URL comes from {source}, and its default has the driver `{text.drivername}`"


def _of_guards(project: Project, module: Module, call: ast.Call) -> Iterator[str]:
    for guard in project.effects.guards(module, call):
        if guard.ends is not None:
            raise Refused(EXPECTED_FAILURE)
        # With the failure gone, what follows runs for the first time.
        if not _CATCHING.isdisjoint(guard.catches):
            yield HIDDEN


# ------------------------------------------------------------------------------------ which driver
def _choose_driver(
    project: Project, engine: Engine, text: UrlText, options: Options
) -> AsyncDriver:
    """Return the driver to take. Raises Refused where it is for the owner to say."""
    is_wrapped = not engine.name.startswith("sqlalchemy.ext.asyncio")
    result = [
        driver
        for driver in async_drivers(text.drivername)
        if not (is_wrapped and driver.is_for_both) and _is_known(project, driver)
    ]
    named = [driver for driver in result if driver.distribution == options.driver]
    declared = [driver for driver in result if _depends_on(project, driver)]
    for some in (named, declared, result):
        if len(some) == 1:
            return some[0]
    if not result:
        why = f"every version of SQLAlchemy in use has an asynchronous one for `{text.drivername}`"
        cure = "Require a version of SQLAlchemy that has one."
        raise Refused(CHOOSE_DRIVER, f"it is uncertain that {why}", cure)
    names = " or ".join(f"`{driver.distribution}`" for driver in declared or result)
    why = "the program depends on several" if declared else "the program depends on none of them"
    option = f'`driver = "{(declared or result)[0].distribution}"`'
    cure = f"Set the option {option} of this rule, or the other one."
    raise Refused(CHOOSE_DRIVER, f"for `{text.drivername}` there is {names}; {why}", cure)


def _depends_on(project: Project, driver: AsyncDriver) -> bool:
    return project.targets is not None and project.targets.declares_any(driver.distributions)


def _is_known(project: Project, driver: AsyncDriver) -> bool:
    """Whether every version of SQLAlchemy that may be meant has the driver."""
    if not driver.since or project.targets is None:
        return True
    return bool(project.targets.guarantees("sqlalchemy", f">={driver.since}"))


# ------------------------------------------------------------------------------ where it is written
def _check(project: Project, engine: Engine, text: UrlText, driver: AsyncDriver) -> None:
    """Raise Refused where more than the driver would have to change."""
    given = "?" in text.text or "connect_args" in engine.options
    if driver.own_parameters and given:
        raise Refused(OTHER_PARAMETERS, f"`{driver.distribution}`")
    others = [item for place in text.through for item in _other_reads(project, text, place)]
    if others:
        shown = shown_places(project, others)
        raise Refused(READ_ELSEWHERE, shown, because=tuple(others[:3]))


def _other_reads(project: Project, text: UrlText, bound: Place) -> Iterator[Place]:
    """Yield where a variable is read, other than for asynchronous engines and on the way there."""
    home, target = next(project.expressions_at(bound), (None, None))
    if home is None or not isinstance(target, ast.Name):
        yield bound
        return
    is_global = home.scopes.scope_of(target).kind == "module"
    word = target.id.encode()
    paths = project.files_with((word,)) if is_global else [bound.path]
    for module in project.modules_at(paths):
        for node in module.mentions(target.id):
            if not _is_on_way(project, module, node, text):
                yield module.place(node)


def _is_on_way(project: Project, module: Module, node: ast.AST, text: UrlText) -> bool:
    """Whether a mention only leads to an asynchronous engine."""
    if isinstance(node, ast.alias):
        return True
    statement = module.statement_of(node)
    if isinstance(statement, ast.Assign) and module.place(statement.targets[0]) in text.through:
        return True
    around = {id(ancestor) for ancestor in module.ancestors(node)} | {id(node)}
    return any(
        engine.is_async and engine.url is not None and id(engine.url) in around
        for engine in project.orm.engines.in_file(module)
    )


def _edit(project: Project, site: Site[ast.Call], text: UrlText, drivername: str) -> TextEdit:
    """Return the edit of the string that the URL begins with. Raises Refused."""
    span = text.driver_span(project.snapshot[text.place.path].text)
    if span is None:
        raise Refused(NOT_IN_ONE_PIECE)
    return TextEdit(path=text.place.path, anchor=span, text=drivername, site=site.id)
