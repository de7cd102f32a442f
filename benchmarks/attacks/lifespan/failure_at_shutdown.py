from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI()


@app.on_event("shutdown")
def first():
    log.append("first")
    raise ValueError("first fails")


@app.on_event("shutdown")
def second():
    log.append("second")


try:
    with TestClient(app):
        log.append("open")
except ValueError as error:
    log.append(str(error))
print(log)
