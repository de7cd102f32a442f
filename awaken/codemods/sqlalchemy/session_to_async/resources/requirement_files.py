"""Files next to the code: requirements."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from packaging.requirements import Requirement as Required
from packaging.version import Version

from awaken.codemods.sqlalchemy.session_to_async.reasons import OLD_DRIVER
from awaken.contract import Edit, Requirement, SiteId
from awaken.kit.sites import Refused
from awaken.knowledge.ecosystem import Driver, drivers

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.engines.drivers import AsyncDriver

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
