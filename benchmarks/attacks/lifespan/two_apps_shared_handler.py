from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
one, other = FastAPI(title="one"), FastAPI(title="other")


@one.on_event("startup")
@other.on_event("startup")
def up():
    log.append("up")


@other.on_event("shutdown")
def down():
    log.append("down")


for app in (one, other):
    with TestClient(app):
        log.append(app.title)
print(log)
