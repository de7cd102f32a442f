from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from .store import create_tables, texts
from .workers import Relay, all_of, both, within

relay = Relay()


@asynccontextmanager
async def lifespan(app):
    await create_tables()
    relay.__init__()
    relay.start()
    yield
    await relay.stop()


async def post(request):
    body = await request.json()
    await relay.put(request.path_params["channel"], body["text"])
    await relay.queue.join()
    return JSONResponse({"kept": relay.kept[-1]}, 201)


async def read(request):
    return JSONResponse(await texts(request.path_params["channel"]))


async def sign(request):
    body = await request.json()
    if len(body) == 2:
        return JSONResponse(await both(*body))
    return JSONResponse(await all_of(body))


async def soon(request):
    return JSONResponse(await within(5, request.query_params["text"]))


app = Starlette(
    routes=[
        Route("/channels/{channel}", post, methods=["POST"]),
        Route("/channels/{channel}", read),
        Route("/sign", sign, methods=["POST"]),
        Route("/soon", soon),
    ],
    lifespan=lifespan,
)
