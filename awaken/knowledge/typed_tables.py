"""Typed TOML: the tables in which awaken's own knowledge is written."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import msgspec

_Table = TypeVar("_Table")

SHIPPED = Path(__file__).with_name("tables.msgpack")
"""The tables of a built distribution, parsed: `hatch_build.py` puts them there."""


def read_table(package: str, name: str, form: type[_Table]) -> _Table:
    """Return the file ``name`` of ``package`` as a ``form``.

    Raises msgspec.ValidationError where it does not have that form.
    """
    shipped = _shipped_tables().get(f"{package}/{name}")
    if shipped is not None:
        return msgspec.msgpack.decode(shipped, type=form)
    return msgspec.toml.decode(files(package).joinpath(name).read_bytes(), type=form)


def read_tables(package: str, form: type[_Table]) -> tuple[_Table, ...]:
    """Return all TOML files of ``package``, sorted by name, each as a ``form``.

    Raises msgspec.ValidationError where one does not have that form.
    """
    names = sorted(entry.name for entry in files(package).iterdir() if entry.name.endswith(".toml"))
    return tuple(read_table(package, name, form) for name in names)


def parsed_tables() -> bytes:
    """Return all tables as a distribution has them: to parse them takes 30 ms of each run."""
    folder = SHIPPED.parent
    tables = {}
    for path in sorted(folder.rglob("*.toml")):
        package = ".".join((__package__, *path.parent.relative_to(folder).parts))
        tables[f"{package}/{path.name}"] = msgspec.toml.decode(path.read_bytes())
    return msgspec.msgpack.encode(tables)


@cache
def _shipped_tables() -> dict[str, msgspec.Raw]:
    with suppress(OSError):
        return msgspec.msgpack.decode(SHIPPED.read_bytes(), type=dict[str, msgspec.Raw])
    return {}
