"""What stands beside the code: requirements, and the settings by which asynchronous tests run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.contract import CreateFile, Edit, Requirement, SetKey, SiteId
from awaken.project.source.test_files import is_test_file

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.components.pieces import Piece
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.engines.drivers import AsyncDriver

_PLUGIN = "pytest-asyncio"
_TABLE = ("tool", "pytest", "ini_options")


def requirements(site: SiteId, drivers: Iterable[AsyncDriver]) -> Iterator[Edit]:
    """Yield what the project needs to be asynchronous; ``site`` is that of an engine."""
    yield Requirement(root="", requirement="sqlalchemy[asyncio]", site=site)
    for driver in drivers:
        yield Requirement(root="", requirement=driver.distribution, site=site)


def test_settings(project: Project, site: SiteId, functions: Iterable[Piece]) -> Iterator[Edit]:
    """Yield the settings by which pytest runs ``functions``, those of tests among them."""
    if not any(is_test_file(one.path) for one in functions):
        return
    settings = project.pytest
    if settings.asyncio_mode == "auto":
        return
    if project.targets.distribution(_PLUGIN) is None:
        yield Requirement(root="", requirement=_PLUGIN, group="dev", site=site)
    if settings.path:
        name = settings.table.strip("[]") or "pytest"
        table = tuple(name.split(".")) if settings.path.endswith(".toml") else (name,)
        yield SetKey(path=settings.path, table=table, key="asyncio_mode", value="auto", site=site)
    elif "pyproject.toml" in project.snapshot:
        yield SetKey(
            path="pyproject.toml", table=_TABLE, key="asyncio_mode", value="auto", site=site
        )
    else:
        yield CreateFile(path="pytest.ini", text="[pytest]\nasyncio_mode = auto\n", site=site)
