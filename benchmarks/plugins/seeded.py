"""A pytest plugin that takes chance out of a test, so that two runs send the same statements.

What is random is drawn from the name of the test: identifiers, salts and tokens are then the same
in every run, and so is the order in which rows with such keys are written. Garbage is collected
between tests alone: a session holds its objects weakly, and those in reference cycles are loaded
again if the collector, which counts allocations, happens to have come by. A flush goes through
sets in the order in which they were filled, not by the addresses of what they hold: the reverse of
what SQLAlchemy's own tests do with `--reversetop` (`orm.util.randomize_unitofwork`).
"""

from __future__ import annotations

import gc
import os
import random
from importlib import import_module

import pytest
from sqlalchemy.util import OrderedSet

FLUSHING = (
    "sqlalchemy.util.topological",
    "sqlalchemy.orm.unitofwork",
    "sqlalchemy.orm.session",
    "sqlalchemy.orm.mapper",
    "sqlalchemy.orm.dependency",
)


def draw_from(seed: str) -> None:
    """Take what `random`, `uuid` and `secrets` give from `seed` alone."""
    random.seed(seed)
    drawn = random.Random(seed)
    os.urandom = drawn.randbytes
    vars(random)["_urandom"] = drawn.randbytes


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start over in every test, before its fixtures are made."""
    draw_from(item.nodeid)
    gc.collect()


draw_from("while the tests are imported")
gc.disable()
for module in FLUSHING:
    vars(import_module(module))["set"] = OrderedSet
