from __future__ import annotations

from fastapi import Depends, FastAPI, Query
from fastapi.testclient import TestClient


def create(prefix):
    app = FastAPI()

    def get_prefix():
        return prefix

    @app.get("/")
    def index(p: str = Depends(get_prefix), q: int = Query(1)):
        return [p, q]

    return app


print(TestClient(create("a")).get("/").json(), TestClient(create("b")).get("/?q=4").json())
