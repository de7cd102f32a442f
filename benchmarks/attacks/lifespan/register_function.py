from fastapi import FastAPI
from fastapi.testclient import TestClient

import events

app = FastAPI()
events.register(app)


@app.on_event("startup")
def mine():
    events.log.append("mine")


events.register(app)
other = FastAPI()
events.register(other)
with TestClient(app):
    pass
with TestClient(other):
    pass
print(events.log)
# --- events.py
log = []


def register(app):
    @app.on_event("startup")
    def up():
        log.append("registered")

    @app.on_event("shutdown")
    def down():
        log.append("down")
