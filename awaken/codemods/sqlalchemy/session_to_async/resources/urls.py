"""URLs of databases: asynchronous drivers in the place of synchronous ones."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.payload import WRAP, Wrapped
from awaken.codemods.sqlalchemy.session_to_async.reasons import UNKNOWN_DRIVER
from awaken.contract import Edit
from awaken.kit.sites import Refused, Site
from awaken.project.frameworks.sqlalchemy.engines.drivers import (
    AsyncDriver,
    async_drivers,
    full_drivername,
    is_async_driver,
)

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.engines.domain import Engine, Url

_HELPER = '''\
def async_url(url: str | URL) -> URL:
    """Return the URL of a database with a driver for asyncio."""
    drivers = {drivers}
    parsed = make_url(url)
    return parsed.set(drivername=drivers.get(parsed.get_backend_name(), parsed.drivername))
'''


class Urls:
    """Chooses drivers, and writes them into URLs; ``chosen`` are those that somebody said."""

    def __init__(self, project: Project, chosen: Mapping[str, str]) -> None:
        self._project = project
        self._chosen = chosen
        self._current = not project.targets.admits("sqlalchemy", "<2.1")

    def drivers(self, engines: Sequence[Engine]) -> dict[str, AsyncDriver]:
        """Return the drivers by the databases that the URLs of ``engines`` may name."""
        found = {
            database: one
            for database, driver in sorted(self._chosen.items())
            for one in async_drivers(database)
            if one.drivername.partition("+")[2] == driver
        }
        for engine in engines:
            url = self._project.orm.engines.url_of(engine)
            for name in () if url is None else _drivernames(url):
                database = full_drivername(name, current=self._current).partition("+")[0]
                driver = self._driver(name)
                if driver is not None:
                    found.setdefault(database, driver)
        return found

    def _driver(self, drivername: str) -> AsyncDriver | None:
        full = full_drivername(drivername, current=self._current)
        known = async_drivers(drivername)
        said = self._chosen.get(full.partition("+")[0])
        for one in known:
            if one.drivername.partition("+")[2] == said:
                return one
        if said is not None:
            return None
        for one in known:
            # It serves both sides, or the project has it already.
            has_it = self._project.targets.distribution(one.distribution) is not None
            if one.drivername == full or has_it:
                return one
        return known[0] if len(known) == 1 or full.startswith("sqlite") else None

    def edits(
        self, site: Site[ast.expr], engine: Engine, drivers: Mapping[str, AsyncDriver]
    ) -> Iterator[Edit]:
        """Yield what gives ``engine`` a URL with an asynchronous driver. Raises Refused."""
        node, url = engine.url, self._project.orm.engines.url_of(engine)
        module = site.module
        if node is None or url is None or not drivers:
            shown = module.excerpt(engine.call if node is None else node)
            raise Refused(UNKNOWN_DRIVER, shown)
        if all(self._is_asynchronous(one) for one in url.drivernames or ("",)):
            return
        if isinstance(node, ast.Constant) and len(url.drivernames) == 1:
            name = url.drivernames[0]
            database = full_drivername(name, current=self._current).partition("+")[0]
            if database not in drivers:
                raise Refused(UNKNOWN_DRIVER, module.excerpt(node))
            text = module.text_of(node)
            yield site.replace(node, text.replace(name, drivers[database].drivername, 1))
            return
        pairs = ", ".join(f'"{one}": "{drivers[one].drivername}"' for one in sorted(drivers))
        # Each of several engines brings it: any of them may be the only one that changes.
        yield site.insert_after_imports(_HELPER.replace("{drivers}", f"{{{pairs}}}"))
        yield site.need_import("sqlalchemy", "URL")
        yield site.need_import("sqlalchemy", "make_url")
        if not isinstance(module.parent(engine.call), ast.Call | ast.keyword):
            yield site.insert_before(node, "async_url(")
            yield site.insert_behind(node, ")")
            return
        # No text: an edit of the call around it counts the calls inside.
        named = next((one.arg for one in engine.call.keywords if one.value is node), None)
        yield site.rewrite(engine.call, WRAP, Wrapped("async_url", named or ""))

    def _is_asynchronous(self, drivername: str) -> bool:
        return is_async_driver(drivername, current=self._current) is True


def _drivernames(url: Url) -> list[str]:
    """Return the drivers that texts of the program name, the beginnings of others among them."""
    names = (one.text.partition("://")[0] for one in url.texts)
    return [one for one in dict.fromkeys(names) if one]
