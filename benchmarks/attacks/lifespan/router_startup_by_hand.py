import asyncio

from fastapi import FastAPI

log = []
app = FastAPI()


@app.on_event("startup")
async def up():
    log.append("up")


@app.on_event("shutdown")
async def down():
    log.append("down")


async def main():
    for handler in app.router.on_startup:
        await handler()
    log.append("between")
    async with app.router.lifespan_context(app):
        log.append("context")


asyncio.run(main())
print(log)
