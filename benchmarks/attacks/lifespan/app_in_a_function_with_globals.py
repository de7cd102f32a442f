from fastapi import FastAPI
from fastapi.testclient import TestClient

app = None
log = []


def build():
    global app
    app = FastAPI()

    @app.on_event("startup")
    def up():
        nonlocal_count[0] += 1
        log.append(nonlocal_count[0])

    nonlocal_count = [0]
    app.on_event("shutdown")(lambda: log.append("down"))


build()
with TestClient(app):
    pass
first = app
build()
with TestClient(app):
    pass
print(log, first is app)
