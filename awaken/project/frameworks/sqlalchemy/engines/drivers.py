"""The drivers of engine URLs: which are asynchronous, and which take the place of others.

``awaken/knowledge/ecosystem/drivers.toml`` has the facts about each.
"""

from __future__ import annotations

from msgspec import structs

from awaken.knowledge.ecosystem import Driver, default_drivers, drivers
from awaken.project.frameworks.sqlalchemy.engines.engine_facts import Engine, Url
from awaken.project.source.trees import last_name


class AsyncDriver(Driver, frozen=True, kw_only=True):
    """An asynchronous driver for a database; ``drivername`` is what a URL begins with."""

    drivername: str

    @property
    def is_for_both(self) -> bool:
        """Whether the same name makes a synchronous engine as well."""
        return self.async_urls == self.urls

    def differences(self, engine: Engine | None, url: Url | None) -> tuple[str, ...]:
        """Return what it does otherwise than synchronous drivers with a database, a clause each.

        Sessions of an engine with a ``StaticPool`` share its one connection already.
        """
        pool = None if engine is None else engine.options.get("poolclass")
        is_shared = pool is not None and last_name(pool) == "StaticPool"
        is_pinging = engine is not None and "pool_pre_ping" in engine.options
        said = (*self.stricter, *(self.pinging if is_pinging else ()))
        texts = () if is_shared or url is None else url.texts
        if not any(text.is_in_memory and not text.is_shared_memory for text in texts):
            return said
        return (*said, *self.in_memory)


def full_drivername(drivername: str, *, current: bool) -> str:
    """Return ``postgresql+psycopg2`` for ``postgresql``: the driver that SQLAlchemy takes.

    ``current`` is SQLAlchemy 2.1 or later, which takes other ones. A name that has its driver, and
    one of a database unknown to SQLAlchemy, is returned unchanged.
    """
    dialect, _, driver = drivername.partition("+")
    known = default_drivers()
    dialect = known.renamed.get(dialect, dialect)
    if driver:
        return f"{dialect}+{driver}"
    named = (known.since_2_1 if current else {}).get(dialect) or known.drivers.get(dialect)
    return dialect if named is None else f"{dialect}+{named}"


def is_async_driver(drivername: str, *, current: bool) -> bool | None:
    """Whether ``create_async_engine`` takes a URL with this driver; None if that is not known."""
    full = full_drivername(drivername, current=current)
    if any(full in _as_dialect(driver.async_urls, full) for driver in drivers()):
        return True
    blocks = any(full in _as_dialect(driver.urls, full) for driver in drivers())
    return False if blocks or full == default_drivers().builtin else None


def async_databases() -> tuple[str, ...]:
    """Return the databases that have an asynchronous driver, as URLs name them."""
    named = {url.partition("+")[0] for driver in drivers() for url in driver.async_urls}
    # MariaDB has the drivers of MySQL, under a name of its own.
    return tuple(sorted(named | {"mariadb"}))


def async_drivers(drivername: str) -> tuple[AsyncDriver, ...]:
    """Return the asynchronous drivers for the database of a URL, the most used first."""
    dialect = drivername.partition("+")[0]
    dialect = default_drivers().renamed.get(dialect, dialect)
    return tuple(
        AsyncDriver(drivername=url, **structs.asdict(driver))
        for driver in drivers()
        for url in _as_dialect(driver.async_urls, dialect)
        if url.partition("+")[0] == dialect
    )


def _as_dialect(urls: tuple[str, ...], drivername: str) -> list[str]:
    """Return ``urls`` for the name that ``drivername`` has for the database: MariaDB is MySQL."""
    if drivername.partition("+")[0] != "mariadb":
        return list(urls)
    return [f"mariadb+{url.removeprefix('mysql+')}" for url in urls if url.startswith("mysql+")]
