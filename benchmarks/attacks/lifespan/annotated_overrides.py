from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

app = FastAPI()


def get_db():
    return "real"


def get_repo(db: str = Depends(get_db)):
    return f"repo of {db}"


def fake_repo(db: str = Depends(get_db), flag: bool = False):
    return f"fake of {db} {flag}"


@app.get("/")
def index(repo: str = Depends(get_repo)):
    return repo


client = TestClient(app)
print(client.get("/").json())
app.dependency_overrides[get_repo] = fake_repo
print(client.get("/?flag=1").json())
app.dependency_overrides = {get_db: lambda: "fake"}
print(client.get("/").json(), get_repo("by hand"))
