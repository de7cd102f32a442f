from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

log = []
app = FastAPI()


@app.middleware("http")
async def timed(request: Request, call_next):
    log.append("in")
    response = await call_next(request)
    log.append("out")
    return response


@app.on_event("startup")
async def up():
    log.append("up")


@app.exception_handler(KeyError)
async def missing(request, error):
    log.append("handled")
    from fastapi.responses import JSONResponse

    return JSONResponse({"missing": str(error)}, 404)


@app.get("/")
def index():
    raise KeyError("k")


with TestClient(app) as client:
    print(client.get("/").json())
print(log)
