"""Outlines: the effect of a change on a whole program, in readable lines.

A rule that changes a program as a whole has hundreds of findings that each say little. Its outline
says what they come to: where it begins, what it changes file by file, and what stops it.
"""

from __future__ import annotations

from msgspec import Struct

from awaken.contract.findings import ChangeId, SiteId
from awaken.contract.places import Place


class OutlineRow(Struct, frozen=True):
    """One line: ``count`` things of a kind, the first of them at ``place``.

    Without a ``text`` it is about the file of the place.
    """

    text: str = ""
    count: int = 1
    place: Place | None = None


class OutlinePart(Struct, frozen=True):
    """Lines below one ``heading``; programs know the part by its ``key``.

    ``total`` is how many things there are in all, where that is worth saying.
    """

    key: str
    heading: str
    rows: tuple[OutlineRow, ...]
    total: int = 0


class Outline(Struct, frozen=True, kw_only=True):
    """The effect of a rule on the sites of one change, or why it does nothing to ``sites``.

    It describes the ``change`` if that is made or waits for permission; otherwise it says why there
    is none. The ``title`` is a sentence without its full stop.
    """

    rule: str
    title: str
    parts: tuple[OutlinePart, ...]
    sites: tuple[SiteId, ...]
    change: ChangeId | None = None
