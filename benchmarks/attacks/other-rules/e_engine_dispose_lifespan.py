# rules: engine-dispose
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("sqlite+aiosqlite:///a.db")
log: list[str] = []


@event.listens_for(engine.sync_engine, "close")
def closed(connection, record) -> None:
    log.append("close")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict]:
    log.append("start")
    try:
        yield {"n": 1}
    except RuntimeError:
        log.append("error")
        raise
    log.append("end")


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def index() -> int:
    async with engine.connect() as connection:
        return (await connection.execute(text("select 1"))).scalar()


for _ in range(2):
    with TestClient(app) as client:
        print(client.get("/").json())
    print([x for x in log if x != "close"])
