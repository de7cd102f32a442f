# rules: on-event-to-lifespan
from fastapi import FastAPI
from fastapi.testclient import TestClient

log: list[str] = []


def start() -> None:
    log.append("start list")


async def stop() -> None:
    log.append("stop list")


app = FastAPI(on_startup=[start], on_shutdown=[stop])


@app.on_event("startup")
async def more() -> None:
    log.append("more")


handlers = {"startup": lambda: log.append("lambda")}


def register(application: FastAPI, names: list[str]) -> None:
    for name in names:
        @application.on_event("startup")
        def handler(name=name) -> None:
            log.append(name)


other = FastAPI(title="other", on_startup=[start])
register(other, ["x", "y"])
for a in (app, other):
    log.clear()
    with TestClient(a):
        pass
    print(log)
