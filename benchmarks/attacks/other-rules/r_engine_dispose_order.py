# rules: engine-dispose
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("sqlite+aiosqlite:///a.db")


async def write(what: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("create table if not exists log (t text)"))
        await connection.execute(text("insert into log values (:t)"), {"t": what})


@asynccontextmanager
async def lifespan(app: FastAPI):
    await write("start")
    yield
    await write("stop")
    app.state.rows = await count()


async def count() -> int:
    async with engine.connect() as connection:
        return (await connection.execute(text("select count(*) from log"))).scalar()


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def index() -> int:
    return await count()


for _ in range(2):
    with TestClient(app) as client:
        print(client.get("/").json())
    print(app.state.rows)
