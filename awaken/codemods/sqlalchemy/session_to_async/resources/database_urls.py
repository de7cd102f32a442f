"""URLs of databases, and requirements: asynchronous drivers in the place of synchronous ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from packaging.requirements import Requirement as Required
from packaging.version import Version

from awaken.codemods.sqlalchemy.session_to_async.added_functions import url_helper
from awaken.codemods.sqlalchemy.session_to_async.payload import WRAP, Wrapped
from awaken.codemods.sqlalchemy.session_to_async.reasons import (
    CHOOSE_DRIVER,
    NO_DRIVER,
    OLD_DRIVER,
    UNKNOWN_DRIVER,
)
from awaken.contract import ByHand, Edit, Requirement, SiteId, Span
from awaken.kit.search import nodes_with
from awaken.kit.sites import Refused, Site
from awaken.knowledge.ecosystem import Driver, drivers
from awaken.project.frameworks.sqlalchemy.engines.engine_facts import (
    AsyncDriver,
    async_databases,
    async_drivers,
    full_drivername,
    is_async_driver,
)
from awaken.project.frameworks.sqlalchemy.engines.url_sources import (
    URL_READS,
    UrlElsewhere,
    urls_elsewhere,
)
from awaken.project.source.memo import cached_property

if TYPE_CHECKING:
    from awaken.contract import Place
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.engines.engine_facts import Engine, Url
    from awaken.project.source.modules import Module

_PARAMETERS = {"prepared_statement_cache_size", "prepared_statement_name_func", "ssl"}
"""What asyncpg takes behind the ``?`` of a URL, and SQLAlchemy for it."""

_DATABASES = ("sqlite", "postgresql", "postgres", "mysql", "mariadb", "oracle", "mssql")
_SCHEMES = tuple(f"{name}{end}".encode() for name in _DATABASES for end in (":", "+"))
_TEXT = re.compile(rf"((?:{'|'.join(_DATABASES)})(?:\+\w+)?)://")


class Urls:
    """Chooses drivers, and writes them into URLs; ``chosen`` are those that somebody said."""

    def __init__(self, project: Project, chosen: Mapping[str, str]) -> None:
        self._project = project
        self._chosen = chosen
        self._current = not project.targets.admits("sqlalchemy", "<2.1")
        target = project.targets.distribution("sqlalchemy")
        self._is_assumed = target is None or target.is_assumed

    @cached_property
    def _urls_in_other_files(self) -> tuple[UrlElsewhere, ...]:
        """The URLs in files next to the code, from where an engine may get its own."""
        return urls_elsewhere(self._project.texts(*URL_READS).files)

    @cached_property
    def _written_names(self) -> tuple[str, ...]:
        """The drivers of URLs that texts of the program begin with, wherever these go."""
        matches = (
            _TEXT.match(node.value)
            for module, node in nodes_with(self._project, _SCHEMES, ast.Constant)
            if isinstance(node.value, str)
        )
        return tuple(dict.fromkeys(match[1] for match in matches if match is not None))

    @cached_property
    def _required_names(self) -> tuple[str, ...]:
        """The synchronous drivers that the program requires, as its URLs name them."""
        required = (driver for driver in drivers() if driver.urls and self._is_required(driver))
        return tuple(driver.urls[0] for driver in required if async_drivers(driver.urls[0]))

    def _is_required(self, driver: Driver) -> bool:
        return bool(self._project.targets.declares_any(driver.distributions))

    def drivers(self, engines: Sequence[Engine]) -> dict[str, AsyncDriver]:
        """Return the drivers by the databases that the URLs of ``engines`` may name.

        The URL of an engine that gets it from outside may be in a text of the program. It may also
        be in a file next to the code, or name a driver that the program requires.
        """
        result = {
            database: candidate
            for database, driver in sorted(self._chosen.items())
            for candidate in async_drivers(database)
            if candidate.drivername.partition("+")[2] == driver
        }
        for name in self._names(engines):
            driver = self._driver(name)
            if driver is not None:
                result.setdefault(self._database(name), driver)
        return result

    def former_drivers(self, engines: Sequence[Engine]) -> dict[str, str] | None:
        """Return the drivers that URLs of ``engines`` name now, by those that they get.

        None where an asynchronous driver takes the place of more than one.
        """
        drivers, result = self.drivers(engines), dict[str, str]()
        for name in self._names(engines):
            driver, full = drivers.get(self._database(name)), self._full(name)
            written = full if "+" in name else self._database(name)
            if driver and self._full(result.setdefault(driver.drivername, written)) != full:
                return None
        return {driver: name for driver, name in result.items() if driver != self._full(name)}

    def _names(self, engines: Sequence[Engine]) -> Iterator[str]:
        """Yield what the URLs of ``engines`` begin with, or may begin with."""
        for engine in engines:
            url = self._project.orm.engines.url_of(engine)
            yield from () if url is None else _drivernames(url)
        if any(self._comes_from_outside(engine) for engine in engines):
            yield from self._written_names
            yield from (item.drivername for item in self._urls_in_other_files)
            yield from self._required_names

    def first_version(self, engines: Iterable[Engine]) -> str:
        """Return the SQLAlchemy that the kept URLs of ``engines`` need; empty if they need none."""
        urls = [self._project.orm.engines.url_of(engine) for engine in engines]
        names = {name for url in urls if url and self._is_kept(url) for name in url.drivernames}
        is_needed = not all(is_async_driver(name, current=False) for name in names)
        return "2.1" if is_needed else ""

    def works_in_any_loop(self, engine: Engine) -> bool:
        """Whether the connections of ``engine`` do, whose whole URL the program says."""
        url = self._project.orm.engines.url_of(engine)
        if url is None or url.outside:
            return False
        drivers = [self._driver(name) for name in _drivernames(url)]
        return bool(drivers) and all(item and not item.loop_bound for item in drivers)

    def _database(self, drivername: str) -> str:
        return self._full(drivername).partition("+")[0]

    def _comes_from_outside(self, engine: Engine) -> bool:
        url = self._project.orm.engines.url_of(engine)
        return url is not None and bool(url.outside)

    def tasks_for_users(
        self, site: SiteId, engine: Engine, drivers: Mapping[str, AsyncDriver]
    ) -> Iterator[Edit]:
        """Yield the tasks of users where files next to the code name URLs of ``engine``."""
        for url in self._urls_in_other_files if self._comes_from_outside(engine) else ():
            what = self._what_is_left(url, drivers)
            if what:
                yield ByHand(file=url.path, line=url.line, what=what, site=site)

    def _what_is_left(self, one: UrlElsewhere, drivers: Mapping[str, AsyncDriver]) -> str:
        driver = drivers.get(self._database(one.drivername))
        if driver is None:
            known = [each.drivername.partition("+")[2] for each in async_drivers(one.drivername)]
            if not known:
                return f"awaken knows no asynchronous driver for this `{one.drivername}` URL"
            option = f'drivers = {{ {self._database(one.drivername)} = "{known[0]}" }}'
            return (
                f"the engine may get this `{one.drivername}` URL, and its asynchronous driver is "
                f"unknown: set `{option}` to one of {', '.join(known)}"
            )
        others = [name for name in one.parameters if name not in _PARAMETERS]
        if driver.own_parameters and others and one.drivername != driver.drivername:
            shown = ", ".join(f"`{name}`" for name in others)
            return f"the engine may get this URL, but {driver.distribution} does not accept {shown}"
        return ""

    def _driver(self, drivername: str) -> AsyncDriver | None:
        full = self._full(drivername)
        known = async_drivers(drivername)
        said = self._chosen.get(full.partition("+")[0])
        for driver in known:
            if driver.drivername.partition("+")[2] == said:
                return driver
        if said is not None:
            return None
        for driver in known:
            # It serves both sides, or the project has it already.
            if driver.drivername == full or self._is_required(driver):
                return driver
        return known[0] if len(known) == 1 or full.startswith("sqlite") else None

    def edits(
        self,
        site: Site[ast.expr],
        engine: Engine,
        drivers: Mapping[str, AsyncDriver],
        *,
        is_rewritten: bool,
    ) -> Iterator[Edit]:
        """Yield what gives ``engine`` a URL with an asynchronous driver. Raises Refused.

        ``is_rewritten`` says that another edit rewrites the call that makes it.
        """
        node, url = engine.url, self._project.orm.engines.url_of(engine)
        module = site.module
        if node is None or url is None:
            shown = module.excerpt(engine.call if node is None else node)
            raise _unknown_database(shown)
        if self._is_kept(url):
            return
        self._check_chosen(url, module.excerpt(node), drivers)
        span = self._span_in_text(engine, url)
        if span is not None:
            written = drivers[self._database(url.drivernames[0])].drivername
            yield site.write(span, written)
            return
        pairs = ", ".join(f'"{word}": "{drivers[word].drivername}"' for word in sorted(drivers))
        names = sorted(_sources(module) & self._homes.keys())
        home = self._homes[names[0]] if names else module
        function, edits = url_helper(site, home, f"{{{pairs}}}")
        yield from edits
        is_inside = isinstance(module.parent(engine.call), ast.Call | ast.keyword)
        if not is_rewritten and not is_inside:
            yield site.insert_before(node, f"{function}(")
            yield site.insert_behind(node, ")")
            return
        # No text: an edit of the call around it counts the calls inside.
        named = next((part.arg for part in engine.call.keywords if part.value is node), None)
        yield site.rewrite(engine.call, WRAP, Wrapped(function, named or ""))

    @cached_property
    def _homes(self) -> dict[str, Module]:
        """The files that define the function for URLs for others, which import from them."""
        engines = self._project.orm.engines
        changing = {
            engine.module.name: engine.module
            for engine in engines.all()
            if (url := engines.url_of(engine)) and not (engine.is_async or self._is_kept(url))
            if self._span_in_text(engine, url) is None
        }
        if self._project.files_with((b"sys.modules",)):
            return {}
        names = changing.keys()
        return {name: changing[name] for name in names if not names & _sources(changing[name])}

    def _span_in_text(self, engine: Engine, url: Url) -> Span | None:
        """Return where its file has the driver of an engine's only URL, in a text of its own."""
        module, holder = engine.module, engine.url
        if url.outside or len(url.texts) != 1:
            return None
        for bound in url.texts[0].through:
            holder = self._only_read(module, holder, bound)
        place = url.texts[0].place
        is_inside = holder is not None and module.span(holder).contains(place.span)
        is_here = is_inside and place.path == module.path
        return url.texts[0].driver_span(module.source.text) if is_here else None

    def _check_chosen(self, url: Url, shown: str, drivers: Mapping[str, AsyncDriver]) -> None:
        """Raise Refused where ``url`` may name a database of which the driver is unknown."""
        for name in _drivernames(url):
            if self._database(name) not in drivers and not self._is_asynchronous(name):
                raise self._question(name, f"for `{name}://`")
        names = [word for word in self._required_names if self._database(word) not in drivers]
        if not drivers:
            names += [
                *self._written_names,
                *(item.drivername for item in self._urls_in_other_files),
            ]
        if url.outside and names:
            raise self._question(names[0], f"`{shown}` may be a `{names[0]}://`, for which")
        if not drivers:
            raise _unknown_database(shown)

    def _question(self, name: str, shown: str) -> Refused:
        """Return the refusal that asks for the driver of a URL that begins with ``name``."""
        known = [driver.drivername.partition("+")[2] for driver in async_drivers(name)]
        if not known:
            return Refused(NO_DRIVER, f"{name}://")
        option = f'`drivers = {{ {self._database(name)} = "{known[0]}" }}`'
        others = "".join(f', or `"{word}"`' for word in known[1:])
        choice = f"{shown} there is {' or '.join(known)}"
        help_text = f"Set the option {option} of this rule{others}."
        refused = Refused(CHOOSE_DRIVER, choice, help_text)
        return refused.answered_by(*_answers(self._database(name), known))

    def _only_read(self, module: Module, holder: ast.expr | None, bound: Place) -> ast.expr | None:
        """Return what the variable bound at a place is given, if ``holder`` alone reads it."""
        nodes = module.expressions_at({bound.span}) if bound.path == module.path else ()
        node, scopes = next(iter(nodes), None), module.scopes
        bindings = scopes.bindings_of(node)
        if holder is None or not isinstance(node, ast.Name) or len(bindings) != 1:
            return None
        name, is_global = node.id, bindings[0].scope is scopes.module
        paths = self._project.files_with((name.encode(),)) if is_global else [module.path]
        homes = [home for path in paths if (home := self._project.module(path)) is not None]
        reads = [
            mention
            for home in homes
            for mention in home.mentions(name)
            # The same name of another file is another one.
            if not isinstance(mention, ast.Name)
            or self._project.qualified_name(home, mention) in {None, f"{module.name}.{name}"}
        ]
        if not is_global:
            others = [part for part in reads if isinstance(part, ast.Name)]
            reads = [part for part in others if scopes.bindings_of(part) == bindings]
        is_only = len(reads) == 1 and module.span(holder).contains(module.span(reads[0]))
        return bindings[0].value if is_only and reads[0] in module.mentions(name) else None

    def is_written_elsewhere(self, engine: Engine) -> bool:
        """Whether the driver of an engine is written into a text outside of the call."""
        url = self._project.orm.engines.url_of(engine)
        span = None if url is None else self._span_in_text(engine, url)
        is_inside = span is None or engine.module.span(engine.call).contains(span)
        return engine.url is None or not is_inside

    def sends_rows_together(self, engine: Engine) -> bool:
        """Whether the rows of an INSERT are sent in one statement now, and would not be then.

        A URL from outside may name what is installed.
        """
        return self._is_one_of(engine, [driver for driver in drivers() if driver.rows_together])

    def leaves_types(self, engine: Engine) -> bool:
        """Whether strings are sent without a type now, and would not be then."""
        return self._is_one_of(engine, [driver for driver in drivers() if driver.untyped])

    def _is_one_of(self, engine: Engine, known_drivers: Sequence[Driver]) -> bool:
        """Whether an engine has, or may have, one of these drivers."""
        url = self._project.orm.engines.url_of(engine)
        names = [self._full(driver) for driver in (() if url is None else _drivernames(url))]
        if any(name in known_driver.urls for name in names for known_driver in known_drivers):
            return True
        if not self._comes_from_outside(engine):
            return False
        known = {name.partition("+")[0] for name in names}
        return any(
            self._is_required(known_driver)
            for known_driver in known_drivers
            if not known & {each.partition("+")[0] for each in known_driver.urls}
        )

    def _full(self, drivername: str) -> str:
        return full_drivername(drivername, current=self._current)

    def _is_kept(self, url: Url) -> bool:
        return all(self._is_asynchronous(name) for name in url.drivernames or ("",))

    def _is_asynchronous(self, drivername: str) -> bool:
        """Whether it is with each version that the project may get; an assumed one may be older."""
        current = self._current and not self._is_assumed
        return is_async_driver(drivername, current=current) is True


