# announced: `@logged` may read the defaults of the function
# rules: annotated-dependency
from functools import partial, wraps
from inspect import signature

from fastapi import Body, Cookie, Depends, FastAPI, Path
from fastapi.testclient import TestClient

app = FastAPI()


def logged(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        defaults = {k: type(p.default).__name__ for k, p in signature(function).parameters.items() if p.default is not p.empty}
        return [sorted(defaults), function(*args, **kwargs)]

    return wrapper


def user(token: str = Cookie("anon")) -> str:
    return token


@app.post("/a/{n}")
@logged
def create(n: int = Path(..., gt=0), body: dict = Body({}), who: str = Depends(user)) -> list:
    return [n, body, who]


class Base:
    def check(self, level: int = Depends(lambda: 1)) -> int:
        return level


class Child(Base):
    def check(self, level: int = 5) -> int:
        return super().check(level) + 1


app.add_api_route("/check", Child().check)
app.get("/base")(Base().check)
app.get("/partial")(partial(lambda who=Depends(user), k=1: [who, k], k=2))


with TestClient(app) as client:
    print(client.post("/a/1", json={"x": 1}).json(), client.post("/a/0").status_code)
    print(client.get("/check").json(), client.get("/base").json(), client.get("/partial").json(), Child().check(), Child().check(2))
