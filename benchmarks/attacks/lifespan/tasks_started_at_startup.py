import asyncio

from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI()


@app.on_event("startup")
async def up():
    async def poll():
        try:
            await asyncio.sleep(10)
        finally:
            log.append("cancelled")

    app.state.task = asyncio.create_task(poll())


@app.on_event("shutdown")
async def down():
    await asyncio.sleep(0)
    app.state.task.cancel()
    try:
        await app.state.task
    except asyncio.CancelledError:
        log.append("awaited")


with TestClient(app):
    pass
print(log)
