# rules: on-event-to-lifespan
from fastapi import FastAPI
from fastapi.testclient import TestClient

log: list[str] = []
app = FastAPI()


@app.on_event("shutdown")
def stop_first() -> None:
    log.append("stop 1")


@app.on_event("startup")
async def start_async() -> None:
    log.append("start 1")
    app.state.ready = True


@app.on_event("startup")
def start_sync() -> None:
    log.append(f"start 2 {app.state.ready}")


@app.on_event("shutdown")
async def stop_second() -> None:
    log.append("stop 2")
    if len(log) > 6:
        raise RuntimeError("stop")


start_sync_again = start_sync


@app.get("/")
def index() -> bool:
    start_sync_again()
    return app.state.ready


for _ in range(2):
    try:
        with TestClient(app) as client:
            print(client.get("/").json())
    except RuntimeError as error:
        print("RuntimeError", error)
print(log)
