# announced: and a surrounding `except` hides that
import asyncio

import httpx
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def index():
    return "ok"


class Client(httpx.AsyncClient):
    def __init__(self, app=None, **kw):
        transport = httpx.ASGITransport(app=app) if app else None
        super().__init__(transport=transport, base_url="http://t", **kw)


async def main():
    async with Client(app=app) as client:
        print((await client.get("/")).json())
    try:
        httpx.AsyncClient(app=app)
    except TypeError as error:
        print(error)


asyncio.run(main())
