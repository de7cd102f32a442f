from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI()


@app.on_event("startup")
def up():
    log.append("up")


@app.on_event("shutdown")
def down():
    log.append("down")


@app.get("/boom")
def boom():
    raise KeyError("boom")


try:
    with TestClient(app) as client:
        client.get("/boom")
except KeyError as error:
    log.append(repr(error))
try:
    with TestClient(app, raise_server_exceptions=False) as client:
        log.append(client.get("/boom").status_code)
        raise OSError("in the test")
except OSError as error:
    log.append(repr(error))
print(log)
