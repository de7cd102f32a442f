import asyncio

from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI()


@app.on_event("startup")
async def up():
    log.append("up")


@app.on_event("startup")
@app.on_event("shutdown")
def both():
    log.append("both")


asyncio.run(up())
both()
with TestClient(app):
    pass
print(log, up.__name__)
