from fastapi import Body, Cookie, Depends, FastAPI, File, Form, Header, Path, Query
from fastapi.testclient import TestClient

app = FastAPI()


def get_db():
    return "db"


@app.get("/a/{key}")
def a(q: int = 3, key: int = Path(..., gt=1), user_agent: str = Header(None), c: str = Cookie("c", alias="cc"), db: str = Depends(get_db), z: str = Query(...)):
    return [q, key, user_agent, c, db, z]


@app.post("/b")
def b(one: int = Body(...), two: str = Body("t", embed=True), db=Depends(get_db)):
    return [one, two, db]


client = TestClient(app)
print(client.get("/a/5?z=1", headers={"user-agent": "u"}).json(), client.get("/a/1?z=1").status_code, client.get("/a/3").json())
print(client.post("/b", json={"one": 1}).json(), client.post("/b", json={}).status_code)
print(client.get("/openapi.json").text)
