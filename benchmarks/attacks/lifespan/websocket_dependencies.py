from fastapi import Depends, FastAPI, Query, WebSocket
from fastapi.testclient import TestClient

app = FastAPI()


def name(q: str = Query("nobody")):
    return q


@app.websocket("/ws/{room}")
async def ws(socket: WebSocket, room: str, who: str = Depends(name), n: int = Query(1)):
    await socket.accept()
    await socket.send_json([room, who, n])
    await socket.close()


with TestClient(app).websocket_connect("/ws/a?q=ann") as socket:
    print(socket.receive_json())
