from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI()


@app.on_event("startup")
def handler():
    log.append("first")


@app.on_event("startup")
def handler():
    log.append("second")


def third():
    log.append("third")


app.add_event_handler("startup", third)


def third():
    log.append("never")


with TestClient(app):
    pass
print(log)
