from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

log = []


@asynccontextmanager
async def around(app):
    log.append("router up")
    yield {"from": "router"}
    log.append("router down")


router = APIRouter(lifespan=around)
app = FastAPI()


@app.on_event("startup")
def up():
    log.append("up")


@app.on_event("shutdown")
def down():
    log.append("down")


app.include_router(router)
with TestClient(app) as client:
    log.append(client.app_state)
print(log)
