import pytest
from fastapi.testclient import TestClient

from orders.main import app, log


@pytest.fixture
def client():
    with TestClient(app) as client:
        client.post("/orders", json={"customer": "Ann", "articles": {"tea": 2, "cup": 1}})
        client.post("/orders", json={"customer": "Bob", "articles": {"tea": 1}})
        client.post("/orders", json={"customer": "Ann", "articles": {"pot": 1}})
        yield client


def test_health(client):
    assert client.get("/health").json() == {"alive": True}


def test_overview(client):
    rows = client.get("/orders").json()
    assert [(row["customer"], row["order"]) for row in rows] == [("Ann", 1), ("Ann", 3), ("Bob", 2)]


def test_articles(client):
    assert client.get("/articles").json() == {"tea": 3, "cup": 1, "pot": 1}


def test_ship(client):
    assert client.post("/orders/2/ship").json() == {"order": 2}
    assert client.post("/orders/2/ship").status_code == 404
    assert client.post("/orders/9/ship").status_code == 404


def test_forget_shipped(client):
    client.post("/orders/1/ship")
    assert client.delete("/orders/shipped").json() == {"gone": 1}
    assert client.get("/articles").json() == {"tea": 1, "pot": 1}


def test_start_and_stop():
    log.clear()
    with TestClient(app):
        assert log == ["up"]
    assert log == ["up", "down"]
