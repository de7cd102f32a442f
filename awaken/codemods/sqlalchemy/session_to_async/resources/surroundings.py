"""What stands beside the code: requirements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.contract import Edit, Requirement, SiteId

if TYPE_CHECKING:
    from awaken.project.frameworks.sqlalchemy.engines.drivers import AsyncDriver


def requirements(site: SiteId, drivers: Iterable[AsyncDriver]) -> Iterator[Edit]:
    """Yield what the project needs to be asynchronous; ``site`` is that of an engine."""
    yield Requirement(root="", requirement="sqlalchemy[asyncio]", site=site)
    for driver in drivers:
        yield Requirement(root="", requirement=driver.distribution, site=site)
