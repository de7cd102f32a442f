from fastapi import FastAPI
from fastapi.testclient import TestClient

lifespan = "mine"
asynccontextmanager = "taken"
log = []
app = FastAPI()


@app.on_event("startup")
def up():
    log.append(lifespan)


with TestClient(app):
    pass
print(log, lifespan, asynccontextmanager)
