from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI()


@app.on_event("startup")
async def open_one():
    log.append("one")


@app.on_event("startup")
async def open_two():
    raise RuntimeError("two fails")


@app.on_event("shutdown")
async def close():
    log.append("closed")


try:
    with TestClient(app):
        log.append("open")
except RuntimeError as error:
    log.append(f"{error} {error.__context__}")
print(log)
