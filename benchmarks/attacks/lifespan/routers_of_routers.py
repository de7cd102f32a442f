# announced: handlers of routers run twice
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

log = []
leaf, branch = APIRouter(), APIRouter(on_startup=[lambda: log.append("branch list")])
app = FastAPI()


@leaf.on_event("startup")
def leaf_up():
    log.append("leaf")


@branch.on_event("startup")
def branch_up():
    log.append("branch")


@branch.on_event("shutdown")
def branch_down():
    log.append("branch down")


@app.on_event("startup")
def app_up():
    log.append("app")


branch.include_router(leaf)
app.include_router(branch)
with TestClient(app):
    log.append("open")
print(log)
