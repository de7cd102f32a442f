from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI()


@app.on_event("startup")
def up(value=log):
    value.append("up")
    return "ignored"


@app.on_event("shutdown")
async def down(*args, **kw):
    log.append((args, kw))


with TestClient(app):
    up()
print(log)
