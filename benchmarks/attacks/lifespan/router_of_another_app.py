from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
inner, app = FastAPI(), FastAPI()


@inner.on_event("startup")
def inner_up():
    log.append("inner")


@app.on_event("startup")
def app_up():
    log.append("app")


@inner.on_event("shutdown")
def inner_down():
    log.append("inner down")


app.include_router(inner.router, prefix="/inner")
with TestClient(app):
    log.append("open")
with TestClient(inner):
    log.append("inner open")
print(log)
