from fastapi import FastAPI
from fastapi.testclient import TestClient

app = FastAPI()
pool = None


@app.on_event("startup")
async def up():
    global pool
    pool = ["open"]


@app.on_event("shutdown")
async def down():
    global pool
    pool.clear()
    pool = None


@app.get("/")
def read():
    return pool


with TestClient(app) as client:
    print(client.get("/").json())
print(pool)
