# rules: on-event-to-lifespan
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

log: list[str] = []


class Service:
    def __init__(self, app: FastAPI) -> None:
        self.app = app
        app.on_event("startup")(self.start)
        app.on_event("shutdown")(self.stop)

    async def start(self) -> None:
        log.append("start")

    def stop(self) -> None:
        log.append("stop")


app = FastAPI()
service = Service(app)
router = APIRouter()


@router.on_event("startup")
def router_start() -> None:
    log.append("router")


app.include_router(router)


@app.on_event("startup")
def late() -> None:
    log.append("late")


with TestClient(app):
    print(log)
print(log, len(app.router.on_startup))
