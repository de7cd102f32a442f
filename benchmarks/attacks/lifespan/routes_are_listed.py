from fastapi import FastAPI
from fastapi.testclient import TestClient

app = FastAPI(title="t", version="3")


@app.on_event("startup")
def up():
    print("routes", len(app.routes))


@app.get("/a")
def a():
    return 1


with TestClient(app) as client:
    print(sorted(client.get("/openapi.json").json()["paths"]))
