# rules: httpx-asgi-transport
# needs: httpx<0.28
import asyncio
import inspect

import httpx
from fastapi import FastAPI
from httpx import AsyncClient

app = FastAPI()


@app.get("/")
def index() -> str:
    return "index"


class Client(httpx.AsyncClient):
    def __init__(self, app=None, **kwargs):
        if app is not None:
            kwargs["transport"] = httpx.ASGITransport(app=app)
        super().__init__(base_url="http://t", **kwargs)


def client_for(app) -> AsyncClient:
    return AsyncClient(app=app, base_url="http://t")


async def main() -> None:
    async with Client(app=app) as client:
        print((await client.get("/")).json())
    try:
        async with client_for(app) as client:
            print((await client.get("/")).status_code)
    except TypeError as error:
        print("TypeError")
    options = {"base_url": "http://t"}
    async with AsyncClient(transport=httpx.ASGITransport(app=app), **options) as client:
        print((await client.get("/nope")).status_code)


asyncio.run(main())
