# rules: on-event-to-lifespan
import asyncio
import contextvars
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

app = FastAPI()
current = contextvars.ContextVar("current", default="unset")
log: list[str] = []


@app.on_event("startup")
async def set_context() -> None:
    current.set("startup")
    app.state.token = current.get()


@app.on_event("startup")
async def check() -> None:
    log.append(current.get())


@app.on_event("shutdown")
async def at_end() -> None:
    log.append(f"end {current.get()} {asyncio.current_task().get_name() != ''}")


@app.get("/")
async def index(request: Request) -> list:
    return [current.get(), request.app.state.token, hasattr(request.state, "token")]


with TestClient(app) as client:
    print(client.get("/").json())
print(log)
