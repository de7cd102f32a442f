import functools

from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []


class Starter:
    def __call__(self):
        log.append("called")


class AsyncStarter:
    async def __call__(self):
        log.append("awaited")


async def connect(url):
    log.append(url)


app = FastAPI()
app.add_event_handler("startup", Starter())
app.add_event_handler("startup", AsyncStarter())
app.add_event_handler("startup", functools.partial(connect, "url"))
app.add_event_handler("startup", functools.partial(log.append, "partial"))
with TestClient(app):
    pass
print(log)
