from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI(on_startup=[lambda: log.append("list up")], on_shutdown=[lambda: log.append("list down")])


@app.on_event("startup")
def one():
    log.append("one")


@app.on_event("shutdown")
async def down():
    log.append("down")


@app.on_event("startup")
async def two():
    log.append("two")


app.add_event_handler("shutdown", lambda: log.append("last"))
app.router.add_event_handler("startup", one)
app.router.on_startup.insert(0, two)
for _ in range(2):
    with TestClient(app):
        log.append("open")
print(log)
