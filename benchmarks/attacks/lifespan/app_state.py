from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

app = FastAPI()


@app.on_event("startup")
async def up():
    app.state.count = getattr(app.state, "count", 0) + 1


@app.get("/")
def read(request: Request):
    return {"count": request.app.state.count, "state": sorted(request.scope.get("state", {}))}


for _ in range(2):
    with TestClient(app) as client:
        print(client.get("/").json(), app.router.on_startup == [] or "handlers")
