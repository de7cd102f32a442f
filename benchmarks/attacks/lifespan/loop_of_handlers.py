from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI()


async def one():
    log.append(1)


def two():
    log.append(2)


for handler in (one, two):
    app.add_event_handler("startup", handler)
    app.on_event("shutdown")(handler)
with TestClient(app):
    pass
print(log)
