from fastapi import FastAPI
from fastapi.testclient import TestClient


def create():
    count = 0
    app = FastAPI()

    @app.on_event("startup")
    def up():
        nonlocal count
        count += 1

    @app.on_event("shutdown")
    def down():
        nonlocal count
        count += 10

    @app.get("/")
    def read():
        return count

    return app


app = create()
for _ in range(2):
    with TestClient(app) as client:
        print(client.get("/").json())
