# rules: annotated-dependency
from typing import Protocol

from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient


def clock() -> int:
    return 12


class Handler(Protocol):
    def __call__(self, n: int, at: int = ...) -> int: ...


app = FastAPI()


@app.get("/shift/{n}")
def shift(n: int, at: int = Depends(clock)) -> int:
    return n + at


def apply(handler: Handler, n: int) -> str:
    try:
        return str(handler(n))
    except TypeError as error:
        return "TypeError"


HANDLERS: dict[str, Handler] = {"shift": shift}
with TestClient(app) as client:
    print(client.get("/shift/1").json(), apply(shift, 1), apply(HANDLERS["shift"], 2), shift(1, 2), shift(n=1, at=3))
    print(shift.__defaults__ is not None and len(shift.__defaults__), shift.__kwdefaults__)
