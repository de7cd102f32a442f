from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

app = FastAPI()


def token():
    return "t"


class Service:
    def delete(self, db, id=None, access: str = Depends(token)):
        return [db, id, repr(type(access).__name__)]

    def get(self, key=1, access: str = Depends(token)):
        return [key, type(access).__name__]


service = Service()
app.get("/get")(service.get)


@app.get("/delete")
def delete():
    return service.delete(db="d", id=3)


client = TestClient(app)
print(client.get("/delete").json(), client.get("/get").json(), client.get("/get?key=5").json())
