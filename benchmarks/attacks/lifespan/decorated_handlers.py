import functools

from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI()


def timed(function):
    @functools.wraps(function)
    async def inner():
        log.append("before")
        await function()
        log.append("after")

    return inner


def sync_wrapper(function):
    def inner():
        log.append("sync")
        return function()

    return inner


@app.on_event("startup")
@timed
async def up():
    log.append("up")


@app.on_event("startup")
@sync_wrapper
async def lost():
    log.append("lost")


with TestClient(app):
    pass
print(log)
