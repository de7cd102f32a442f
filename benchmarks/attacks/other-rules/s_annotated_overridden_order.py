# rules: annotated-dependency
from fastapi import Depends, FastAPI, Query, WebSocket
from fastapi.testclient import TestClient

app = FastAPI()
calls: list[str] = []


def first() -> str:
    calls.append("first")
    return "1"


def second(one: str = Depends(first)) -> str:
    calls.append("second")
    return one + "2"


@app.get("/order")
def order(b: str = Depends(second), plain: int = 3, a: str = Depends(first), *, c: int = Query(7)) -> list:
    return [b, plain, a, c]


@app.websocket("/ws")
async def ws(socket: WebSocket, who: str = Query("me"), two: str = Depends(second)) -> None:
    await socket.accept()
    await socket.send_json([who, two])


def positional() -> list:
    return [order("x"), order("x", 1, "y"), order(b="q", a="w", c=1)]


app.dependency_overrides[first] = lambda: "override"
with TestClient(app) as client:
    print(client.get("/order").json(), calls)
    with client.websocket_connect("/ws?who=you") as socket:
        print(socket.receive_json())
print([[type(x).__name__ for x in r] for r in positional()])
