from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []


@asynccontextmanager
async def lifespan(app):
    log.append("lifespan")
    yield


app = FastAPI(lifespan=lifespan)


@app.on_event("startup")
def never():
    log.append("never")


with TestClient(app):
    pass
print(log, len(app.router.on_startup))
