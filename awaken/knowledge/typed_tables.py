"""Typed TOML: the tables in which awaken's own knowledge is written."""

from __future__ import annotations

from importlib.resources import files
from typing import TypeVar

import msgspec

_Table = TypeVar("_Table")


def read_table(package: str, name: str, form: type[_Table]) -> _Table:
    """Return the file ``name`` of ``package`` as a ``form``.

    Raises msgspec.ValidationError where it does not have that form.
    """
    return msgspec.toml.decode(files(package).joinpath(name).read_bytes(), type=form)


def read_tables(package: str, form: type[_Table]) -> tuple[_Table, ...]:
    """Return all TOML files of ``package``, sorted by name, each as a ``form``.

    Raises msgspec.ValidationError where one does not have that form.
    """
    names = sorted(entry.name for entry in files(package).iterdir() if entry.name.endswith(".toml"))
    return tuple(read_table(package, name, form) for name in names)
