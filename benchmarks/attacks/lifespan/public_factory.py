from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []


def create(**options):
    app = FastAPI(**options)

    @app.on_event("startup")
    def up():
        log.append("up")

    return app


with TestClient(create(title="a")):
    pass
with TestClient(create(on_startup=[lambda: log.append("list")])):
    pass
print(log)
