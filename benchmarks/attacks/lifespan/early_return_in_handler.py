from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI()
enabled = {"flag": False}


@app.on_event("startup")
async def up():
    if not enabled["flag"]:
        return
    log.append("up")


@app.on_event("shutdown")
async def down():
    if not enabled["flag"]:
        return None
    log.append("down")


for flag in (False, True):
    enabled["flag"] = flag
    with TestClient(app):
        log.append("open")
print(log)
