from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI()


@app.on_event("startup")
def up():
    log.append("up")
    app.add_event_handler("startup", more)
    app.router.on_shutdown.append(more)


def more():
    log.append("more")


with TestClient(app):
    log.append("open")
print(log)
