from fastapi import Depends, FastAPI, Query
from fastapi.testclient import TestClient

app = FastAPI()
log = []


def step(name):
    def dependency():
        log.append(name)
        yield name
        log.append(f"-{name}")

    return dependency


@app.get("/")
def index(x: int = 1, a: str = Depends(step("a")), y: int = 2, b: str = Depends(step("b")), z: str = Query("z"), c: str = Depends(step("c"))):
    return [x, a, y, b, z, c]


@app.get("/bad")
def bad(n: int, m: int = 0, a: str = Depends(step("a")), k: int = Query(...)):
    return "never"


client = TestClient(app)
print(client.get("/").json(), client.get("/bad").json(), log)
