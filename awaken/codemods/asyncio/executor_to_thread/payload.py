"""The payload of the rewriter: plain data."""

from __future__ import annotations

from msgspec import Struct


class Threaded(Struct, frozen=True):
    """The replacement of a call of ``run_in_executor()``.

    ``function`` is how ``to_thread`` is written. With ``through``, the function that is passed is a
    ``partial(...)`` or a ``lambda`` of a call, which is taken apart.
    """

    function: str
    through: bool = False
