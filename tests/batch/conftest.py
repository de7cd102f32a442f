"""The fixtures of campaigns."""

from __future__ import annotations

import pytest
from campaigns import World


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)
