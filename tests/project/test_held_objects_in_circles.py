"""What classes hold that lead to each other is one answer, whichever of them is asked first."""

from __future__ import annotations

from itertools import permutations

import pytest
from programs import MODELS, program

from awaken.project.frameworks.sqlalchemy.commits.loaded_objects import Loaded
from awaken.project.values.domain import InstanceOf

CIRCLE = """
    from models import User
    class Left:
        right: "Right"
        user: User
    class Right:
        left: Left
    class Outer:
        right: Right
"""


def held(*names: str) -> dict[str, str]:
    """Return what instances of these classes hold, asked in this order."""
    orm = program({"models.py": MODELS, "m.py": CIRCLE}).orm
    loaded = Loaded(orm.models._evaluator, orm.models)
    return {name: loaded.held_kind((InstanceOf(f"m.{name}"),)) for name in names}


@pytest.mark.parametrize("order", [*permutations(("Left", "Right", "Outer"))])
def test_every_order_gives_the_same(order):
    assert held(*order) == dict.fromkeys(order, "objects")
