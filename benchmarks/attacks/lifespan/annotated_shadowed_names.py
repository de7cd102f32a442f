from fastapi import Depends as Needs
from fastapi import FastAPI, Query
from fastapi.testclient import TestClient

Annotated = "mine"
Any = "also mine"
app = FastAPI()


def Depends(x):
    return x


@app.get("/")
def index(a: str = Needs(lambda: "a"), b: str = Query(Depends("b")), c=Needs(lambda: "c")):
    return [a, b, c]


print(TestClient(app).get("/").json(), Annotated, Any)
