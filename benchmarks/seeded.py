"""A pytest plugin: what is random in a test is drawn from the name of the test.

Identifiers, salts and tokens are then the same in every run, and so is the order in which rows
with such keys are written; otherwise that order alone makes two runs of the same code differ.
"""

from __future__ import annotations

import os
import random

import pytest


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


draw_from("while the tests are imported")
