from fastapi import Depends, FastAPI, Query
from fastapi.testclient import TestClient

app = FastAPI()


class Base:
    def __init__(self, limit: int = Query(5), name: str = "n"):
        self.limit, self.name = limit, name


class Child(Base):
    def __init__(self, extra: str = Query("e"), limit: int = Query(7)):
        super().__init__(limit, name=extra)


@app.get("/base")
def base(p: Base = Depends()):
    return [p.limit, p.name]


@app.get("/child")
def child(p: Child = Depends()):
    return [p.limit, p.name]


client = TestClient(app)
print(client.get("/base").json(), client.get("/child").json(), client.get("/child?limit=1&extra=q").json())
print(Base(limit=3).name, Child("a", 4).limit)