def _unknown_database(shown: str) -> Refused:
    """Return the refusal where nothing says which database the URL ``shown`` is of."""
    known = {
        name: [each.drivername.partition("+")[2] for each in async_drivers(name)]
        for name in async_databases()
    }
    listed = "; ".join(f"{database}: {', '.join(names)}" for database, names in known.items())
    example = '`drivers = { postgresql = "psycopg" }`'
    help_text = f"Set the option {example} of this rule for the URL's database ({listed})."
    # The database that most of such programs have is offered first.
    order = sorted(known, key=lambda name: (name != "postgresql", name))
    answers = (answer for name in order for answer in _answers(name, known[name]))
    return Refused(UNKNOWN_DRIVER, shown, help_text).answered_by(*answers)


def _answers(database: str, names: Iterable[str]) -> list[str]:
    return [f'rules.session-to-async.drivers.{database} = "{name}"' for name in names]


def _sources(module: Module) -> set[str]:
    """Return the modules from which a file imports names at its top."""
    imports = (node for node in module.tree.body if isinstance(node, ast.ImportFrom))
    return {node.module for node in imports if node.module and not node.level}


def _drivernames(url: Url) -> list[str]:
    """Return the drivers that texts of the program name, the beginnings of others among them."""
    names = (text.text.partition("://")[0] for text in url.texts)
    return [name for name in dict.fromkeys(names) if name]


