"""What callers pass to a parameter: the answer that the floor of calls gives to the evaluator."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from awaken.contract import Place
from awaken.project.source.modules import Module


@dataclass(frozen=True, slots=True)
class Given:
    """An expression that a caller passes, in its module."""

    module: Module
    node: ast.expr


@dataclass(slots=True)
class Passed:
    """All that is passed to a parameter by the calls in sight.

    ``doubts`` are clauses, with their places, that say why other values may be passed as well;
    without one, ``given`` is all that there is. ``calls`` is how many calls in sight say so.
    """

    given: list[Given] = field(default_factory=list)
    calls: int = 0
    doubts: dict[str, Place] = field(default_factory=dict)
