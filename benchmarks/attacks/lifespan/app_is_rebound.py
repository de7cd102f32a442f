from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI(title="first")


@app.on_event("startup")
def up():
    log.append(app.title if hasattr(app, "title") else type(app).__name__)


class Wrapper:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


app = Wrapper(app)
with TestClient(app):
    pass
print(log)
