"""The data that the rewriters get."""

from __future__ import annotations

from msgspec import Struct


class Parameter(Struct, frozen=True):
    """A parameter to add, as code: ``db: Session = Depends(get_db)``."""

    code: str
