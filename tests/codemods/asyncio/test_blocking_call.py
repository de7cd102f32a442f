"""What blocking-call asks of a program, and what it need not ask."""

from __future__ import annotations

import pytest
from small_programs import findings

from awaken.project.effects.effects import Effects

ASKED = """
import asyncio
{imported}

class Pages:
    def __init__(self, client):
        self.client = client

    def page(self, name):
        return self.client.get(name)

    async def pages(self, http_client):
        return self.client.get("a"), http_client.post("b"), self.client.get("c")
"""


@pytest.mark.parametrize(
    ("imported", "asks"),
    [
        ("", False),
        ("import json", False),
        ("import requests", True),
        ("from httpx import Client", True),
        ("import sqlmodel", True),
    ],
)
def test_receivers_are_evaluated_where_a_library_is_mentioned(imported, asks, monkeypatch):
    asked = []

    monkeypatch.setattr(Effects, "library_functions", lambda *args: asked.append(args) or ())

    assert findings("blocking-call", ASKED.format(imported=imported)) == []
    assert bool(asked) is asks
