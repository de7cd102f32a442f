from fastapi import Depends, FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import SessionLocal, User, get_db, seed

app = FastAPI()


@app.get("/csv")
def csv():
    def rows():
        with SessionLocal() as db:
            for user in db.scalars(select(User).order_by(User.id)):
                yield f"{user.name},{len(user.posts)}\n"

    return StreamingResponse(rows(), media_type="text/csv")


@app.websocket("/ws")
async def ws(socket: WebSocket, db: Session = Depends(get_db)):
    await socket.accept()
    key = await socket.receive_json()
    await socket.send_json(db.get(User, key).name)
    await socket.close()


def main():
    seed()
    client = TestClient(app)
    print(client.get("/csv").text)
    with client.websocket_connect("/ws") as socket:
        socket.send_json(2)
        print(socket.receive_json())


if __name__ == "__main__":
    main()