_LAYERS = ("sqlalchemy", "sqlmodel", "flask-sqlalchemy")
"""What requires SQLAlchemy, or is it."""

_FIRST = "2.0"
"""The version of SQLAlchemy that brought `async_sessionmaker`."""


def requirements(
    project: Project,
    site: SiteId,
    chosen: Iterable[AsyncDriver],
    in_tests: Collection[AsyncDriver],
    version: str,
) -> Iterator[Edit]:
    """Yield what the project needs to be asynchronous; ``site`` is that of an engine.

    Of the ``chosen`` drivers, those ``in_tests`` are needed there alone. ``version`` is the first
    SQLAlchemy for the URLs that stay, or empty.
    """
    needed = list(chosen)
    versions = (version, *(item.since for item in needed))
    since = max((_FIRST, *filter(None, versions)), key=Version)
    wanted = f"sqlalchemy[asyncio]>={since}"
    yield Requirement(root="", requirement=wanted, beside=_LAYERS, site=site)
    for driver in needed:
        replaced = [item for item in drivers() if item.urls and item.database == driver.database]
        written = f"{_distribution(project, driver, replaced)}{_versions(project, driver)}"
        if driver in in_tests:
            yield Requirement(
                root="", requirement=written, group="dev", beside=("pytest",), site=site
            )
            continue
        names = [name for item in replaced for name in item.distributions]
        beside = (*(name for name in names if project.targets.distribution(name)), *_LAYERS)
        yield Requirement(root="", requirement=written, beside=beside, site=site)


