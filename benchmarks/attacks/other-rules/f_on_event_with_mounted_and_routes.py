# rules: on-event-to-lifespan
import asyncio
from fastapi import FastAPI
from fastapi.testclient import TestClient

log: list[str] = []
app = FastAPI()
sub = FastAPI()


@app.on_event("startup")
async def start_worker() -> None:
    async def work() -> None:
        try:
            while True:
                await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            log.append("worker cancelled")
            raise

    app.state.worker = asyncio.create_task(work())
    log.append(asyncio.current_task() is not None and "task")


@app.on_event("shutdown")
async def stop_worker() -> None:
    app.state.worker.cancel()
    try:
        await app.state.worker
    except asyncio.CancelledError:
        log.append("stopped")


@sub.get("/")
def index() -> list[str]:
    return log


app.mount("/sub", sub)
with TestClient(app) as client:
    print(client.get("/sub/").json())
client = TestClient(app)
print(client.get("/sub/").json())
