"""Words of which a file holds one if a query has a site in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_DOTTED_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def words_of(transforms: Sequence[Any]) -> tuple[str, ...]:
    """Return a word for each selector; none if one of them may find something in any file.

    That does each whose name is more than a name: Bowler puts it into a pattern, which then may
    hold alternatives.
    """
    found: list[str] = []
    for transform in transforms:
        name = transform.kwargs.get("name")
        if (
            transform.fixer is not None
            or not isinstance(name, str)
            or not _DOTTED_NAME.fullmatch(name)
        ):
            return ()
        found.append(max(name.split("."), key=len))
    return tuple(found)