def _distribution(project: Project, driver: Driver, replaced: Iterable[Driver]) -> str:
    """Return what is to be installed: with its C library if the driver before brought one."""
    has_it = project.targets.declares_any(driver.distributions)
    others = (item for item in replaced if item.distribution != driver.distribution)
    libraries = [item.with_library for item in others if item.with_library]
    brought = project.targets.declares_any(Required(library).name for library in libraries)
    return (
        driver.with_library
        if brought and not has_it and driver.with_library
        else driver.distribution
    )


def check_versions(project: Project, chosen: Iterable[AsyncDriver]) -> None:
    """Raise Refused where the program is held to versions of a driver that do not work."""
    for driver in chosen:
        wanted = [limit for limit in (driver.versions, _limit(project, driver)) if limit]
        for name in driver.distributions:
            target = project.targets.distribution(name)
            if target is not None and not all(project.targets.admits(name, one) for one in wanted):
                needed = f"{name}{','.join(wanted)}"
                held = f"`{name}` is pinned to {target.specifier} ({target.origin})"
                raise Refused(OLD_DRIVER, f"{held}, and {needed} works", f"Require {needed}.")


def _versions(project: Project, driver: Driver) -> str:
    """Return the versions to require: those that work, where an installation may get others."""
    names = [name for name in driver.distributions if project.targets.distribution(name)]
    is_old = any(not project.targets.guarantees(name, driver.versions) for name in names)
    limits = (driver.versions if is_old else "", _limit(project, driver))
    return ",".join(limit for limit in limits if limit)


def _limit(project: Project, driver: Driver) -> str:
    """Return the versions that work with the SQLAlchemy that the project is held to."""
    for versions, limit in driver.limits.items():
        if project.targets.guarantees("sqlalchemy", versions):
            return limit
    return ""
