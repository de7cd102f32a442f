# rules: on-event-to-lifespan
from fastapi import FastAPI
from fastapi.testclient import TestClient

app = FastAPI()
log: list[str] = []


@app.on_event("startup")
def start() -> None:
    log.append("start")


def quiet_client(application: FastAPI) -> TestClient:
    application.router.on_startup.clear()
    return TestClient(application)


with TestClient(app):
    print(log)
with quiet_client(app):
    print(log)
