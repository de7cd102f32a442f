# rules: on-event-to-lifespan
from fastapi import FastAPI
from fastapi.testclient import TestClient

app = FastAPI()
log: list[str] = []


@app.on_event("startup")
def start() -> None:
    log.append("start")


@app.on_event("shutdown")
def stop() -> None:
    log.append("stop")


def handlers(application) -> list[str]:
    return [f.__name__ for f in getattr(application.router, "on_startup", [])]


@app.get("/handlers")
def index() -> list[str]:
    return handlers(app)


with TestClient(app) as client:
    print(client.get("/handlers").json())
print(log)
