# rules: on-event-to-lifespan
from fastapi import FastAPI
from fastapi.testclient import TestClient


def create_app(name: str, cache: bool = True) -> FastAPI:
    app = FastAPI(title=name)
    log: list[str] = []
    app.state.log = log

    @app.on_event("startup")
    def start() -> None:
        log.append(f"start {name}")

    if cache:
        @app.on_event("startup")
        async def fill() -> None:
            log.append("fill")

        @app.on_event("shutdown")
        async def drop() -> None:
            log.append("drop")

    name = name.upper()
    return app


for app in (create_app("a"), create_app("b", cache=False)):
    with TestClient(app):
        print(app.title, app.state.log)
    print(app.state.log)
