"""Facts about a commit: its place, its session, and the code that runs after it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from awaken.contract import Place


class Commit(Struct, frozen=True):
    """A call, or a ``with`` block that is left, which commits what a session holds.

    ``session`` is the place that binds the variable of the session, None where it comes from
    elsewhere. ``unless`` is empty, or says what is not known of it: whether it is a session's, or a
    commit.
    """

    place: Place
    is_async: bool
    session: Place | None = None
    unless: str = ""


class Later(Struct, frozen=True):
    """Something that may happen after a commit.

    ``read``: ``what`` holds an object that was there before; ``store``: ``what`` is an attribute of
    such an object, and is set; ``load``: the session loads ``what``
    again, and returns objects that it already has; ``call``: ``what`` is called, and may do the
    same; ``unknown``: ``what`` is a clause that names the unknown part. ``is_clean`` says of a load
    that nothing is changed by hand before it.
    """

    kind: Literal["read", "store", "load", "call", "unknown"]
    place: Place
    what: str
    commit: Place
    is_clean: bool = False
