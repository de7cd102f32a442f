"""The amount of work of a question: how often it, and what it leads to, ask for something.

Each question that it leads to counts once, however many ask for it: an answer is remembered. A sum
would be twice as much with each ``query = query.filter(...)`` in one ``if`` after the other.
Questions are counted once by their names, so the size follows from the program alone and not from
what is remembered of it.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable
from dataclasses import dataclass

from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import Argument

WHOLE = 10  # steps of a question that counts whole wherever it is asked; most have fewer


@dataclass(frozen=True, slots=True, eq=False)
class Large:
    """A question of more than ``WHOLE`` steps, with the large ones among those that it asks.

    ``steps`` are its own, with those of the others. It outlives trees, so it names places only.
    """

    name: int
    steps: int
    asked: tuple[Large, ...]

    def size(self, most: int) -> int:
        """Return the steps of it and all that it leads to; above ``most`` those seen by then."""
        waiting, steps = Worklist([self], lambda item: item.name), 0
        for item in waiting:
            steps += item.steps
            if steps > most:
                break
            waiting += item.asked
        return steps


def name_of(key: Hashable, path: str) -> int:
    """Return a number for a question that is the same when its file is parsed again.

    ``path`` is the file of the nodes in ``key``.
    """
    return hash(_placed_value(key, path))


def _placed_value(part: object, path: str) -> object:
    match part:
        case ast.expr() | ast.stmt():
            end = part.end_lineno, part.end_col_offset
            return type(part), path, part.lineno, part.col_offset, end
        case tuple():
            return tuple(_placed_value(item, path) for item in part)
        case Argument():
            # Arguments that a recursion builds from each other have one place.
            return part, part.receiver, _placed_value(part.known, path)
    return part
