from fastapi import APIRouter, Depends, FastAPI, Query, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes
from fastapi.testclient import TestClient

bearer = OAuth2PasswordBearer(tokenUrl="t", auto_error=False)


def user(scopes: SecurityScopes, token: str = Depends(bearer)):
    return [scopes.scopes, token]


def router(model, prefix):
    made = APIRouter(prefix=prefix)

    @made.get("/")
    def listing(q: model = Query(...), who: list = Security(user, scopes=[prefix])):
        return [q, who]

    return made


app = FastAPI()
app.include_router(router(int, "/int"))
app.include_router(router(str, "/str"))
client = TestClient(app)
print(client.get("/int/?q=1").json(), client.get("/str/?q=1", headers={"authorization": "Bearer x"}).json(), client.get("/int/?q=a").status_code)
