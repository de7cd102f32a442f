# rules: annotated-dependency
from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI, Query, Request
from fastapi.testclient import TestClient


def make_app(limit: int) -> FastAPI:
    app = FastAPI()

    def size(n: int = Query(limit)) -> int:
        return n

    @app.get("/")
    def index(request: Request, value: int = Depends(size), q: str = Query("x", max_length=limit)) -> list:
        return [value, q, request.url.path]

    return app


for limit in (1, 2):
    with TestClient(make_app(limit)) as client:
        print(client.get("/").json(), client.get("/?q=ab").status_code)
