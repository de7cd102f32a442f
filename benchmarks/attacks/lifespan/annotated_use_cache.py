from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

app = FastAPI()
calls = []


def counted():
    calls.append(1)
    return len(calls)


@app.get("/")
def index(a: int = Depends(counted), b: int = Depends(counted), c: int = Depends(counted, use_cache=False), d: int = 4):
    return [a, b, c, d]


print(TestClient(app).get("/").json())
