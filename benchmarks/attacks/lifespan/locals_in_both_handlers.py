from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI()
value = "module"


@app.on_event("startup")
def up():
    value = "up"
    log.append(value)


@app.on_event("shutdown")
def down():
    log.append(value)


with TestClient(app):
    pass
print(log, value)
