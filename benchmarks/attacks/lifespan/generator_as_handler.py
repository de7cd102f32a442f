from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI()


@app.on_event("startup")
def never_runs():
    log.append("generator")
    yield


@app.on_event("startup")
def plain():
    log.append("plain")


with TestClient(app):
    pass
print(log)
