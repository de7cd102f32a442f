from contextvars import ContextVar

from fastapi import FastAPI
from fastapi.testclient import TestClient

tenant = ContextVar("tenant", default="none")
seen = []
app = FastAPI()


@app.on_event("startup")
async def up():
    tenant.set("set")


@app.on_event("startup")
async def then():
    seen.append(tenant.get())


@app.on_event("shutdown")
async def down():
    seen.append(tenant.get())


@app.get("/")
async def read():
    return tenant.get()


with TestClient(app) as client:
    seen.append(client.get("/").json())
print(seen)
