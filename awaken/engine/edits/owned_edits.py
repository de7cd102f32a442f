"""Edits on their way through the engine, each with the change and the rule it belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from msgspec import Struct

from awaken.contract import ChangeId, Level

EditT = TypeVar("EditT")

OVERLAP = "two edits of this change overlap"
"""Why a change is refused whose edits are in the way of one another."""


class OwnedEdit(Struct, Generic[EditT], frozen=True):
    """An edit with what it belongs to: the change, the level of that change, and the rule."""

    change: ChangeId
    rule: str
    edit: EditT
    level: Level = Level.SAFE


def of_kind(edits: Iterable[OwnedEdit[Any]], kind: type[EditT]) -> list[OwnedEdit[EditT]]:
    """Return those of ``edits`` that are of one kind, in their order."""
    return [owned for owned in edits if isinstance(owned.edit, kind)]
