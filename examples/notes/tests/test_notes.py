import pytest
from fastapi.testclient import TestClient

from notes.main import app


@pytest.fixture
def client():
    with TestClient(app) as client:
        client.post("/notes", json={"text": "Buy tea", "tags": ["shop", "home"]})
        client.post("/notes", json={"text": "Call Ann"})
        yield client


def test_notes(client):
    assert client.get("/notes").json() == [
        {"text": "Buy tea", "tags": ["shop", "home"]},
        {"text": "Call Ann", "tags": []},
    ]


def test_note(client):
    assert client.get("/notes/2").json() == {"text": "Call Ann"}
    assert client.get("/notes/9").status_code == 404


def test_change(client):
    assert client.put("/notes/2", json={"text": "Call Bob"}).json() == {"id": 2}
    assert client.get("/notes/2").json() == {"text": "Call Bob"}


def test_remove(client):
    assert client.delete("/notes/2").status_code == 204
    assert client.delete("/notes/2").status_code == 404


def test_tags(client):
    assert client.get("/tags").json() == ["home", "shop"]
