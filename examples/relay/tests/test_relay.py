import asyncio

import pytest
from starlette.testclient import TestClient

from relay.main import app
from relay.workers import digest, within


@pytest.fixture
def client():
    with TestClient(app) as client:
        yield client


def test_messages_are_kept_in_order(client):
    for number, text in enumerate(["one", "two"], 1):
        assert client.post("/channels/news", json={"text": text}).json() == {"kept": number}
    client.post("/channels/other", json={"text": "three"})
    assert client.get("/channels/news").json() == ["news: one", "news: two"]
    assert client.get("/channels/none").json() == []


def test_two_are_signed(client):
    expected = [f"a {digest('a')}", f"b {digest('b')}"]
    assert client.post("/sign", json=["a", "b"]).json() == expected


def test_all_are_signed(client):
    texts = ["a", "b", "c"]
    expected = [f"{text} {digest(text)}" for text in texts]
    assert client.post("/sign", json=texts).json() == expected


def test_one_is_signed_in_time(client):
    assert client.get("/soon", params={"text": "a"}).json() == f"a {digest('a')}"


def test_too_late(monkeypatch):
    async def slow(text):
        await asyncio.sleep(5)

    monkeypatch.setattr("relay.workers.signed", slow)
    assert asyncio.run(within(0.01, "a")) == "late"
