from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
inner = FastAPI()
outer = FastAPI()


@inner.on_event("startup")
def inner_up():
    log.append("inner")


@outer.on_event("startup")
def outer_up():
    log.append("outer")


@inner.get("/x")
def x():
    return "x"


outer.mount("/inner", inner)
with TestClient(outer) as client:
    print(client.get("/inner/x").json(), log)
with TestClient(inner) as client:
    print(client.get("/x").json(), log)
