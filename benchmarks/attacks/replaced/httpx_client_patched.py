# pytest: yes
# rules: httpx-asgi-transport
import httpx
from fastapi import FastAPI

app = FastAPI()


async def remote(url: str) -> int:
    async with httpx.AsyncClient(base_url=url) as client:
        return (await client.get("/")).status_code


@app.get("/")
async def index() -> int:
    return await remote("http://other")


# --- tests/test_index.py
import asyncio
from unittest.mock import patch

import httpx

import main


def test_remote_is_this_app():
    original = httpx.AsyncClient

    def local(**kwargs):
        return original(transport=httpx.ASGITransport(app=lambda *a: teapot(*a)), **kwargs)

    async def teapot(scope, receive, send):
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with patch.object(main.httpx, "AsyncClient", local):
        assert asyncio.run(main.remote("http://t")) == 418
